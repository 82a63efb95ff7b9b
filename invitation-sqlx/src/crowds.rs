//! Those who want the same code at the same time.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use invitation_core::{Batcher, CodeDigest, Transition};

use crate::{ops, shared::Answer};

/// How many are out for a code at a time: a second would but wait for the row of the first.
const SLOTS: NonZeroUsize = NonZeroUsize::MIN;

/// Batcher for each code that somebody is about to redeem, for as long as somebody is. So
/// those of one code share, and nobody waits for those of another.
#[derive(Clone, Default)]
pub(crate) struct Crowds {
    by_code: Arc<Mutex<ByCode>>,
}

/// The batcher of a code, and how many are there. It may have several digests.
type ByCode = HashMap<Arc<[CodeDigest]>, (Batcher<Transition, Answer>, usize)>;

/// Somebody's place in the crowd of a code.
pub(crate) struct Place {
    crowds: Crowds,
    code: Arc<[CodeDigest]>,
    batcher: Batcher<Transition, Answer>,
}

impl Crowds {
    /// Joins those who want this code.
    pub(crate) fn join(&self, code: &[CodeDigest]) -> Place {
        let code: Arc<[_]> = code.into();
        let batcher = {
            let mut by_code = self.by_code();
            let crowd = by_code
                .entry(Arc::clone(&code))
                .or_insert_with(|| (Batcher::new(SLOTS, ops::MAX_BATCH_SIZE), 0));
            crowd.1 += 1;
            crowd.0.clone()
        };
        Place { crowds: self.clone(), code, batcher }
    }

    fn by_code(&self) -> MutexGuard<'_, ByCode> {
        // Nobody panics while holding it.
        self.by_code.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(crate) fn batcher(&self) -> &Batcher<Transition, Answer> {
        &self.batcher
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_code = self.crowds.by_code();
        if let Some((_, here)) = by_code.get_mut(&self.code) {
            *here -= 1;
            if *here == 0 {
                by_code.remove(&self.code);
            }
        }
    }
}
