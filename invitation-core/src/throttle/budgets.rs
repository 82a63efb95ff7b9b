//! The budgets of failed guesses.

use std::num::NonZeroU32;

use crate::field_error::FieldError;

/// The number of failures that each budget allows per minute. Budgets that the host does not set
/// keep their default.
///
/// ```
/// # use invitation_core as invitation;
/// use std::num::NonZeroU32;
///
/// use invitation::code::throttle::{GuessBudgets, GuessThrottle};
///
/// let budgets = GuessBudgets::default().with_per_source(NonZeroU32::new(5).expect("not 0"));
/// assert_eq!(budgets.overall().get(), 600);
/// let throttle = GuessThrottle::in_process().with_budgets(budgets);
/// # let _ = throttle;
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuessBudgets {
    per_source: NonZeroU32,
    per_source_and_code: NonZeroU32,
    overall: NonZeroU32,
}

const fn number(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl Default for GuessBudgets {
    /// 30 failures of one source, 10 of one source with one code, 600 of all sources.
    fn default() -> Self {
        Self { per_source: number(30), per_source_and_code: number(10), overall: number(600) }
    }
}

impl GuessBudgets {
    /// The maximum of failures of one source with one code: the 100 consecutive failures that
    /// NIST SP 800-63B, 3.2.2, allows for one account.
    pub const MAX_PER_SOURCE_AND_CODE: u32 = 100;

    /// Sets the failures per minute of one source: 30 by default.
    #[must_use]
    pub fn with_per_source(self, failures: NonZeroU32) -> Self {
        Self { per_source: failures, ..self }
    }

    /// Sets the failures per minute of one source with one code: 10 by default. It limits
    /// guesses of the address that a code is bound to.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if `failures` exceeds
    /// [`MAX_PER_SOURCE_AND_CODE`](Self::MAX_PER_SOURCE_AND_CODE).
    pub fn with_per_source_and_code(self, failures: NonZeroU32) -> Result<Self, FieldError> {
        if failures.get() <= Self::MAX_PER_SOURCE_AND_CODE {
            Ok(Self { per_source_and_code: failures, ..self })
        } else {
            let message = format!("must be at most {}", Self::MAX_PER_SOURCE_AND_CODE);
            Err(FieldError::new("per_source_and_code", message))
        }
    }

    /// Sets the failures per minute of all sources together: 600 by default.
    #[must_use]
    pub fn with_overall(self, failures: NonZeroU32) -> Self {
        Self { overall: failures, ..self }
    }

    /// Returns the failures per minute of one source.
    #[must_use]
    pub fn per_source(&self) -> NonZeroU32 {
        self.per_source
    }

    /// Returns the failures per minute of one source with one code.
    #[must_use]
    pub fn per_source_and_code(&self) -> NonZeroU32 {
        self.per_source_and_code
    }

    /// Returns the failures per minute of all sources together.
    #[must_use]
    pub fn overall(&self) -> NonZeroU32 {
        self.overall
    }
}
