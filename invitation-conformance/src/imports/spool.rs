//! A spool at which a worker stops.

use std::sync::Arc;

use async_trait::async_trait;
use invitation_core::import::jobs::{MemorySpool, Spool, SpoolError, SpoolFile};

use crate::support::interrupt::Interrupt;

/// A spool in memory, at which a worker stops.
#[derive(Clone, Debug)]
pub(super) struct InterruptedSpool {
    pub(super) files: Arc<MemorySpool>,
    pub(super) interrupt: Interrupt,
}

#[async_trait]
impl Spool for InterruptedSpool {
    async fn write(&self, file: SpoolFile, at: u64, bytes: Vec<u8>) -> Result<(), SpoolError> {
        self.interrupt.pass().await;
        self.files.write(file, at, bytes).await?;
        self.interrupt.pass().await;
        Ok(())
    }

    async fn sync(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.interrupt.pass().await;
        self.files.sync(file).await
    }

    async fn read(&self, file: SpoolFile, at: u64, max: usize) -> Result<Vec<u8>, SpoolError> {
        self.interrupt.pass().await;
        self.files.read(file, at, max).await
    }

    async fn remove(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.files.remove(file).await
    }
}
