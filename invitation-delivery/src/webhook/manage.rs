//! What a host does with endpoints.

use std::num::NonZeroU32;

use invitation_core::{
    StoreError, StoreErrorKind, Timestamp,
    audit::EventId,
    documents::{Document, DocumentFilter, DocumentName, Documents},
    store::{PageRequest, Position, Scope},
};
use time::Duration;

use super::{
    Webhooks,
    endpoint::{Endpoint, NewEndpoint},
    error::WebhookError,
    secret::WebhookSecret,
    stored::{self, EndpointRecord, Settings, TimedSecret},
};

/// The maximum number of times that a change is tried again because of concurrent changes.
const MAX_TRIES: u32 = 8;

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
    /// Registers an endpoint, and returns the secret that signs its messages. The secret is not
    /// shown again.
    ///
    /// Two calls to the store, and one for each 100 endpoints.
    ///
    /// # Errors
    ///
    /// [`WebhookError::NameTaken`]; [`WebhookError::TooManyEndpoints`];
    /// [`WebhookError::Store`]; [`WebhookError::Entropy`].
    pub async fn register(&self, endpoint: NewEndpoint) -> Result<WebhookSecret, WebhookError> {
        let (key, now) = (stored::key(&endpoint.name), self.clock.now());
        let secret = WebhookSecret::generate(&*self.vault.entropy)?;
        let record = EndpointRecord {
            settings: Settings {
                url: endpoint.url,
                division: endpoint.division,
                since: endpoint.since.unwrap_or(now),
                names: endpoint.names,
            },
            secrets: vec![TimedSecret { secret: secret.clone(), until: None }],
            position: None,
            failure: None,
            claim: None,
            is_active: true,
            due: Some(now),
        };
        // Concurrent calls may exceed the number by some. The worker copes with that.
        if self.documents().await?.len() >= Self::MAX_ENDPOINTS {
            return Err(WebhookError::TooManyEndpoints);
        }
        for _ in 0..MAX_TRIES {
            match self.store.document(&key).await? {
                Some(existing) if existing.state == stored::removed() => self.sweep().await?,
                Some(_) => return Err(WebhookError::NameTaken { name: key.name }),
                None => {
                    let document = Document::new(key.clone(), stored::removed(), now);
                    let document = record.encode(document, &self.vault)?;
                    if self.store.replace_documents(&[document], &[]).await? {
                        return Ok(secret);
                    }
                }
            }
        }
        Err(conflict("register"))
    }

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
            Ok(Some(()))
        };
        self.update(self.find(name).await?, edit).await?;
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
    /// Without effect while a worker tries. Two calls to the store.
    ///
    /// # Errors
    ///
    /// [`WebhookError::UnknownEndpoint`]; [`WebhookError::Store`]; the errors of a secret that
    /// cannot be read.
    pub async fn retry(&self, name: &DocumentName) -> Result<(), WebhookError> {
        let now = self.clock.now();
        let edit = |record: &mut EndpointRecord| {
            if record.is_claimed(now) {
                // A worker tries at this moment. The document's time is that of its lease.
                return Ok(None);
            }
            if let Some(failure) = &mut record.failure {
                failure.attempts = 0;
            }
            (record.is_active, record.due) = (true, Some(now));
            Ok(Some(()))
        };
        self.update(self.find(name).await?, edit).await.map(|_| ())
    }

    /// Leaves out the event that the endpoint has not accepted, and lets the endpoint go on with
    /// the next one. Returns false, and changes nothing, if the endpoint is not waiting because
    /// of this event. Two calls to the store.
    ///
    /// # Errors
    ///
    /// [`WebhookError::UnknownEndpoint`]; [`WebhookError::Store`]; the errors of a secret that
    /// cannot be read.
    pub async fn skip(&self, name: &DocumentName, event: EventId) -> Result<bool, WebhookError> {
        let now = self.clock.now();
        let edit = |record: &mut EndpointRecord| {
            let blocking = record.failure.filter(|failure| failure.event == event);
            let Some(blocking) = blocking.filter(|_| !record.is_claimed(now)) else {
                return Ok(None);
            };
            (record.position, record.failure) = (Some(blocking.position), None);
            (record.is_active, record.due) = (true, Some(now));
            Ok(Some(()))
        };
        Ok(self.update(self.find(name).await?, edit).await?.is_some())
    }

    /// Removes an endpoint with its secrets. Returns whether there was one. Three calls to the
    /// store.
    ///
    /// A worker that is sending learns of it after up to 20 seconds and one request.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Store`]. The endpoint may be removed nevertheless; the call may be
    /// repeated.
    pub async fn remove(&self, name: &DocumentName) -> Result<bool, WebhookError> {
        for _ in 0..MAX_TRIES {
            // The body is not read, so that an endpoint whose key is lost can be removed.
            let Some(document) = self.store.document(&stored::key(name)).await? else {
                return Ok(false);
            };
            let is_removed = document.state == stored::removed();
            let next = document.next(stored::removed()).never_due().with_body(Vec::new())?;
            if is_removed || self.store.replace_documents(&[next], &[]).await? {
                self.sweep().await?;
                return Ok(!is_removed);
            }
        }
        Err(conflict("remove"))
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
            match self.update(document, |_| Ok(Some(()))).await {
                Ok(_) => resealed += 1,
                // It was removed meanwhile.
                Err(WebhookError::UnknownEndpoint { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(resealed)
    }

    async fn documents(&self) -> Result<Vec<Document>, WebhookError> {
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

    /// Changes an endpoint, and tries again after a concurrent change. `edit` returns none to
    /// leave the endpoint unchanged.
    pub(super) async fn update<T: Send>(
        &self,
        mut document: Document,
        mut edit: impl FnMut(&mut EndpointRecord) -> Result<Option<T>, WebhookError> + Send,
    ) -> Result<Option<(Document, EndpointRecord, T)>, WebhookError> {
        for _ in 0..MAX_TRIES {
            let Some(mut record) = EndpointRecord::decode(&document, &self.vault)? else {
                return Err(WebhookError::UnknownEndpoint { name: document.key.name });
            };
            let Some(edited) = edit(&mut record)? else { return Ok(None) };
            let next = record.encode(document.next(document.state.clone()), &self.vault)?;
            if self.store.replace_documents(std::slice::from_ref(&next), &[]).await? {
                return Ok(Some((next, record, edited)));
            }
            document = self.find(&document.key.name).await?;
        }
        Err(conflict("update"))
    }

    async fn find(&self, name: &DocumentName) -> Result<Document, WebhookError> {
        let document = self.store.document(&stored::key(name)).await?;
        document.ok_or_else(|| WebhookError::UnknownEndpoint { name: name.clone() })
    }

    /// Deletes the documents of removed endpoints.
    async fn sweep(&self) -> Result<(), WebhookError> {
        let limit = NonZeroU32::new(PAGE).unwrap_or(NonZeroU32::MIN);
        let (kind, state) = (stored::kind(), stored::removed());
        self.store.remove_documents(&kind, &state, Timestamp::MAX, limit).await?;
        Ok(())
    }
}

fn conflict(operation: &'static str) -> WebhookError {
    StoreError::new(StoreErrorKind::Conflict, operation).into()
}
