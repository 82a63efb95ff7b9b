//! What a host does with registered endpoints.

use std::num::NonZeroU32;

use invitation_core::{
    StoreError, StoreErrorKind, Timestamp,
    audit::{Event, EventId},
    documents::{Document, DocumentFilter, DocumentName, Documents},
    store::{PageRequest, Position, Scope},
    webhook::EndpointState,
};
use time::Duration;

use super::{
    Webhooks,
    endpoint::Endpoint,
    error::WebhookError,
    secret::WebhookSecret,
    stored::{self, EndpointRecord, TimedSecret},
};

/// The maximum number of times that a change is tried again because of concurrent changes.
pub(super) const MAX_TRIES: u32 = 8;

/// The number of endpoints of a page.
const PAGE: u32 = 100;

/// The maximum number of pages. Together they hold many more endpoints than can be registered.
const MAX_PAGES: u32 = 100;

/// How far the endpoints were read.
#[derive(Default)]
pub(super) struct Pages {
    after: Option<Position<DocumentName>>,
    read: u32,
    is_last: bool,
}

impl<S: Documents> Webhooks<S> {
    /// Replaces the secret of an endpoint, and returns the new one. For the time `overlap`, the
    /// messages are signed with the new secret and with those that were valid before. After the
    /// loss of a secret, `overlap` is zero.
    ///
    /// A worker that is sending learns of the change after up to 20 seconds and one request. Two
    /// calls to the store.
    ///
    /// # Errors
    ///
    /// [`WebhookError::UnknownEndpoint`]; [`WebhookError::TooManySecrets`];
    /// [`WebhookError::Store`]; [`WebhookError::Entropy`]; the errors of a secret that cannot be
    /// read.
    pub async fn rotate_secret(
        &self,
        name: &DocumentName,
        overlap: Duration,
    ) -> Result<WebhookSecret, WebhookError> {
        self.rotate_secret_with(name, overlap, &[]).await
    }

    pub(super) async fn rotate_secret_with(
        &self,
        name: &DocumentName,
        overlap: Duration,
        events: &[Event],
    ) -> Result<WebhookSecret, WebhookError> {
        let secret = WebhookSecret::generate(&*self.vault.entropy)?;
        let now = self.clock.now();
        let end = now.checked_add(overlap).unwrap_or(Timestamp::MAX);
        let edit = |record: &mut EndpointRecord| {
            for one in &mut record.secrets {
                one.until = Some(one.until.map_or(end, |until| until.min(end)));
            }
            record.secrets.retain(|one| one.until.is_some_and(|until| until > now));
            if record.secrets.len() >= Self::MAX_SECRETS {
                return Err(WebhookError::TooManySecrets { name: name.clone() });
            }
            let added = TimedSecret { secret: secret.clone(), until: None };
            record.secrets.insert(0, added);
            if let Some(request) = &mut record.request {
                request.secret_was_replaced();
            }
            Ok(Some(()))
        };
        self.update(self.find(name).await?, events, edit).await?;
        Ok(secret)
    }

    /// Returns an endpoint; none if there is none of this name. One call to the store.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Store`]; [`WebhookError::Unreadable`]; the errors of a secret that cannot
    /// be read.
    pub async fn get(&self, name: &DocumentName) -> Result<Option<Endpoint>, WebhookError> {
        let Some(document) = self.store.document(&stored::key(name)).await? else {
            return Ok(None);
        };
        let record = EndpointRecord::decode(&document, &self.vault)?;
        Ok(record.map(|record| record.view(document.key.name)))
    }

    /// Returns the endpoints, the last registered one first. One call to the store for 100
    /// endpoints.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Store`]; [`WebhookError::Unreadable`]; the errors of a secret that cannot
    /// be read.
    pub async fn list(&self) -> Result<Vec<Endpoint>, WebhookError> {
        let mut endpoints = Vec::new();
        for document in self.documents().await? {
            let record = EndpointRecord::decode(&document, &self.vault)?;
            endpoints.extend(record.map(|record| record.view(document.key.name)));
        }
        Ok(endpoints)
    }

    /// Lets an endpoint that is stopped or waits try again with the next run, with all attempts.
    /// Without effect while a worker tries, and on an endpoint that is disabled. Two calls to the
    /// store.
    ///
    /// # Errors
    ///
    /// [`WebhookError::UnknownEndpoint`]; [`WebhookError::Store`]; the errors of a secret that
    /// cannot be read.
    pub async fn retry(&self, name: &DocumentName) -> Result<(), WebhookError> {
        self.retry_with(name, &[]).await.map(|_| ())
    }

    /// Returns whether it changed something.
    pub(super) async fn retry_with(
        &self,
        name: &DocumentName,
        events: &[Event],
    ) -> Result<bool, WebhookError> {
        let now = self.clock.now();
        let edit = |record: &mut EndpointRecord| {
            // While a worker tries, the document's time is that of its lease.
            if record.state == EndpointState::Disabled || record.is_claimed(now) {
                return Ok(None);
            }
            record.activate(now);
            Ok(Some(()))
        };
        Ok(self.update(self.find(name).await?, events, edit).await?.is_some())
    }

