//! A batcher for each code that is being redeemed.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use invitation_core::{Batcher, CodeDigest, Transition};

use crate::{batching::ApplyResult, ops};

/// The number of batches of one code in flight. A second batch would only wait for the row
/// that the first one has locked.
const SLOTS: NonZeroUsize = NonZeroUsize::MIN;

/// A batcher for each code with waiting callers. Callers of the same code share a batch, and
/// callers of different codes never wait for each other.
#[derive(Clone, Default)]
pub(crate) struct KeyedBatcher {
    entries: Arc<Mutex<Entries>>,
}

/// Each code's batcher and the number of its callers. The key is all digests of the code,
/// because a code has several while keys are rotated.
type Entries = HashMap<Arc<[CodeDigest]>, (Batcher<Transition, ApplyResult>, usize)>;

/// A caller's hold on the batcher of its code. Dropping the last one removes the batcher.
pub(crate) struct BatcherOfCode {
    owner: KeyedBatcher,
    code: Arc<[CodeDigest]>,
    batcher: Batcher<Transition, ApplyResult>,
}

impl KeyedBatcher {
    /// Returns the batcher of this code.
    pub(crate) fn of_code(&self, code: &[CodeDigest]) -> BatcherOfCode {
        let code: Arc<[_]> = code.into();
        let batcher = {
            let mut entries = self.entries();
            let (batcher, callers) = entries
                .entry(Arc::clone(&code))
                .or_insert_with(|| (Batcher::new(SLOTS, ops::MAX_BATCH_SIZE), 0));
            *callers += 1;
            batcher.clone()
        };
        BatcherOfCode { owner: self.clone(), code, batcher }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // No code panics while it holds the lock.
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
