//! Switches that turn a mechanism off. Only the benches use them, to show what it buys.

use crate::{dialect::Dialect, store::SqlStore};

/// The mechanisms that a store uses: all of them, except in the benches.
#[derive(Clone, Copy)]
pub(crate) struct Mechanisms {
    /// Whether redemptions of concurrent callers are sent together.
    pub(crate) batches: bool,
    /// Whether a redemption takes fewer round trips than the general path, where the dialect can.
    pub(crate) fast_path: bool,
}

impl Default for Mechanisms {
    fn default() -> Self {
        Self { batches: true, fast_path: true }
    }
}

impl<DB: Dialect> SqlStore<DB> {
    /// Sends each redemption by itself.
    #[doc(hidden)]
    #[must_use]
    pub fn without_batches(mut self) -> Self {
        self.mechanisms.batches = false;
        self
    }

    /// Sends a redemption that is alone by the general path, statement by statement.
    #[doc(hidden)]
    #[must_use]
    pub fn without_fast_path(mut self) -> Self {
        self.mechanisms.fast_path = false;
        self
    }
}
