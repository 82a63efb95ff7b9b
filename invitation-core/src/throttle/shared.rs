//! Budgets that several processes share.

use std::{fmt, num::NonZeroU32, sync::Arc};

use async_trait::async_trait;

use crate::{store_error::StoreError, time::Timestamp};

/// The key of a budget: a hash, so that a store keeps no address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetKey([u8; Self::BYTES]);

impl BudgetKey {
    /// The length of a key in bytes.
    pub const BYTES: usize = 32;
    /// The key of the budget of all sources together.
    pub const OVERALL: Self = Self([0; Self::BYTES]);

    /// Returns the bytes for a store to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Creates a key from the bytes of a hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }
}

/// Shows nothing: the hash of an IPv4 address can be reversed by trying all.
impl fmt::Debug for BudgetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BudgetKey(…)")
    }
}

/// The minute in which tokens are taken, counted from 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BudgetWindow(i64);

impl BudgetWindow {
    /// The length of a window in microseconds.
    pub(super) const MICROS: i64 = 60_000_000;

    /// Returns the window of an instant.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(now.as_micros().div_euclid(Self::MICROS))
    }

    /// Returns the number of minutes since the epoch, for a store to keep.
    #[must_use]
    pub const fn minute(self) -> i64 {
        self.0
    }

    /// Returns whether counts of this window are still kept when tokens are taken in another
    /// one. Only the window before it may still get tokens, of calls that began before.
    #[must_use]
    pub const fn is_kept_in(self, current: Self) -> bool {
        self.0 >= current.0.saturating_sub(1)
    }

    /// Creates a window from a number of minutes since the epoch.
    #[must_use]
    pub const fn from_minute(minute: i64) -> Self {
        Self(minute)
    }
}

/// The tokens that were taken of one budget. This is the specification of [`SharedBudgets`].
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::code::throttle::{BudgetCount, BudgetWindow};
///
/// let ten = std::num::NonZeroU32::new(10).expect("not 0");
/// let (first, second) = (BudgetWindow::from_minute(7), BudgetWindow::from_minute(8));
/// let count = BudgetCount::default().after_taking(first, ten);
/// assert_eq!(count.taken, 10);
/// assert_eq!(count.after_taking(first, ten).taken, 20);
/// assert_eq!(count.after_taking(second, ten).taken, 10, "a new minute");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct BudgetCount {
    /// The minute in which tokens were last taken.
    pub window: BudgetWindow,
    /// The number of tokens taken in it.
    pub taken: u64,
}

impl Default for BudgetCount {
    /// The count of a key that a store does not know: nothing was ever taken.
    fn default() -> Self {
        Self { window: BudgetWindow(i64::MIN), taken: 0 }
    }
}

impl BudgetCount {
    /// Returns the count after tokens were taken.
    ///
    /// A later window begins at 0. Tokens of an earlier window count in the stored one, however far
    /// it is ahead. If they began the budget anew, two processes whose clocks differ would do so in
    /// turn, and the budget would limit nothing.
    #[must_use]
    pub fn after_taking(self, window: BudgetWindow, tokens: NonZeroU32) -> Self {
        let before = if window > self.window { 0 } else { self.taken };
        Self {
            window: window.max(self.window),
            taken: before.saturating_add(u64::from(tokens.get())),
        }
    }
}

/// Counters of tokens that several processes share.
///
/// # For implementors
///
/// A store keeps one [`BudgetCount`] for each key. It does not know the budgets: it only counts,
/// and the throttle decides from the number how many tokens it got. It removes counts that
/// [`BudgetWindow::is_kept_in`] does not keep, all of them or some with each call, so that they do
/// not pile up.
#[async_trait]
pub trait SharedBudgets: fmt::Debug + Send + Sync {
    /// Takes tokens of a budget. Returns how many were taken in the window by then, these
    /// included.
    ///
    /// A store MUST read and write the count in one atomic step, as
    /// [`BudgetCount::after_taking`] specifies, and keep it across a restart as it keeps its
    /// other data.
    ///
    /// One step: a short transaction, or a script.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails. Tokens that may have been taken are lost, which is
    /// safe.
    async fn take_tokens(
        &self,
        key: &BudgetKey,
        window: BudgetWindow,
        tokens: NonZeroU32,
    ) -> Result<u64, StoreError>;
}

macro_rules! forward {
    ($type:ty) => {
        #[async_trait]
        impl<B: SharedBudgets + ?Sized> SharedBudgets for $type {
            async fn take_tokens(
                &self,
                key: &BudgetKey,
                window: BudgetWindow,
                tokens: NonZeroU32,
            ) -> Result<u64, StoreError> {
                (**self).take_tokens(key, window, tokens).await
            }
        }
    };
}

forward!(&B);
forward!(Box<B>);
forward!(Arc<B>);
