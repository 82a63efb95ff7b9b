//! Re-sealing: rewriting stored codes under the active key.

use super::{Invitations, Paging};
use crate::{
    actor::Caller,
    code::{InvitationCode, UnsealCause, UnsealError},
    cursor::{Cursor, ListOf},
    decide::{Call, Command, decide},
    draft::IfVersion,
    error::Error,
    event::Action,
    outcome::Outcome,
    policy::Right,
    query::Filter,
    record::Record,
    report,
    scope::Scope,
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    transition::Transition,
};

/// The progress of one page of a re-sealing job, or of a check of the stored codes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResealPage {
    examined: usize,
    outdated: usize,
    resealed: usize,
    unopened: Vec<UnsealError>,
    next: Option<Cursor>,
}

impl ResealPage {
    /// The number of invitations on the page.
    #[must_use]
    pub fn examined(&self) -> usize {
        self.examined
    }

    /// The number of these that were stored under another key, or in another form, and
    /// whose codes could be opened.
    #[must_use]
    pub fn outdated(&self) -> usize {
        self.outdated
    }

    /// The number of these that this call rewrote; 0 for a check. It is less than
    /// [`outdated`](Self::outdated) if others were rotated, re-sealed or deleted meanwhile.
    #[must_use]
    pub fn resealed(&self) -> usize {
        self.resealed
    }

    /// The invitations whose codes cannot be opened, so that they cannot be rewritten. The
    /// [cause](UnsealError::cause) says why. They stay as they are.
    ///
    /// A code that is [not kept](UnsealCause::NotKept) can still be redeemed as long as the
    /// keyring has its key. So can one that is [damaged](UnsealCause::Damaged), unless the
    /// key has another secret than the one under which the code was stored.
    #[must_use]
    pub fn unopened(&self) -> &[UnsealError] {
        &self.unopened
    }

    /// The cursor to continue with; `None` after the last page.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.next
    }
}

/// The rows of a page whose codes are opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    /// The rows that are stored in another way than a new one.
    Outdated,
    /// All rows. This finds a wrong secret under the id of the active key, too.
    All,
}

/// The result of examining one page.
struct Examined {
    progress: ResealPage,
    outdated: Vec<(Record, InvitationCode)>,
    scope: Scope,
}

