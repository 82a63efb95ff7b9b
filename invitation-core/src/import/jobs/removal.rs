//! Removing imports that have ended.

use std::num::NonZeroU32;

use super::{
    ImportError, ImportState, Imports, SpoolFile,
    job::{Kept, kind, removing, state_of},
};
use crate::{
    actor::Caller,
    documents::{Document, DocumentFilter, DocumentName, DocumentState},
    limits::Limits,
    page::{PageRequest, StorePage},
    query::Position,
    scope::Scope,
    service::Invitations,
    store::Store,
    store_error::StoreError,
    time::Timestamp,
};

/// The number of imports that are listed or removed in one round trip.
const AT_A_TIME: NonZeroU32 = NonZeroU32::new(Limits::MAX_PAGE).expect("not zero");

impl Imports {
    /// Removes the documents and files of imports that were ordered before an instant and have
    /// ended, and returns how many. The invitations and their events stay. Needs
    /// [`Right::Purge`](crate::Right::Purge), and reach of everything.
    ///
    /// One atomic step takes up to 200 imports out of all lists, and writes one event with their
    /// number. Then their files go, and last their documents. If the call stops in between, the next
    /// one completes it.
    ///
    /// After that, a repeated request under the same key orders the import again. A task of the
    /// host calls it, for example once a day for imports of the month before. Four round trips for
    /// each 200 imports.
    ///
    /// # Errors
    ///
    /// [`ImportError::Service`]: `Forbidden`, `NotFound`, a failure of the store;
    /// [`ImportError::Spool`]. Then some imports may be removed already, and the call may be
    /// repeated.
    pub async fn remove_ended<S: Store>(
        &self,
        invitations: &Invitations<S>,
        caller: impl Into<Caller<'_>>,
        before: Timestamp,
    ) -> Result<u32, ImportError> {
        let caller = caller.into();
        invitations.may_remove_imports(caller).await?;
        let mut removed = 0_u32;
        for state in [ImportState::Done, ImportState::Failed, ImportState::Cancelled] {
            // A list is sorted newest first, and this position is behind all imports from `before`
            // on. No import is added behind it, so their number bounds the loop.
            let id = DocumentName::from_stored("");
            let mut after = Some(Position { at: before, id });
            while after.is_some() {
                let listed = self.listed(state_of(state), after).await?;
                let mut ended = listed.items;
                // What another version of the library has written stays.
                ended.retain(|document| Kept::read(document).is_ok());
                if self.take_out(invitations, caller, &ended).await? {
                    removed =
                        removed.saturating_add(u32::try_from(ended.len()).unwrap_or(u32::MAX));
                    self.remove_files(&ended).await?;
                }
                after = listed.next;
            }
        }
        self.complete().await?;
        Ok(removed)
    }

    async fn listed(
        &self,
        state: DocumentState,
        after: Option<Position<DocumentName>>,
    ) -> Result<StorePage<Document, DocumentName>, StoreError> {
        let filter = DocumentFilter { state: Some(state), ..DocumentFilter::all(kind()) };
        let page = PageRequest { after, limit: AT_A_TIME.get() };
        self.documents.list_documents(&Scope::All, &filter, &page).await
    }

    /// Takes imports out of all lists, together with the event. Returns `false` if another call takes
    /// out one of them.
    async fn take_out<S: Store>(
        &self,
        invitations: &Invitations<S>,
        caller: Caller<'_>,
        ended: &[Document],
    ) -> Result<bool, ImportError> {
        if ended.is_empty() {
            return Ok(false);
        }
        let event = invitations.imports_removed(caller, ended.len())?;
        let out: Vec<_> = ended.iter().map(|document| document.next(removing())).collect();
        Ok(self.documents.replace_documents(&out, &[event]).await?)
    }

    async fn remove_files(&self, documents: &[Document]) -> Result<(), ImportError> {
        for kept in documents.iter().filter_map(|document| Kept::read(document).ok()) {
            self.spool.remove(SpoolFile::rows(kept.file)).await?;
            self.spool.remove(kept.results_file()).await?;
        }
        Ok(())
    }

    /// Completes the removal of imports that are out of all lists, also of calls that stopped.
    async fn complete(&self) -> Result<(), ImportError> {
        let mut page = self.listed(removing(), None).await?;
        loop {
            self.remove_files(&page.items).await?;
            if page.next.is_none() {
                break;
            }
            page = self.listed(removing(), page.next).await?;
        }
        // A document without its files is removed last: a file without its document would stay.
        loop {
            let (kind, state) = (kind(), removing());
            // The event was written when they were taken out of the lists.
            let (before, event) = (Timestamp::MAX, None);
            let some =
                self.documents.remove_documents(&kind, &state, before, AT_A_TIME, event).await?;
            if some == 0 {
                return Ok(());
            }
        }
    }
}
