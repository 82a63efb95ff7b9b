//! Limits on wrong guesses of codes.
//!
//! A [`Throttle`] is asked before the store, by every call that evaluates a presented code:
//! [`redeem`](crate::Invitations::redeem), [`reserve`](crate::Invitations::reserve),
//! [`redeem_with`](crate::Invitations::redeem_with), [`check`](crate::Invitations::check),
//! [`admit`](crate::Invitations::admit) and [`admit_with`](crate::Invitations::admit_with). A
//! code with a typing mistake never reaches it. Without a throttle, none of this costs
//! anything. One line turns it on:
//!
//! ```
//! # use invitation_core as invitation;
//! # #[cfg(feature = "throttle")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use invitation::code::throttle::GuessThrottle;
//! use invitation::{Invitations, MemoryStore, Redeemer, Refusal, UserId, Username};
//! # use invitation::code::OsEntropy;
//!
//! let invitations =
//!     Invitations::new(MemoryStore::new()).with_throttle(GuessThrottle::in_process());
//!
//! let stranger = Redeemer::new(UserId::new("u-1")?, Username::new("eve")?);
//! let mut refusals = Vec::new();
//! for _ in 0..31 {
//!     let guess = invitations.code_format().generate(&OsEntropy)?.reveal();
//!     let error = invitations.redeem(&guess, &stranger).await.unwrap_err();
//!     refusals.extend(error.refusal().cloned());
//! }
//! assert_eq!(refusals[29], Refusal::CodeUnknown);
//! assert!(matches!(refusals[30], Refusal::TooManyRequests { .. }));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "throttle"))]
//! # fn main() {}
//! ```
//!
//! # What counts
//!
//! Only failures count. A failure is a well-formed code that the caller is told is unknown, or
//! that is refused because an address is not proved. So a code that was used, has expired or
//! was revoked counts nothing: its holder knows it. Under
//! [`Disclosure::Nothing`](crate::Disclosure::Nothing) every refusal counts, because it looks
//! like that of an unknown code. A failure of the store counts nothing.
//!
//! Calls take a token before the code is evaluated, and give it back unless they fail.
//! Concurrent guesses therefore never exceed a budget. A call that was dropped counts as a
//! failure, because its guess may have been evaluated. The success of one caller, and a new code, give no
//! token back.
//!
//! # The budgets
//!
//! | budget, of failures per minute | default | when it is exhausted |
//! |---|---|---|
//! | of one source | 30 | further calls of the source are refused |
//! | of one source with one code | 10 | further calls of the source with this code are refused |
//! | of all sources together | 600 | below 80 bits all calls are refused; from 80 bits on, an alarm is reported once a minute |
//!
//! - A minute begins when the clock's minute does. So two budgets may fall into one minute that
//!   begins elsewhere, and nobody waits for longer than 60 seconds.
//! - NIST SP 800-63B, 3.2.2, allows 100 consecutive failures for one account. The budget of a
//!   source with a code is therefore at most 100. There is no lock-out, because strangers could
//!   lock a code with it.
//! - With 55 bits, the shortest format, and 10,000 active codes, 600 guesses a minute find a code
//!   within 30 days with a probability below 1 in 100,000
//!   (10,000 × 600 × 43,200 / 2⁵⁵ ≈ 7 × 10⁻⁶).
//! - Calls under way hold their tokens. A call that finds the last tokens held waits for one of
//!   those calls to end, or for the first call of another minute. Inside a host's transaction it is
//!   refused instead, and so are waiting calls beyond 1,000: they may try again after one second.
//! - A call holds its token until its future is done or dropped. A host that keeps futures without
//!   polling them keeps their tokens from other calls.
//!
//! # The source
//!
//! The source is [`RequestContext::source`](crate::RequestContext::source), which the host sets.
//!
//! - An IPv4 address counts as itself, also with a port or as an IPv6 address that maps it.
//! - An IPv6 address counts by its first 64 bits, in any spelling: a customer gets at least one
//!   such prefix, and usually more (RFC 6177). The overall budget limits many prefixes.
//! - Any other text counts as itself. A host whose newcomers have signed in can give the account.
//! - All calls without a source share one budget.
//!
//! Callers of one source share its budget. While a flood from the same source takes every token,
//! the holder of a code competes with it. A holder elsewhere does not notice the flood. Behind a
//! reverse proxy the host must take the address from the proxy, and never from a header that
//! clients can set.
//!
//! # Several processes
//!
//! `GuessThrottle::in_process` (feature `throttle`) counts within one process: after a restart,
//! or in a second process, the budgets are whole. `GuessThrottle::shared` counts in
//! [`SharedBudgets`], which every store of this library implements. Then a process takes tokens
//! in blocks of a third of a budget. Until its first block arrives it may use one block in
//! advance, so that a call without failures costs no round trip. All processes together evaluate
//! at most the budget and one block for each process.
//!
//! One call at a time asks for a block of a budget. Calls that wait for the block drive the question
//! too, so that it is answered although the call that asked first is not polled any more. If the
//! store fails, all of them return its error.
//!
//! The clocks of all processes must agree. A process whose clock is ahead takes the budgets that it
//! uses into its minute, and so the budget of all sources. The other processes count in that minute
//! until their clocks reach it. If the wrong clock is corrected, these budgets stay as they are until
//! then, and may stay exhausted.
//!
//! Inside a host's transaction ([`on`](crate::Invitations::on) a joined store), a process asks no
//! other: the write could wait for that very transaction. There the block is the budget of the
//! process. [`admit`](crate::Invitations::admit) takes its token before the transaction begins.
//!
//! Budgets are kept under SHA-256 hashes of sources. A hash of an IPv4 address can be reversed by
//! trying all addresses: treat the rows as personal data. They are removed after two minutes, with
//! the next failure. On Redis each failure removes some of them. The hash for a code is made from its digest, which is keyed under a keyring.
//!
//! # Short codes
//!
//! [`with_code_format`](crate::Invitations::with_code_format) refuses formats below
//! [`MIN_BITS_WITHOUT_THROTTLE`] bits on a service without a throttle.

