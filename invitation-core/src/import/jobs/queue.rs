//! The imports of a store: ordering, listing, cancelling and removing them.

use std::{num::NonZeroU32, sync::Arc};

use time::Duration;

use super::{
    ImportJob, ImportOrder, ImportPreview, ImportResults, ImportState, Spool, SpoolError,
    SpoolFile, Upload,
    evidence::Step,
    job::{Kept, key, kind, state_of},
    results::ResultSource,
};
use crate::{
    actor::Actor,
    cursor::{Cursor, ListOf},
    documents::{DocumentFilter, DocumentName, Documents},
    error::Error,
    event::Event,
    id::BatchId,
    limits::Limits,
    page::{Page, PageRequest},
    policy::Right,
    query::Position,
    report,
    scope::Scope,
    service::{Invitations, Paging},
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    time::Timestamp,
};

/// The default time in which a worker must create a part.
const LEASE: Duration = Duration::minutes(10);

/// The default maximum size of a file: a million rows have about 100 MB.
const MAX_BYTES: u64 = 500_000_000;

/// The maximum number of pages of imports in each state that one call removes.
const REMOVALS: u32 = 100;

/// The number of attempts at changing a document that others change, too.
const TRIES: usize = 8;

/// The imports of a store as jobs. The [module](super) describes their life.
///
/// It is cheap to clone. Every call needs the right to [`Bulk`](Right::Bulk); an actor of one
/// division sees the imports of actors of that division only.
///
/// ```
/// # use invitation_core as invitation;
/// use std::sync::Arc;
///
/// use invitation::import::{file::FileFormat, jobs::{ImportOrder, ImportState, Imports, MemorySpool}};
/// use invitation::{Actor, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Arc::new(MemoryStore::new());
/// let invitations = Invitations::new(Arc::clone(&store));
/// let imports = Imports::new(store, MemorySpool::new());
/// let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?);
///
/// let mut upload = imports.upload(&invitations, &admin, ImportOrder::new(FileFormat::Csv)).await?;
/// upload.write(b"email,role,division\nanna@example.com,staff,sales\nben,staff,sales\n").await?;
/// let id = upload.submit(&invitations, None).await?.job.id();
///
/// // A task of the host does this.
/// let _ = imports.run(&invitations).await?;
///
/// let job = imports.get(&invitations, &admin, id).await?;
/// assert_eq!(job.state(), ImportState::Done);
/// assert_eq!((job.progress().created, job.progress().invalid), (1, 1));
/// let mut results = imports.results(&invitations, &admin, id).await?;
/// let rows = results.next_page(&invitations).await?;
/// assert!(rows[0].code.is_some());
/// assert!(rows[1].errors[0].starts_with("email: must be"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Imports {
    pub(super) documents: Arc<dyn Documents>,
    pub(super) spool: Arc<dyn Spool>,
    pub(super) lease: Duration,
    pub(super) max_bytes: u64,
}

