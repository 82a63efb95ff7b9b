//! The tables of a store, and the batches of calls for these tables.

use std::num::NonZeroUsize;

use invitation_core::{Batcher, Transition};

use crate::{TablePrefix, batching::ApplyResult, keyed_batcher::KeyedBatcher, names::Names, ops};

/// The tables that a store uses, together with its batching state. A batch leader acts for
/// other callers on its own tables, so both are made here and nowhere apart: a store with
/// another prefix has batches of its own.
#[derive(Clone)]
pub(crate) struct Tables {
    names: Names,
    slots: NonZeroUsize,
    batcher: Batcher<Transition, ApplyResult>,
    by_code: KeyedBatcher,
}

impl Tables {
    /// The tables of this prefix, with so many batches in flight at a time.
    pub(crate) fn new(prefix: TablePrefix, slots: NonZeroUsize) -> Self {
        Self {
            names: Names::new(prefix),
            slots,
            batcher: Batcher::new(slots, ops::MAX_BATCH_SIZE),
            by_code: KeyedBatcher::default(),
        }
    }

    /// Tables of another prefix, with as many batches in flight at a time.
    pub(crate) fn with_prefix(&self, prefix: TablePrefix) -> Self {
        Self::new(prefix, self.slots)
    }

    /// The same tables, with so many batches in flight at a time.
    pub(crate) fn with_slots(&self, slots: NonZeroUsize) -> Self {
        Self::new(self.names.table_prefix(), slots)
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The batches of callers of any code.
    pub(crate) fn batcher(&self) -> &Batcher<Transition, ApplyResult> {
        &self.batcher
    }

    /// The batches of callers of the same code.
    pub(crate) fn by_code(&self) -> &KeyedBatcher {
        &self.by_code
    }
}
