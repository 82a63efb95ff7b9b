//! A log in memory.

use std::{
    collections::BTreeSet,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use invitation_core::UserId;

use super::{Batch, LogError, LogOffset, LogPage, LogStore};
use crate::line::Record;

/// A log in memory, which is lost on drop. It serves for tests.
#[derive(Debug, Default)]
pub struct MemoryLog {
    records: Mutex<Vec<Record>>,
}

impl MemoryLog {
    /// Creates an empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        // A push of records does not panic halfway, so a poisoned log is consistent.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FromIterator<Record> for MemoryLog {
    /// Makes a log of any records, also of altered ones.
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        Self { records: Mutex::new(records.into_iter().collect()) }
    }
}

#[async_trait]
impl LogStore for MemoryLog {
    async fn append(&self, end: LogOffset, batch: &Batch) -> Result<LogOffset, LogError> {
        let mut records = self.records();
        if end != LogOffset(records.len() as u64) {
            return Err(LogError::Conflict);
        }
        records.extend(batch.entries.iter().cloned().map(Record::Entry));
        records.push(Record::Checkpoint(batch.checkpoint.clone()));
        Ok(LogOffset(records.len() as u64))
    }

    async fn read(&self, from: LogOffset, limit: NonZeroU32) -> Result<LogPage, LogError> {
        let records = self.records();
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let page = records.iter().skip(size(from.0)).take(size(limit.get().into()));
        let page: Vec<_> = page.cloned().collect();
        let next = LogOffset(from.0.saturating_add(page.len() as u64));
        Ok(LogPage { records: page, next })
    }

    async fn erase(&self, entries: &BTreeSet<u64>, user: &UserId) -> Result<(), LogError> {
        for record in self.records().iter_mut().filter(|record| record.is_one_of(entries)) {
            *record = record.clone().erased(user);
        }
        Ok(())
    }
}