#[cfg(all(test, feature = "throttle"))]
mod asking_tests;
#[cfg(feature = "throttle")]
mod buckets;
#[cfg(feature = "throttle")]
mod budgets;
#[cfg(feature = "throttle")]
mod counts;
#[cfg(feature = "throttle")]
mod guess_throttle;
mod shared;
#[cfg(feature = "throttle")]
mod source;

use std::fmt;

use async_trait::async_trait;
use time::Duration;

pub use self::shared::{BudgetCount, BudgetKey, BudgetWindow, SharedBudgets};
#[cfg(feature = "throttle")]
pub use self::{budgets::GuessBudgets, guess_throttle::GuessThrottle};
use crate::{code::CodeDigest, store_error::StoreError, text::Source, time::Timestamp};

/// The number of random bits below which a code format needs a throttle: 80. With 10,000
/// active codes and 100 guesses a second for 30 days, 80 bits yield 2 × 10⁻¹² hits.
pub const MIN_BITS_WITHOUT_THROTTLE: u32 = 80;

/// The maximum time that a throttle makes a caller wait: 60 seconds.
pub const MAX_WAIT: Duration = Duration::MINUTE;

/// One presentation of a code.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The source that the host gave for the request.
    pub source: Option<&'a Source>,
    /// The digest of the presented code.
    pub code: &'a CodeDigest,
    /// The number of random bits of a code.
    pub bits: u32,
    /// The time of the call.
    pub now: Timestamp,
    /// Whether the call runs inside a transaction of the host. The throttle then must not wait
    /// for other work on the host's database.
    pub in_transaction: bool,
}

/// The answer of a throttle.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum Decision {
    /// The code may be evaluated.
    Allowed(Box<dyn Token>),
    /// The code must not be evaluated.
    Refused {
        /// The time after which the caller may try again, at most [`MAX_WAIT`].
        retry_after: Duration,
    },
}

/// The right to evaluate one code.
///
/// A token that is dropped without one of these calls MUST count as a failure: its call was
/// cancelled, and its guess may have been evaluated.
pub trait Token: fmt::Debug + Send + Sync {
    /// Gives the token back, because the attempt was no failure.
    fn give_back(self: Box<Self>);

    /// Counts the attempt as a failure.
    fn spend(self: Box<Self>);
}

/// A limit on failed guesses, which the service asks before it evaluates a code.
///
/// # For implementors
///
/// - A token MUST be taken within `take`. A throttle that only looks whether one is left lets
///   concurrent guesses through.
/// - A caller MUST NOT be made to wait longer than [`MAX_WAIT`].
#[async_trait]
pub trait Throttle: fmt::Debug + Send + Sync {
    /// Takes a token for one attempt, or refuses it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it is not known whether a token is left. The code is then not
    /// evaluated, and the call returns this error.
    async fn take(&self, attempt: &Attempt<'_>) -> Result<Decision, StoreError>;
}
