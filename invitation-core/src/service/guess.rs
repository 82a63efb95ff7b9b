//! Asking the throttle before a presented code is evaluated.

use std::sync::Arc;

use time::Duration;

use super::{Disclosure, Invitations, evidence::Place};
use crate::{
    actor::Redeemer,
    code::{CodeFormat, InvitationCode},
    decide::Call,
    error::Error,
    event::Action,
    field_error::FieldError,
    refusal::{Refusal, Verdict},
    scope::Scope,
    store::Store,
    throttle::{Attempt, Decision, MAX_WAIT, MIN_BITS_WITHOUT_THROTTLE, Throttle, Token},
    time::in_whole_seconds,
};

/// The right to evaluate one code. Without a throttle there is no token.
///
/// Dropping it counts as a failure. So a caller who drops the call cannot guess for free.
#[derive(Debug)]
#[must_use = "the token is to be given back, unless the guess failed"]
pub(super) struct Guess(Option<Box<dyn Token>>);

impl Guess {
    pub(super) fn end(self, is_failure: bool) {
        match self.0 {
            Some(token) if is_failure => token.spend(),
            Some(token) => token.give_back(),
            None => {}
        }
    }
}

impl<S: Store> Invitations<S> {
    /// Limits failed guesses of codes. [The module `throttle`](crate::throttle) describes what
    /// counts and what it costs.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// # #[cfg(feature = "throttle")] {
    /// use invitation::code::{CodeFormat, throttle::GuessThrottle};
    /// use invitation::{Invitations, MemoryStore};
    ///
    /// // 55 random bits: enough only if the number of guesses is limited.
    /// let short = CodeFormat::new(12)?;
    /// let unlimited = Invitations::new(MemoryStore::new());
    /// assert!(unlimited.with_code_format(short.clone()).is_err());
    ///
    /// let invitations =
    ///     Invitations::new(MemoryStore::new()).with_throttle(GuessThrottle::in_process());
    /// assert_eq!(invitations.with_code_format(short)?.code_format().bits(), 55);
    /// # }
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    #[must_use]
    pub fn with_throttle(self, throttle: impl Throttle + 'static) -> Self {
        self.with(|settings| settings.throttle = Some(Arc::new(throttle)))
    }

    /// Sets the format of codes. Codes of an earlier format with another number of
    /// symbols are still shown, but no longer accepted: change the number only when no
    /// such code is active. A code that was sent with an earlier prefix is accepted if that is a
    /// [former prefix](CodeFormat::with_former_prefix) of the format; else it is a typing mistake.
    ///
    /// A format below [80 bits](MIN_BITS_WITHOUT_THROTTLE) needs a
    /// [throttle](Self::with_throttle): set that first.
    ///
    /// # Errors
    ///
    /// [`FieldError`] for a format below 80 bits on a service without a throttle.
    pub fn with_code_format(self, format: CodeFormat) -> Result<Self, FieldError> {
        if format.bits() < MIN_BITS_WITHOUT_THROTTLE && self.settings.throttle.is_none() {
            let bits = format.bits();
            let message = format!(
                "has {bits} random bits: below {MIN_BITS_WITHOUT_THROTTLE}, set a throttle first"
            );
            return Err(FieldError::new("code_format", message));
        }
        Ok(self.with(|settings| settings.format = format))
    }

    /// Takes the token for evaluating a code. Refuses the call if there is none.
    pub(super) async fn guess(
        &self,
        call: &Call,
        action: Action,
        code: &InvitationCode,
        redeemer: &Redeemer,
    ) -> Result<Guess, Error> {
        let settings = &self.settings;
        let Some(throttle) = &settings.throttle else { return Ok(Guess(None)) };
        let attempt = Attempt {
            source: call.context.source.as_ref(),
            code: &settings.sealing.digest(code),
            bits: settings.format.bits(),
            now: call.now,
            in_transaction: !self.records_itself(),
        };
        match throttle.take(&attempt).await? {
            Decision::Allowed(token) => Ok(Guess(Some(token))),
            Decision::Refused { retry_after } => {
                let division = match redeemer.scope() {
                    Scope::Division(division) => Some(division),
                    Scope::All => None,
                };
                let retry_after = in_whole_seconds(retry_after).clamp(Duration::SECOND, MAX_WAIT);
                let verdict = Verdict::throttled(retry_after);
                Err(self.refuse(call, action, verdict, Place::Division(division)).await)
            }
        }
    }

    /// Returns the verdict to show to the caller, by the host's [`Disclosure`].
    pub(super) fn told(&self, verdict: Verdict) -> Verdict {
        match self.settings.disclosure {
            Disclosure::ToHolder => verdict,
            Disclosure::Nothing => verdict.told_as(Refusal::CodeUnknown),
        }
    }
}
