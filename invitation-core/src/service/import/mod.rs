//! Imports: many drafts at once, each with an outcome of its own, executed once for each
//! key.

mod asked;
#[cfg(feature = "files")]
mod batch;
mod duplicates;
#[cfg(feature = "files")]
mod job_part;
mod judged;
mod kept;
mod parted;
mod quota;
mod storing;

pub use self::asked::{
    Duplicates, Import, ImportMode, ImportRow, Imported, ImportedRow, OutcomeKind, RowOutcome,
    RowWarning,
};
#[cfg(feature = "files")]
pub(crate) use self::job_part::{JobImport, PartOutcome, PartRow};
pub use self::parted::PartedImport;
use self::{
    duplicates::Mailbox,
    judged::{Candidate, Denied, Judged},
    parted::Earlier,
};
use super::{Created, Invitations, evidence::Place};
use crate::{
    actor::Caller,
    decide::{Call, Rejected, Terms},
    error::Error,
    event::Action,
    field_error::{FieldError, ValidationErrors},
    hooks::CommandKind,
    policy::Right,
    refusal::Refused,
    request::{IdempotencyKey, IdempotentRequest, PriorRequest},
    store::Store,
    store_error::{StoreError, StoreErrorKind},
};

/// The answer to an import under a key.
enum Answer {
    /// The results of this call.
    New(Vec<ImportedRow>),
    /// What an earlier call stored under the key.
    Known(PriorRequest, Option<IdempotentRequest>),
}

/// The denials of a rehearsal that are recorded.
#[derive(Clone, Copy, Default)]
enum DenialEvidence {
    #[default]
    None,
    /// The first one, as an import of all rows or none records it.
    #[cfg_attr(not(feature = "files"), expect(dead_code, reason = "only a job records it"))]
    First,
}

impl<S: Store> Invitations<S> {
    /// Creates the invitations of an import, and returns the result of each row. All
    /// created invitations share a [batch](crate::Invitation::batch) and are stored in
    /// one atomic step, together with the key.
    ///
    /// A row gets a [warning](RowWarning) if an earlier row has the same mailbox, or if
    /// its mailbox has an active invitation to the row's division at the time of the
    /// call. Such a row is skipped unless the import says otherwise ([`Duplicates`]). The
    /// check takes no lock: two concurrent imports may both create an invitation for the
    /// same mailbox.
    ///
    /// An import under a key is executed once in both modes. If the same user repeats it
    /// under the same key, the call returns the results of the first time
    /// ([`Imported::is_replayed`]), with the current codes. The key is kept until one of
    /// the invitations is [purged](Self::purge); if none was created, for [24
    /// hours](IdempotentRequest::KEPT_WITHOUT_INVITATIONS). An import that fails as a whole stores
    /// no key.
    ///
    /// One round trip, one more if there are addresses, one for each refusal, and one for
    /// each quota that has no room for all rows.
    ///
    /// # Errors
    ///
    /// - [`Error::Refused`]: `Forbidden`; `IdempotencyKeyReused` when a different request
    ///   was made under the key, even if only the mode differs; and as for
    ///   [`create_once`](Self::create_once) if the invitations have changed since then.
    /// - [`Error::Invalid`] when there are no rows, or too many.
    /// - With [`ImportMode::AllOrNone`]: the invalid [fields](FieldError::line) of all rows;
    ///   if there are none, the first refusal. A skipped row is no failure.
    /// - [`Error::Store`], [`Error::Entropy`].
    pub async fn import(
        &self,
        caller: impl Into<Caller<'_>>,
        import: Import,
        key: Option<&IdempotencyKey>,
    ) -> Result<Imported, Error> {
        self.import_or_replay(caller.into(), import, key, &Earlier::default()).await
    }

    /// Creates the invitations of an import, or returns what an earlier call created under the key.
    async fn import_or_replay(
        &self,
        caller: Caller<'_>,
        import: Import,
        key: Option<&IdempotencyKey>,
        earlier: &Earlier<'_>,
    ) -> Result<Imported, Error> {
        let call = self.call_by(caller)?;
        match self.import_after(caller, &call, import, key, earlier).await? {
            Answer::New(rows) => Ok(Imported { rows, is_replayed: false }),
            Answer::Known(known, request) => self.give_again(caller, &call, known, request).await,
        }
    }

