//! A spool in memory.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{Spool, SpoolError, SpoolFile};

/// A spool that keeps its files in memory, for tests and trying things out.
#[derive(Default, Debug)]
pub struct MemorySpool {
    files: Mutex<HashMap<SpoolFile, Vec<u8>>>,
}

impl MemorySpool {
    /// Creates an empty spool.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn files(&self) -> MutexGuard<'_, HashMap<SpoolFile, Vec<u8>>> {
        // Every change is one step, so the files are consistent after a panic.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Spool for MemorySpool {
    async fn write(&self, file: SpoolFile, at: u64, bytes: Vec<u8>) -> Result<(), SpoolError> {
        let mut files = self.files();
        let at = usize::try_from(at).map_err(|_| SpoolError::Missing)?;
        let known = if at == 0 {
            files.entry(file).or_default()
        } else {
            let known = files.get_mut(&file).filter(|known| known.len() >= at);
            known.ok_or(SpoolError::Missing)?
        };
        let end = at + bytes.len();
        if known.len() < end {
            known.resize(end, 0);
        }
        known[at..end].copy_from_slice(&bytes);
        Ok(())
    }

    async fn sync(&self, _: SpoolFile) -> Result<(), SpoolError> {
        Ok(())
    }

    async fn read(&self, file: SpoolFile, at: u64, max: usize) -> Result<Vec<u8>, SpoolError> {
        let files = self.files();
        let known = files.get(&file).ok_or(SpoolError::Missing)?;
        let from = usize::try_from(at).unwrap_or(usize::MAX).min(known.len());
        let until = from.saturating_add(max).min(known.len());
        Ok(known[from..until].to_vec())
    }

    async fn remove(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.files().remove(&file);
        Ok(())
    }
}
