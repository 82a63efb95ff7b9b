//! One [`Batcher`] for each code, so that only callers of the same code share a batch.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use invitation_core::{Batcher, CodeDigest, Transition};

use crate::batching::{ApplyResult, MAX_BATCH_SIZE};

/// The maximum number of running batches for one code. A second batch would only wait for the
/// row that the first one has locked.
const SLOTS: NonZeroUsize = NonZeroUsize::MIN;

/// The batchers of all codes that callers are redeeming at the moment. Callers of the same code
/// share a batch. Callers of different codes never wait for each other here.
#[derive(Clone, Default)]
pub(crate) struct KeyedBatcher {
    entries: Arc<Mutex<Entries>>,
}

/// For each code its batcher, and the number of callers that use the batcher. The key is the list
/// of all digests of the code: it has several while the keys of the digests are rotated.
type Entries = HashMap<Arc<[CodeDigest]>, (Batcher<Transition, ApplyResult>, usize)>;

/// A caller's reference to the batcher of its code. When the last one is dropped, the batcher is
/// removed.
pub(crate) struct BatcherOfCode {
    owner: KeyedBatcher,
    code: Arc<[CodeDigest]>,
    batcher: Batcher<Transition, ApplyResult>,
}

impl KeyedBatcher {
    /// Returns the batcher of the code with these digests, and creates it for the first caller.
    pub(crate) fn of_code(&self, code: &[CodeDigest]) -> BatcherOfCode {
        let code: Arc<[_]> = code.into();
        let batcher = {
            let mut entries = self.entries();
            let (batcher, callers) = entries
                .entry(Arc::clone(&code))
                .or_insert_with(|| (Batcher::new(SLOTS, MAX_BATCH_SIZE), 0));
            *callers += 1;
            batcher.clone()
        };
        BatcherOfCode { owner: self.clone(), code, batcher }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // Nothing panics while the lock is held, so the entries are consistent.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BatcherOfCode {
    pub(crate) fn batcher(&self) -> &Batcher<Transition, ApplyResult> {
        &self.batcher
    }
}

impl Drop for BatcherOfCode {
    fn drop(&mut self) {
        let mut entries = self.owner.entries();
        if let Some((_, callers)) = entries.get_mut(&self.code) {
            *callers -= 1;
            if *callers == 0 {
                entries.remove(&self.code);
            }
        }
    }
}
