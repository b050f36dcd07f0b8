//! End to end: the real component, in the real host, against the emulator, over sockets.

mod imports;