impl<S: Store> Invitations<S> {
    /// Rewrites stored codes under the active key and in the present form, one page at a
    /// time, beginning with the newest invitation. Continue with [`ResealPage::next`] until
    /// it is `None`. Needs [`Right::Reseal`].
    ///
    /// The job may be interrupted at any point: continue from the last cursor, or begin
    /// again, which skips what is done. It may run beside all other calls, and beside
    /// another job. Each invitation is rewritten in a step of its own, which finds it by its
    /// present digest: an invitation whose code was rotated meanwhile is left alone. Terms,
    /// version, uses and reservations stay. Deleted invitations are passed over.
    ///
    /// A page with something to rewrite leaves one event, with the number of rows and the
    /// key.
    ///
    /// Two calls to the store for each page.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`; [`Error::Invalid`] for an invalid cursor;
    /// [`Error::Store`], [`Error::Entropy`]. After an error, part of the page may be
    /// rewritten.
    pub async fn reseal(
        &self,
        caller: impl Into<Caller<'_>>,
        paging: Paging,
    ) -> Result<ResealPage, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        let Examined { mut progress, outdated, scope } =
            self.examine(caller, &call, paging, Opened::Outdated).await?;
        let mut steps = Vec::with_capacity(outdated.len());
        for (current, code) in &outdated {
            match self.rewritten(current, code, outdated.len(), &scope, &call)? {
                Some(step) => steps.push(step),
                None => return Err(failed(StoreErrorKind::Corrupt)),
            }
        }
        let outcomes = self.store.apply(&steps).await;
        if outcomes.len() != steps.len() {
            return Err(failed(StoreErrorKind::Corrupt));
        }
        for (step, outcome) in steps.iter().zip(outcomes) {
            let outcome = outcome?;
            report::transition(step, &outcome);
            match outcome {
                Outcome::Applied(_) | Outcome::Replayed(_) => progress.resealed += 1,
                // Rotated, re-sealed by another job, deleted or purged since it was listed:
                // there is nothing left to rewrite.
                Outcome::Missing => {}
                Outcome::Refused(facts) if step.guard().first_refusal(&facts).is_some() => {}
                Outcome::Refused(_) | Outcome::QuotaFull(_) | Outcome::CodeTaken => {
                    return Err(failed(StoreErrorKind::Conflict));
                }
            }
        }
        Ok(progress)
    }

    /// Opens all stored codes of a page, those under the active key included, and changes
    /// nothing. Needs [`Right::Reseal`].
    ///
    /// A host calls it for all pages when it starts, and refuses to start if a key is missing
    /// or wrong. [`ResealPage::unopened`] then has:
    ///
    /// - for a missing key, an error with a [`key_id`](UnsealError::key_id);
    /// - for a key with another secret under the same id, an error with the cause
    ///   [`Damaged`](UnsealCause::Damaged).
    ///
    /// Codes under a missing or wrong key cannot be redeemed: they are unknown. Codes that are
    /// [not kept](UnsealCause::NotKept) cannot be checked; the page has them only if they are
    /// stored in another way than a new one.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// As [`reseal`](Self::reseal).
    pub async fn check_seals(
        &self,
        caller: impl Into<Caller<'_>>,
        paging: Paging,
    ) -> Result<ResealPage, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        Ok(self.examine(caller, &call, paging, Opened::All).await?.progress)
    }

    /// Reads a page, and opens codes of it.
    async fn examine(
        &self,
        caller: Caller<'_>,
        call: &Call,
        paging: Paging,
        opened: Opened,
    ) -> Result<Examined, Error> {
        self.permit(caller, call, Right::Reseal, Action::Reseal, None).await?;
        let now = paging.time(call.now);
        let (page, scope) = (paging.page(ListOf::Invitations)?, caller.scope());
        let listing = self.store.list(&scope, &Filter::all(now), &page).await?;
        let examined = listing.items.len();
        let (mut outdated, mut unopened) = (Vec::new(), Vec::new());
        let settings = &self.settings;
        for row in listing.items {
            let is_outdated = settings.sealing.is_outdated(&row.sealed);
            if !is_outdated && opened == Opened::Outdated {
                continue;
            }
            match settings.sealing.open(row.id, &row.sealed, &settings.format) {
                // Rewriting such a row would make a code valid that was never issued.
                Ok(code) if !settings.sealing.digests(&code).contains(&row.digest) => {
                    unopened.push(UnsealError::new(row.id, UnsealCause::Damaged));
                }
                Ok(code) if is_outdated => outdated.push((row, code)),
                Ok(_) => {}
                Err(error) if !is_outdated && *error.cause() == UnsealCause::NotKept => {}
                Err(error) => unopened.push(error),
            }
        }
        let next = listing.next.map(|position| Cursor::behind(ListOf::Invitations, position, now));
        let progress =
            ResealPage { examined, outdated: outdated.len(), resealed: 0, unopened, next };
        Ok(Examined { progress, outdated, scope })
    }

    /// Returns the step that rewrites the code of one invitation of the page; none if the
    /// rules refuse it, which they never do.
    fn rewritten(
        &self,
        current: &Record,
        code: &InvitationCode,
        of: usize,
        scope: &Scope,
        call: &Call,
    ) -> Result<Option<Transition>, Error> {
        let settings = &self.settings;
        let sealing = &settings.sealing;
        let (digest, tag) = (sealing.digest(code), sealing.tag(code));
        let sealed = sealing.seal(current.id, code, self.entropy())?;
        let command = Command::Reseal { current, digest, tag, sealed, of };
        let (policy, limits) = (&settings.policy, &settings.limits);
        Ok(decide(command, scope.clone(), IfVersion::Any, call, policy, limits).ok())
    }
}

fn failed(kind: StoreErrorKind) -> Error {
    StoreError::new(kind, "reseal").into()
}
