//! Storing the accepted rows of an import, and returning the results of an earlier time.

use super::{
    Answer, ImportMode, Imported, ImportedRow, RowOutcome,
    judged::{Candidate, Judged},
    kept,
    quota::{self, Rooms},
};
use crate::{
    actor::Caller,
    decide::Call,
    error::Error,
    event::Action,
    hooks::CommandKind,
    id::BatchId,
    refusal::Verdict,
    request::{IdempotentRequest, PriorRequest},
    service::{
        Invitations,
        evidence::Place,
        hooks::send,
        issue::{Accepted, Drawn},
    },
    store::{Insert, Inserted, Store},
    store_error::{StoreError, StoreErrorKind},
};

/// The maximum number of attempts at storing beyond one for each quota that has no room for all
/// rows. Concurrent calls may take what a quota had left.
const FURTHER_ROUNDS: usize = 32;

impl<S: Store> Invitations<S> {
    /// Stores the accepted rows, as many as the quotas have room for, in one step with
    /// the key.
    pub(super) async fn store_import(
        &self,
        caller: Caller<'_>,
        call: &Call,
        judged: Judged,
        mode: ImportMode,
        request: Option<IdempotentRequest>,
        batch: Option<BatchId>,
    ) -> Result<Answer, Error> {
        let Judged { mut rows, accepted: candidates, .. } = judged;
        let batch = match batch {
            Some(batch) => Some(batch),
            None => Some(self.state.ids.batch(call.now, self.entropy())?),
        };
        let mut rooms = Rooms::default();
        for _ in 0..quota::number(&candidates) + FURTHER_ROUNDS {
            let full = rooms.refuse(&candidates);
            let places: Vec<_> = candidates
                .iter()
                .map(|one| one.row)
                .filter(|row| full.binary_search_by_key(row, |(refused, _)| *refused).is_err())
                .collect();
            let terms = candidates.iter().filter(|one| places.binary_search(&one.row).is_ok());
            let terms = terms.map(|one| (one.terms.clone(), one.call.clone())).collect();
            let accepted = Accepted { terms, batch };
            let request = request.as_ref().map(|request| IdempotentRequest {
                results: Some(kept::write(&rows, &places, &full)),
                ..request.clone()
            });
            let drawn = if places.is_empty() {
                self.store_key(request).await?
            } else {
                self.store_drawn(call, &accepted, request).await?
            };
            match drawn {
                Drawn::Made(created) => {
                    if !created.is_empty() {
                        let records = created.iter().map(|one| one.invitation().record());
                        send(self.notice(CommandKind::CreateMany, call, records)).await;
                    }
                    for (row, created) in places.into_iter().zip(created) {
                        rows[row].outcome = RowOutcome::Created(Box::new(created));
                    }
                    self.refuse_full(caller, &candidates, full, &mut rows).await;
                    return Ok(Answer::New(rows));
                }
                Drawn::KeyKnown(known, request) => {
                    return Ok(Answer::Known(known, request));
                }
                Drawn::Full { of, verdict, .. } if mode == ImportMode::AllOrNone => {
                    let place = Place::named_or_home(accepted.about(&of), caller);
                    return Err(self.refuse(call, Action::Create, verdict, place).await);
                }
                Drawn::Full { of, room, verdict } => {
                    rooms.learn(of, room, verdict, &accepted.terms);
                }
            }
        }
        Err(StoreError::new(StoreErrorKind::Conflict, "import").into())
    }

    /// Stores only the key, if there is one.
    async fn store_key(&self, request: Option<IdempotentRequest>) -> Result<Drawn, Error> {
        if request.is_none() {
            return Ok(Drawn::Made(Vec::new()));
        }
        let insert = Insert { rows: Vec::new(), quotas: Vec::new(), request };
        match self.store.insert(&insert).await? {
            Inserted::KeyKnown(known) => Ok(Drawn::KeyKnown(known, insert.request)),
            _ => Ok(Drawn::Made(Vec::new())),
        }
    }

    /// Returns the stored result of an earlier request under the key, if there is one.
    pub(in crate::service) async fn known(
        &self,
        request: Option<&IdempotentRequest>,
    ) -> Result<Option<PriorRequest>, Error> {
        let Some(request) = request.cloned() else { return Ok(None) };
        let insert = Insert { rows: Vec::new(), quotas: Vec::new(), request: Some(request) };
        match self.store.insert(&insert).await? {
            Inserted::KeyKnown(known) => Ok(Some(known)),
            _ => Ok(None),
        }
    }

    /// Returns the results of the first time, with the current codes.
    pub(super) async fn give_again(
        &self,
        caller: Caller<'_>,
        call: &Call,
        mut known: PriorRequest,
        request: Option<IdempotentRequest>,
    ) -> Result<Imported, Error> {
        let results = known.results.take();
        let created = self.replay(caller, call, known, request, None).await?;
        let results = results.as_ref().ok_or_else(kept::corrupt)?;
        let rows = kept::read(results, created, |outcome, warnings| {
            let created = outcome.map(|created| RowOutcome::Created(Box::new(created)));
            ImportedRow { outcome: created.unwrap_or_else(|other| other), warnings }
        })?;
        Ok(Imported { rows, is_replayed: true })
    }

    /// Refuses the rows for which a quota had no room. The other rows are already
    /// created, so a refusal that cannot be recorded is reported for its row only.
    async fn refuse_full(
        &self,
        caller: Caller<'_>,
        candidates: &[Candidate],
        full: Vec<(usize, Verdict)>,
        rows: &mut [ImportedRow],
    ) {
        for (row, verdict) in full {
            let Ok(n) = candidates.binary_search_by_key(&row, |one| one.row) else { continue };
            let one = &candidates[n];
            let place = Place::named_or_home(Some(one.terms.division().clone()), caller);
            let refused = self.refuse(&one.call, Action::Create, verdict, place).await;
            rows[row].outcome = match refused {
                Error::Refused(refused) => RowOutcome::Refused(refused),
                error => RowOutcome::Failed(Box::new(error)),
            };
        }
    }
}