    /// Creates the invitations of an import, which may be a part of a larger one.
    async fn import_after(
        &self,
        caller: Caller<'_>,
        call: &Call,
        import: Import,
        key: Option<&IdempotencyKey>,
        earlier: &Earlier<'_>,
    ) -> Result<Answer, Error> {
        self.permit(caller, call, Right::Bulk, Action::Create, None).await?;
        self.check_number(import.rows.len())?;
        let request = key.map(|key| import.request(call, key));
        let asked = import.asked();
        let mut judged = self.judge(import.rows, caller, call)?;
        if judged.has_failures() {
            // An input that is invalid now may have been valid the first time, so look up
            // the key first.
            if let Some(known) = self.known(request.as_ref()).await?
                && request.as_ref().is_some_and(|request| request.made(&known))
            {
                return Ok(Answer::Known(known, request));
            }
            if asked.mode == ImportMode::AllOrNone {
                return Err(self.fail(caller, judged).await);
            }
        }
        self.record_denials(caller, &mut judged).await?;
        self.warn(&mut judged, call, asked, earlier).await?;
        if self.has_hooks() && !judged.accepted.is_empty() {
            if let Some(known) = self.known(request.as_ref()).await? {
                return Ok(Answer::Known(known, request));
            }
            let terms = judged.accepted.iter().map(|one| one.terms.for_hooks(call.inviter()));
            let intent = self.intent_to_create(CommandKind::CreateMany, call, terms);
            let place = Place::named_or_home(None, caller);
            self.consent_or_refuse(intent, call, Action::Create, place).await?;
        }
        self.store_import(caller, call, judged, asked.mode, request, earlier.batch).await
    }

    /// Returns the result that each row would have, with the same warnings, and creates
    /// nothing. It does not check quotas, and records nothing.
    ///
    /// No round trip, or one if there are addresses.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`; [`Error::Invalid`] when there are no rows, or too
    /// many; [`Error::Store`], [`Error::Entropy`].
    pub async fn rehearse(
        &self,
        caller: impl Into<Caller<'_>>,
        import: Import,
    ) -> Result<Vec<ImportedRow>, Error> {
        self.rehearse_after(caller.into(), import, &Earlier::default(), DenialEvidence::None).await
    }

    /// Rehearses an import, which may be a part of a larger one.
    async fn rehearse_after(
        &self,
        caller: Caller<'_>,
        import: Import,
        earlier: &Earlier<'_>,
        mut evidence: DenialEvidence,
    ) -> Result<Vec<ImportedRow>, Error> {
        let call = self.call_by(caller)?;
        self.permit(caller, &call, Right::Bulk, Action::Create, None).await?;
        self.check_number(import.rows.len())?;
        let asked = import.asked();
        let mut judged = self.judge(import.rows, caller, &call)?;
        for Denied { row, verdict, named, call } in judged.denied.drain(..) {
            let refused = match std::mem::take(&mut evidence) {
                DenialEvidence::None => Refused::new(verdict.refusal().clone(), Vec::new()),
                DenialEvidence::First => {
                    let place = Place::named_or_home(named, caller);
                    match self.refuse(&call, Action::Create, verdict, place).await {
                        Error::Refused(refused) => refused,
                        error => return Err(error),
                    }
                }
            };
            judged.rows[row].outcome = RowOutcome::Refused(refused);
        }
        self.warn(&mut judged, &call, asked, earlier).await?;
        Ok(judged.rows)
    }