    /// Leaves out the event that the endpoint has not accepted, and lets the endpoint go on with
    /// the next one. Returns false, and changes nothing, if the endpoint is not waiting because
    /// of this event, or if it is disabled. Two calls to the store.
    ///
    /// # Errors
    ///
    /// [`WebhookError::UnknownEndpoint`]; [`WebhookError::Store`]; the errors of a secret that
    /// cannot be read.
    pub async fn skip(&self, name: &DocumentName, event: EventId) -> Result<bool, WebhookError> {
        self.skip_with(name, event, &[]).await
    }

    pub(super) async fn skip_with(
        &self,
        name: &DocumentName,
        event: EventId,
        events: &[Event],
    ) -> Result<bool, WebhookError> {
        let now = self.clock.now();
        let edit = |record: &mut EndpointRecord| {
            let blocking = record.failure.filter(|failure| failure.event == event);
            let is_waiting = record.state != EndpointState::Disabled && !record.is_claimed(now);
            let Some(blocking) = blocking.filter(|_| is_waiting) else {
                return Ok(None);
            };
            (record.position, record.failure) = (Some(blocking.position), None);
            record.activate(now);
            Ok(Some(()))
        };
        Ok(self.update(self.find(name).await?, events, edit).await?.is_some())
    }

    /// Encrypts the secrets of all endpoints under the active key of the keyring, and returns the
    /// number of endpoints. Afterwards an older key can retire. Without a keyring, it stores the
    /// secrets as they are.
    ///
    /// One call to the store for each endpoint, and one for 100 endpoints.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Store`]; the errors of a secret that cannot be read. The call may be
    /// repeated.
    pub async fn reseal(&self) -> Result<u32, WebhookError> {
        let mut resealed = 0;
        for document in self.documents().await? {
            match self.update(document, &[], |_| Ok(Some(()))).await {
                Ok(_) => resealed += 1,
                // It was removed meanwhile.
                Err(WebhookError::UnknownEndpoint { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(resealed)
    }

    pub(super) async fn documents(&self) -> Result<Vec<Document>, WebhookError> {
        let (mut pages, mut documents) = (Pages::default(), Vec::new());
        while let Some(page) = self.next_page(&mut pages).await? {
            documents.extend(page);
        }
        Ok(documents)
    }

    /// Returns the documents of the next endpoints; none after the last page.
    pub(super) async fn next_page(
        &self,
        pages: &mut Pages,
    ) -> Result<Option<Vec<Document>>, WebhookError> {
        if pages.is_last || pages.read >= MAX_PAGES {
            return Ok(None);
        }
        let filter = DocumentFilter::all(stored::kind());
        let request = PageRequest { after: pages.after.take(), limit: PAGE };
        let page = self.store.list_documents(&Scope::All, &filter, &request).await?;
        let is_last = page.next.is_none();
        *pages = Pages { after: page.next, read: pages.read + 1, is_last };
        let exists = |one: &Document| one.state != stored::removed();
        Ok(Some(page.items.into_iter().filter(exists).collect()))
    }

    /// Changes an endpoint, and stores events in the same atomic step. Tries again after a
    /// concurrent change. `edit` returns none to leave the endpoint unchanged.
    pub(super) async fn update<T: Send>(
        &self,
        mut document: Document,
        events: &[Event],
        mut edit: impl FnMut(&mut EndpointRecord) -> Result<Option<T>, WebhookError> + Send,
    ) -> Result<Option<(Document, EndpointRecord, T)>, WebhookError> {
        for _ in 0..MAX_TRIES {
            let Some(mut record) = EndpointRecord::decode(&document, &self.vault)? else {
                return Err(WebhookError::UnknownEndpoint { name: document.key.name });
            };
            let Some(edited) = edit(&mut record)? else { return Ok(None) };
            let next = record.encode(document.next(document.state.clone()), &self.vault)?;
            if self.store.replace_documents(std::slice::from_ref(&next), events).await? {
                return Ok(Some((next, record, edited)));
            }
            document = self.find(&document.key.name).await?;
        }
        Err(conflict("update"))
    }

    pub(super) async fn find(&self, name: &DocumentName) -> Result<Document, WebhookError> {
        let document = self.store.document(&stored::key(name)).await?;
        document.ok_or_else(|| WebhookError::UnknownEndpoint { name: name.clone() })
    }

    /// Deletes the documents of removed endpoints.
    pub(super) async fn sweep(&self) -> Result<(), WebhookError> {
        let limit = NonZeroU32::new(PAGE).unwrap_or(NonZeroU32::MIN);
        let (kind, state) = (stored::kind(), stored::removed());
        self.store.remove_documents(&kind, &state, Timestamp::MAX, limit, None).await?;
        Ok(())
    }
}

pub(super) fn conflict(operation: &'static str) -> WebhookError {
    StoreError::new(StoreErrorKind::Conflict, operation).into()
}