/// The reason why a call about an import did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The call was refused, or the store failed.
    #[error(transparent)]
    Service(#[from] Error),
    /// The spool failed.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The file is larger than the maximum.
    #[error("the file must not be larger than {max} bytes")]
    TooLarge {
        /// The maximum, in bytes.
        max: u64,
    },
    /// There is no such import within the actor's reach.
    #[error("there is no such import")]
    NotFound,
    /// The import has not come to its end.
    #[error("the import has not ended yet")]
    NotEnded,
    /// The import has come to its end, or can no longer be stopped.
    #[error("the import has ended, or is being written")]
    Ended,
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl Imports {
    /// Creates the imports on the documents of a store and a spool.
    #[must_use]
    pub fn new(documents: impl Documents + 'static, spool: impl Spool + 'static) -> Self {
        let (documents, spool) = (Arc::new(documents), Arc::new(spool));
        Self { documents, spool, lease: LEASE, max_bytes: MAX_BYTES }
    }

    /// Sets the maximum size of a file, in bytes: 500 MB by default.
    #[must_use]
    pub fn with_max_bytes(self, max_bytes: u64) -> Self {
        Self { max_bytes, ..self }
    }

    /// Sets the lease: the time in which a worker must create a part of the file. After it, another
    /// worker may continue the import. The default is 10 minutes.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Returns the maximum size of a file, in bytes.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Begins the upload of a file.
    ///
    /// No round trip.
    ///
    /// # Errors
    ///
    /// [`ImportError::Service`]: `Forbidden`.
    pub async fn upload<S: Store>(
        &self,
        invitations: &Invitations<S>,
        actor: &Actor,
        order: ImportOrder,
    ) -> Result<Upload, ImportError> {
        invitations.authorize(actor, Right::Bulk, None).await?;
        let file = invitations.new_batch()?;
        Ok(Upload::new(self.clone(), actor.clone(), order, file))
    }

    /// Returns an import.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`ImportError::NotFound`]; [`ImportError::Service`]: `Forbidden`, or the store fails.
    pub async fn get<S: Store>(
        &self,
        invitations: &Invitations<S>,
        actor: &Actor,
        id: BatchId,
    ) -> Result<ImportJob, ImportError> {
        invitations.authorize(actor, Right::Bulk, None).await?;
        let document = self.documents.document(&key(id)).await?;
        let document = document.filter(|document| document.is_within(actor.scope()));
        Ok(ImportJob::read(document.ok_or(ImportError::NotFound)?)?)
    }

    /// Lists imports, newest first.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`ImportError::Service`]: `Forbidden`; `Invalid` for a cursor of another list; the store
    /// fails.
    pub async fn list<S: Store>(
        &self,
        invitations: &Invitations<S>,
        actor: &Actor,
        paging: Paging,
    ) -> Result<Page<ImportJob>, ImportError> {
        invitations.authorize(actor, Right::Bulk, None).await?;
        let now = paging.time(invitations.now());
        let PageRequest { after, limit } =
            paging.page::<BatchId>(ListOf::Imports).map_err(Error::from)?;
        let after = after.map(|position| Position {
            at: position.at,
            id: DocumentName::from_stored(position.id.to_string()),
        });
        let (filter, page) = (DocumentFilter::all(kind()), PageRequest { after, limit });
        let listed = self.documents.list_documents(actor.scope(), &filter, &page).await?;
        let items = listed.items.into_iter().map(ImportJob::read).collect::<Result<_, _>>()?;
        let next = listed.next.map(|position| {
            let id = position.id.as_str().parse::<BatchId>().map_err(Error::from)?;
            Ok::<_, Error>(Cursor::behind(ListOf::Imports, Position { at: position.at, id }, now))
        });
        Ok(Page { items, next: next.transpose()? })
    }

    /// Starts an import that is ordered to [start later](ImportOrder::started_later), and writes
    /// the event in the same atomic step. Repeating the call has no effect.
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn start<S: Store>(
        &self,
        invitations: &Invitations<S>,
        actor: &Actor,
        id: BatchId,
    ) -> Result<ImportJob, ImportError> {
        self.change(invitations, actor, id, Step::Started, |state| match state {
            ImportState::Uploaded => Ok(Some(ImportState::Queued)),
            _ => Ok(None),
        })
        .await
    }

    /// Returns the outcome that each of the first rows would have, at most those of one part, and
    /// creates nothing.
    ///
    /// One round trip, or two if there are addresses.
    ///
    /// # Errors
    ///
    /// [`ImportError::Spool`] when the file is not on this machine; as for [`get`](Self::get).
    pub async fn preview<S: Store>(
        &self,
        invitations: &Invitations<S>,
        actor: &Actor,
        id: BatchId,
        max_rows: NonZeroU32,
    ) -> Result<ImportPreview, ImportError> {
        let job = self.get(invitations, actor, id).await?;
        ImportPreview::of(self, invitations, actor, &job, max_rows).await
    }

    /// Cancels an import. Invitations that are created stay; their batch is the id of the import.
    /// The part that a worker is creating may still be created, and has no outcome then. One atomic
    /// step cancels the import and writes the event.
    ///
    /// Repeating the call has no effect. Two round trips.
    ///
    /// # Errors
    ///
    /// [`ImportError::Ended`] if the import has ended in another way, or is being written in one
    /// transaction; as for [`get`](Self::get).
    pub async fn cancel<S: Store>(
        &self,
        invitations: &Invitations<S>,
        actor: &Actor,
        id: BatchId,
    ) -> Result<ImportJob, ImportError> {
        self.change(invitations, actor, id, Step::Cancelled, |state| match state {
            ImportState::Uploaded | ImportState::Queued | ImportState::Running => {
                Ok(Some(ImportState::Cancelled))
            }
            ImportState::Cancelled => Ok(None),
            ImportState::Writing | ImportState::Done | ImportState::Failed => {
                Err(ImportError::Ended)
            }
        })
        .await
    }

    /// Brings an import into the state that `decide` returns, and writes the event of the step. If
    /// `decide` returns none, the import is returned as it is. If another version is stored
    /// meanwhile, the call decides again.
    async fn change<S: Store>(
        &self,
        invitations: &Invitations<S>,
        actor: &Actor,
        id: BatchId,
        step: Step<'_>,
        decide: impl Fn(ImportState) -> Result<Option<ImportState>, ImportError> + Send + Sync,
    ) -> Result<ImportJob, ImportError> {
        for _ in 0..TRIES {
            let job = self.get(invitations, actor, id).await?;
            let Some(state) = decide(job.state)? else { return Ok(job) };
            let now = invitations.now();
            let ended = state.is_final().then(|| now.as_micros());
            let mut kept = Kept { ended, ..job.kept.clone() };
            invitations.entropy().fill(&mut kept.claim).map_err(Error::from)?;
            let changed = job.next(state, kept, (!state.is_final()).then_some(now));
            let event = changed.event(invitations, actor, step)?;
            if self.replace_with(&changed, event).await? {
                return Ok(changed);
            }
        }
        Err(StoreError::new(StoreErrorKind::Conflict, "import").into())
    }

    /// Returns the outcome of each row of an import that has ended, with the present codes if the
    /// actor may copy them. Then it records one event for the whole batch.
    ///
    /// One round trip, with codes two; and those of [`ImportResults::next_page`].
    ///
    /// # Errors
    ///
    /// [`ImportError::NotEnded`]; [`ImportError::Spool`] when the results are not on this machine;
    /// as for [`get`](Self::get).
    pub async fn results<S: Store>(
        &self,
        invitations: &Invitations<S>,
        actor: &Actor,
        id: BatchId,
    ) -> Result<ImportResults, ImportError> {
        let job = self.get(invitations, actor, id).await?;
        if !job.state.is_final() {
            return Err(ImportError::NotEnded);
        }
        let source = ResultSource {
            spool: Arc::clone(&self.spool),
            file: job.kept.results_file(),
            id,
            page_rows: job.kept.part_rows.get(),
            end: job.kept.result_bytes,
        };
        ImportResults::open(invitations, actor, source, job.kept.progress.created).await
    }

    /// Removes the documents and files of imports that were ordered before an instant and have
    /// ended, and returns how many. The invitations and their events stay.
    ///
    /// After that, a repeated request under the same key orders the import again. A task of the
    /// host calls it, for example once a day for imports of the month before. Two round trips for
    /// each 200 imports.
    ///
    /// # Errors
    ///
    /// [`ImportError::Service`] when the store fails; [`ImportError::Spool`]. Then some files may be
    /// removed already, and the call may be repeated.
    pub async fn remove_ended(&self, before: Timestamp) -> Result<u32, ImportError> {
        let mut removed = 0_u32;
        for state in [ImportState::Done, ImportState::Failed, ImportState::Cancelled] {
            // The files go first: a file without its document would never be removed.
            if !self.remove_files(state, before).await? {
                continue;
            }
            for _ in 0..REMOVALS {
                let limit = NonZeroU32::MIN.saturating_add(Limits::MAX_PAGE - 1);
                let state = state_of(state);
                let some =
                    self.documents.remove_documents(&kind(), &state, before, limit, None).await?;
                if some == 0 {
                    break;
                }
                removed = removed.saturating_add(some);
            }
        }
        Ok(removed)
    }

    /// Removes the files of imports in a state, and returns whether it came to the last one.
    async fn remove_files(
        &self,
        state: ImportState,
        before: Timestamp,
    ) -> Result<bool, ImportError> {
        let filter = DocumentFilter { state: Some(state_of(state)), ..DocumentFilter::all(kind()) };
        // A list is sorted newest first, and this position is behind all imports from `before` on.
        let id = DocumentName::from_stored("");
        let mut page =
            PageRequest { after: Some(Position { at: before, id }), limit: Limits::MAX_PAGE };
        for _ in 0..REMOVALS {
            let listed = self.documents.list_documents(&Scope::All, &filter, &page).await?;
            for document in listed.items {
                let kept = ImportJob::read(document)?.kept;
                self.spool.remove(SpoolFile::rows(kept.file)).await?;
                self.spool.remove(kept.results_file()).await?;
            }
            if listed.next.is_none() {
                return Ok(true);
            }
            page.after = listed.next;
        }
        Ok(false)
    }

    /// Stores the next version of a job. Returns `false` if another version is stored meanwhile.
    pub(super) async fn replace(&self, job: &ImportJob) -> Result<bool, StoreError> {
        self.documents.replace_documents(std::slice::from_ref(&job.document), &[]).await
    }

    /// Stores the next version of a job and the event that led to it, in one atomic step. Returns
    /// `false` and stores neither if another version is stored meanwhile.
    pub(super) async fn replace_with(
        &self,
        job: &ImportJob,
        event: Event,
    ) -> Result<bool, StoreError> {
        let (documents, events) = (std::slice::from_ref(&job.document), [event]);
        let is_stored = self.documents.replace_documents(documents, &events).await?;
        if is_stored {
            events.iter().for_each(report::event);
        }
        Ok(is_stored)
    }
}
