//! The parts of an import that is a job. Its worker needs no codes, so a repeated part needs none of
//! the rights and keys that showing codes needs.

use super::{
    Answer, DenialEvidence, ImportRow, ImportedRow, OutcomeKind, PartedImport, RowOutcome,
    RowWarning, kept,
};
use crate::{
    actor::Actor,
    error::Error,
    hooks::CommandKind,
    id::{BatchId, InvitationId},
    page::PageRequest,
    query::Filter,
    request::PriorRequest,
    scope::Scope,
    service::{Invitations, hooks::send},
    store::Store,
    time::Timestamp,
};

/// The number of invitations of one notification of a batch, at most.
const NOTICE_PAGE: u32 = 1_000;

/// An import that a worker begins, or continues after another one.
#[derive(Debug)]
pub(crate) struct JobImport {
    pub(crate) parted: PartedImport,
    /// Whether the store may have the next part already, because an earlier worker has created it.
    looks_back: bool,
    /// Whether the evidence of a denial was left.
    has_denial: bool,
}

impl JobImport {
    /// Asks the store for the result of each part before the part is judged anew, until a part is
    /// new.
    pub(crate) fn new(parted: PartedImport) -> Self {
        Self { parted, looks_back: true, has_denial: false }
    }
}

/// The result of a row of a part.
#[derive(Debug)]
pub(crate) struct PartRow {
    pub(crate) outcome: PartOutcome,
    pub(crate) warnings: Vec<RowWarning>,
}

/// The outcome of a row of a part, without the code.
#[derive(Debug)]
pub(crate) enum PartOutcome {
    Created { id: InvitationId, at: Timestamp },
    Other(RowOutcome),
}

impl PartOutcome {
    pub(crate) fn kind(&self) -> OutcomeKind {
        match self {
            Self::Created { .. } => OutcomeKind::Created,
            Self::Other(other) => other.kind(),
        }
    }
}

impl From<ImportedRow> for PartRow {
    fn from(row: ImportedRow) -> Self {
        let outcome = match row.outcome {
            RowOutcome::Created(created) => {
                let invitation = created.invitation();
                PartOutcome::Created { id: invitation.id(), at: invitation.created_at() }
            }
            other => PartOutcome::Other(other),
        };
        Self { outcome, warnings: row.warnings }
    }
}

impl<S: Store> Invitations<S> {
    /// Creates the invitations of the next part, as [`import_part`](Self::import_part) does. The
    /// result of a part that an earlier worker has stored does not depend on the present rights and
    /// keys: its invitations exist.
    pub(crate) async fn import_job_part(
        &self,
        actor: &Actor,
        import: &mut JobImport,
        rows: Vec<ImportRow>,
    ) -> Result<Vec<PartRow>, Error> {
        let call = self.call_by(actor.into())?;
        let JobImport { parted, looks_back, .. } = import;
        let (key, hashes) = (parted.key()?, parted.hashes(&rows));
        let part = parted.import(rows);
        let mut answer = None;
        if *looks_back {
            let request = part.request(&call, &key);
            let known = self.known(Some(&request)).await?;
            *looks_back = known.is_some();
            answer = known.map(|known| Answer::Known(known, Some(request)));
        }
        let answer = if let Some(known) = answer {
            known
        } else {
            let earlier = parted.earlier();
            self.import_after(actor.into(), &call, part, Some(&key), &earlier).await?
        };
        let rows = match answer {
            Answer::New(rows) => rows.into_iter().map(PartRow::from).collect(),
            Answer::Known(known, request) => {
                self.must_be_same(actor.into(), &call, &known, request.as_ref(), None).await?;
                stored_part(known)?
            }
        };
        parted.end_part(hashes, rows.iter().map(|row| row.outcome.kind()));
        Ok(rows)
    }
}

impl<S: Store> Invitations<S> {
    /// Returns the result that each row of the next part would have, and creates nothing. Leaves the
    /// evidence of the first denial of the import: the import fails by it, and nothing else does.
    pub(crate) async fn check_job_part(
        &self,
        actor: &Actor,
        import: &mut JobImport,
        rows: Vec<ImportRow>,
    ) -> Result<Vec<PartRow>, Error> {
        let JobImport { parted, has_denial, .. } = import;
        let (hashes, part) = (parted.hashes(&rows), parted.import(rows));
        let evidence = if *has_denial { DenialEvidence::None } else { DenialEvidence::First };
        let rows = self.rehearse_after(actor.into(), part, &parted.earlier(), evidence).await?;
        // A rehearsal refuses rows for nothing but missing rights.
        *has_denial |= rows.iter().any(|row| matches!(row.outcome, RowOutcome::Refused(_)));
        parted.end_part(hashes, rows.iter().map(|row| row.outcome.kind()));
        Ok(rows.into_iter().map(PartRow::from).collect())
    }

    /// Notifies the hooks of the invitations of a batch that the service has created in a
    /// transaction of its own, a page at a time. At a failure of the store, the rest is not
    /// notified of.
    pub(crate) async fn notify_of_batch(&self, actor: &Actor, batch: BatchId) -> Result<(), Error> {
        let mut after = None;
        while self.has_hooks() {
            let call = self.call_by(actor.into())?;
            let filter = Filter { batch: Some(batch), ..Filter::all(call.now) };
            let page = PageRequest { after, limit: NOTICE_PAGE };
            let page = self.store.list(&Scope::All, &filter, &page).await?;
            if !page.items.is_empty() {
                send(self.notice(CommandKind::CreateMany, &call, &page.items)).await;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }
}

fn stored_part(mut known: PriorRequest) -> Result<Vec<PartRow>, Error> {
    let results = known.results.take();
    let results = results.as_ref().ok_or_else(kept::corrupt)?;
    let created = known.invitations.iter().map(|one| (one.id, one.created_at));
    kept::read(results, created, |outcome, warnings| {
        let outcome = match outcome {
            Ok((id, at)) => PartOutcome::Created { id, at },
            Err(other) => PartOutcome::Other(other),
        };
        PartRow { outcome, warnings }
    })
}
