//! A spool in memory that returns few bytes at a time, and fails on request.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use invitation_core::import::jobs::{MemorySpool, Spool, SpoolError, SpoolFile, SpoolPart};

/// A spool in memory that returns at most 50 bytes at a time, and fails on request.
#[derive(Clone, Default, Debug)]
pub(crate) struct Weak {
    spool: Arc<MemorySpool>,
    state: Arc<State>,
}

#[derive(Default, Debug)]
struct State {
    names: Mutex<BTreeSet<String>>,
    /// The file that cannot be read, by the end of its name.
    broken: Mutex<Option<String>>,
    failing_reads: Period,
    failing_results: Period,
    failing_rows: Period,
    failing_removals: Period,
}

/// Which calls fail: each `n`th one; with 0, none.
#[derive(Default, Debug)]
struct Period {
    n: AtomicU32,
    calls: AtomicU32,
}

impl Period {
    fn set(&self, n: u32) {
        self.n.store(n, Ordering::SeqCst);
        self.calls.store(0, Ordering::SeqCst);
    }

    fn call(&self) -> Result<(), SpoolError> {
        let (n, calls) = (self.n.load(Ordering::SeqCst), self.calls.fetch_add(1, Ordering::SeqCst));
        if n > 0 && calls % n == n - 1 {
            return Err(SpoolError::because(std::io::Error::other("the disk is broken")));
        }
        Ok(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Weak {
    /// Makes each `n`th read fail; with 0, none.
    pub(crate) fn fail_reads(&self, n: u32) {
        self.state.failing_reads.set(n);
    }

    /// Makes each `n`th write of results fail; with 0, none.
    pub(crate) fn fail_results(&self, n: u32) {
        self.state.failing_results.set(n);
    }

    /// Makes each `n`th write of rows fail; with 0, none.
    pub(crate) fn fail_rows(&self, n: u32) {
        self.state.failing_rows.set(n);
    }

    /// Makes each `n`th removal fail; with 0, none.
    pub(crate) fn fail_removals(&self, n: u32) {
        self.state.failing_removals.set(n);
    }

    /// Makes one file unreadable, or none.
    pub(crate) fn break_file(&self, name: Option<&str>) {
        *locked(&self.state.broken) = name.map(str::to_owned);
    }

    /// Returns the names of the files.
    pub(crate) fn names(&self) -> Vec<String> {
        locked(&self.state.names).iter().cloned().collect()
    }
}

#[async_trait]
impl Spool for Weak {
    async fn write(&self, file: SpoolFile, at: u64, bytes: Vec<u8>) -> Result<(), SpoolError> {
        match file.part() {
            SpoolPart::Results => self.state.failing_results.call()?,
            _ => self.state.failing_rows.call()?,
        }
        self.spool.write(file, at, bytes).await?;
        locked(&self.state.names).insert(file.to_string());
        Ok(())
    }

    async fn sync(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.spool.sync(file).await
    }

    async fn read(&self, file: SpoolFile, at: u64, max: usize) -> Result<Vec<u8>, SpoolError> {
        if *locked(&self.state.broken) == Some(file.to_string()) {
            return Err(SpoolError::because(std::io::Error::other("the disk is broken")));
        }
        self.state.failing_reads.call()?;
        self.spool.read(file, at, max.min(50)).await
    }

    async fn remove(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.state.failing_removals.call()?;
        self.spool.remove(file).await?;
        locked(&self.state.names).remove(&file.to_string());
        Ok(())
    }
}
