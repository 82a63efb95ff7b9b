//! A spool at which a worker stops, and which a crash of the machine loses in part.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use invitation_core::import::jobs::{MemorySpool, Spool, SpoolError, SpoolFile};

use crate::support::interrupt::Interrupt;

/// The files of a spool. A crash of the machine loses what is not synced.
#[derive(Default, Debug)]
pub(super) struct Files {
    files: MemorySpool,
    /// What a crash leaves of each file; none of one that was never synced.
    durable: Mutex<HashMap<SpoolFile, Option<Vec<u8>>>>,
}

impl Files {
    fn keep(&self, file: SpoolFile, keep: impl FnOnce(&mut Option<Vec<u8>>)) {
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        keep(durable.entry(file).or_default());
    }

    async fn sync(&self, file: SpoolFile) -> Result<(), SpoolError> {
        let bytes = self.files.read(file, 0, usize::MAX).await?;
        self.keep(file, |durable| *durable = Some(bytes));
        Ok(())
    }

    /// Loses what is not synced.
    pub(super) async fn crash(&self) {
        let durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (file, bytes) in durable {
            self.files.remove(file).await.expect("memory does not fail");
            if let Some(bytes) = bytes {
                self.files.write(file, 0, bytes).await.expect("memory does not fail");
            }
        }
    }
}

/// A spool in memory, at which a worker stops.
#[derive(Clone, Debug)]
pub(super) struct InterruptedSpool {
    pub(super) files: Arc<Files>,
    pub(super) interrupt: Interrupt,
}

#[async_trait]
impl Spool for InterruptedSpool {
    async fn write(&self, file: SpoolFile, at: u64, bytes: Vec<u8>) -> Result<(), SpoolError> {
        self.interrupt.pass().await;
        self.files.keep(file, |_| ());
        self.files.files.write(file, at, bytes).await?;
        self.interrupt.pass().await;
        Ok(())
    }

    async fn sync(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.interrupt.pass().await;
        self.files.sync(file).await
    }

    async fn read(&self, file: SpoolFile, at: u64, max: usize) -> Result<Vec<u8>, SpoolError> {
        self.interrupt.pass().await;
        self.files.files.read(file, at, max).await
    }

    async fn remove(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.files.keep(file, |durable| *durable = None);
        self.files.files.remove(file).await
    }
}
