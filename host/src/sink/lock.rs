//! One sync at a time for a target.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::error::SinkError;

/// How often a lock is tried for, and the pause between. A program that this process is just
/// starting holds a copy of every handle for a moment.
const LOCK_ATTEMPTS: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Holds the lock file of a target for as long as the returned handle lives, also against other
/// processes.
pub(super) fn lock(path: &Path, target: &Path) -> Result<File, SinkError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|source| {
            // It is the target's own directory that is missing.
            let absent = source.kind() == std::io::ErrorKind::NotFound;
            SinkError::io("opened", if absent { target } else { path })(source)
        })?;
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(source)) => {
                return Err(SinkError::io("locked", path)(source));
            }
        }
    }
    Err(SinkError::InUse {
        target: target.display().to_string(),
    })
}
