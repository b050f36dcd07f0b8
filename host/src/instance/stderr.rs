//! The standard error of an instance: the host keeps its end, to explain a trap.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// The end of what an instance wrote to standard error.
#[derive(Clone, Default)]
pub(super) struct LastOutput(Arc<Mutex<VecDeque<u8>>>);

impl LastOutput {
    const KEPT: usize = 4096;

    fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(bytes.iter().skip(bytes.len().saturating_sub(Self::KEPT)));
        let surplus = kept.len().saturating_sub(Self::KEPT);
        kept.drain(..surplus);
    }

    pub(super) fn text(&self) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(kept.make_contiguous())
            .trim()
            .to_owned()
    }
}

impl IsTerminal for LastOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LastOutput {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

#[async_trait::async_trait]
impl Pollable for LastOutput {
    async fn ready(&mut self) {}
}

impl OutputStream for LastOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(Self::KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_the_output_is_kept() {
        let output = LastOutput::default();
        output.push(&[b'a'; 5000]);
        output.push(b"panicked at the end");
        let text = output.text();
        assert_eq!(text.len(), LastOutput::KEPT);
        assert!(text.starts_with('a') && text.ends_with("panicked at the end"));
    }
}