    /// Checks each row separately: its bounds, then the actor's rights.
    fn judge(
        &self,
        rows: Vec<ImportRow>,
        caller: Caller<'_>,
        call: &Call,
    ) -> Result<Judged, Error> {
        let (policy, limits) = (&self.settings.policy, &self.settings.limits);
        let mut judged = Judged { rows: Vec::new(), denied: Vec::new(), accepted: Vec::new() };
        for (row, asked) in rows.into_iter().enumerate() {
            let mut outcome = RowOutcome::Valid;
            match asked {
                ImportRow::Unreadable(_) => outcome = RowOutcome::Unreadable,
                ImportRow::Draft(draft) => {
                    let id = self.state.ids.event(call.now, self.entropy())?;
                    let call = Call { id, ..call.clone() };
                    match Terms::of(draft, caller, &call, policy, limits) {
                        Ok(terms) => judged.accepted.push(Candidate { row, terms, call }),
                        Err(Rejected::Invalid(found)) => outcome = RowOutcome::Invalid(found),
                        Err(Rejected::Denied { verdict, named }) => {
                            judged.denied.push(Denied { row, verdict, named, call });
                        }
                    }
                }
            }
            judged.rows.push(ImportedRow { outcome, warnings: Vec::new() });
        }
        Ok(judged)
    }

    /// Adds warnings to rows whose mailbox is invited already or occurs twice, and
    /// removes the rows to be skipped.
    async fn warn(
        &self,
        judged: &mut Judged,
        call: &Call,
        asked: asked::Asked,
        earlier: &Earlier<'_>,
    ) -> Result<(), Error> {
        let invitees: Vec<_> =
            judged.accepted.iter().filter_map(|one| one.terms.invitee()).collect();
        let invited = match invitees.as_slice() {
            [] => Vec::new(),
            some => self.store.are_invited(some, call.now).await?,
        };
        if invited.len() != invitees.len() {
            return Err(StoreError::new(StoreErrorKind::Corrupt, "import").into());
        }
        let mut answers = invitees.into_iter().zip(invited);
        let mailboxes: Vec<_> = judged
            .accepted
            .iter()
            .map(|Candidate { row, terms, .. }| {
                let row = *row;
                if terms.invitee().is_none() {
                    return Mailbox::none(row, terms.is_for_anyone());
                }
                answers.next().map_or(Mailbox::none(row, false), |(invitee, is_invited)| {
                    Mailbox::of(row, invitee.address, is_invited)
                })
            })
            .collect();
        let mut skipped = Vec::new();
        for found in duplicates::find(mailboxes, asked.expects_addresses, earlier) {
            let row = &mut judged.rows[found.row];
            row.warnings = found.warnings;
            if found.is_duplicate && asked.duplicates == Duplicates::Skip {
                row.outcome = RowOutcome::Skipped;
                skipped.push(found.row);
            }
        }
        judged.accepted.retain(|one| skipped.binary_search(&one.row).is_err());
        Ok(())
    }

    /// Records the refusals for missing rights, before anything is created.
    async fn record_denials(&self, caller: Caller<'_>, judged: &mut Judged) -> Result<(), Error> {
        for Denied { row, verdict, named, call } in judged.denied.drain(..) {
            let place = Place::named_or_home(named, caller);
            match self.refuse(&call, Action::Create, verdict, place).await {
                Error::Refused(refused) => {
                    judged.rows[row].outcome = RowOutcome::Refused(refused);
                }
                error => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns the error of an all-or-none import.
    async fn fail(&self, caller: Caller<'_>, judged: Judged) -> Error {
        let mut wrong = Vec::new();
        for (row, judged) in judged.rows.into_iter().enumerate() {
            match judged.outcome {
                RowOutcome::Invalid(found) => wrong.extend(found.at_line(row)),
                RowOutcome::Unreadable => {
                    wrong.push(FieldError::new("drafts", "cannot be read").at_line(row));
                }
                _ => {}
            }
        }
        match judged.denied.into_iter().next() {
            Some(Denied { verdict, named, call, .. }) if wrong.is_empty() => {
                let place = Place::named_or_home(named, caller);
                self.refuse(&call, Action::Create, verdict, place).await
            }
            _ => ValidationErrors::new(wrong).into(),
        }
    }
}

impl Imported {
    /// The created invitations, in the order of the rows.
    pub fn created(&self) -> impl Iterator<Item = &Created> {
        self.rows.iter().filter_map(|row| match &row.outcome {
            RowOutcome::Created(created) => Some(&**created),
            _ => None,
        })
    }
}
