//! The tables of a store, and the batchers of redemptions in these tables.

use std::num::NonZeroUsize;

use invitation_core::{Batcher, Transition};

use crate::{
    TablePrefix,
    batching::{ApplyResult, MAX_BATCH_SIZE},
    keyed_batcher::KeyedBatcher,
    names::Names,
};

/// The tables that a store uses, together with its batching state. A batch leader redeems for
/// other callers in its own tables. So both are created together, and a store with another prefix
/// has batches of its own.
#[derive(Clone)]
pub(crate) struct Tables {
    names: Names,
    slots: NonZeroUsize,
    batcher: Batcher<Transition, ApplyResult>,
    by_code: KeyedBatcher,
}

impl Tables {
    /// Creates the tables of this prefix. At most `slots` batches run at a time.
    pub(crate) fn new(prefix: TablePrefix, slots: NonZeroUsize) -> Self {
        Self {
            names: Names::new(prefix),
            slots,
            batcher: Batcher::new(slots, MAX_BATCH_SIZE),
            by_code: KeyedBatcher::default(),
        }
    }

    /// Returns the tables of another prefix, with the same number of slots.
    pub(crate) fn with_prefix(&self, prefix: TablePrefix) -> Self {
        Self::new(prefix, self.slots)
    }

    /// Returns the same tables, with another number of slots.
    pub(crate) fn with_slots(&self, slots: NonZeroUsize) -> Self {
        Self::new(self.names.table_prefix(), slots)
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Returns the batcher in which redemptions of different codes share a batch.
    pub(crate) fn batcher(&self) -> &Batcher<Transition, ApplyResult> {
        &self.batcher
    }

    /// Returns the batchers in which only redemptions of the same code share a batch.
    pub(crate) fn by_code(&self) -> &KeyedBatcher {
        &self.by_code
    }
}
