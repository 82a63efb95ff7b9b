//! Registering, disabling, enabling and removing endpoints, with their cursors.

use invitation_core::{
    audit::Event,
    documents::{Document, DocumentName, Documents},
    feed::FeedRetention,
    webhook::{EndpointState, RegistrationRequest},
};

use super::{
    Webhooks,
    endpoint::{Endpoint, NewEndpoint},
    error::WebhookError,
    manage::{MAX_TRIES, conflict},
    secret::WebhookSecret,
    stored::{self, EndpointRecord, Settings, StoredRequest, TimedSecret},
};

impl<S: Documents + FeedRetention> Webhooks<S> {
    /// Registers an endpoint, and returns the secret that signs its messages. The secret is not
    /// shown again.
    ///
    /// From then on no event that is due to the endpoint is purged: see [the
    /// module](super#purging-events).
    ///
    /// Four calls to the store, and one for each 100 endpoints.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Field`] when the URL itself shows an address that may not be connected to; a
    /// name is resolved when a message is sent. [`WebhookError::NameTaken`];
    /// [`WebhookError::TooManyEndpoints`];
    /// [`WebhookError::Store`]; [`WebhookError::Entropy`].
    pub async fn register(&self, endpoint: NewEndpoint) -> Result<WebhookSecret, WebhookError> {
        self.register_with(endpoint, None, &[]).await.map(|(_, secret)| secret)
    }

    /// Registers an endpoint, and stores events in the same atomic step. A repeated request returns
    /// the endpoint of the first one and its secret.
    pub(super) async fn register_with(
        &self,
        endpoint: NewEndpoint,
        request: Option<&RegistrationRequest>,
        events: &[Event],
    ) -> Result<(Endpoint, WebhookSecret), WebhookError> {
        self.sender.check(&endpoint.url)?;
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
            last_success: None,
            request: request.map(StoredRequest::new),
            state: EndpointState::Active,
            due: Some(now),
        };
        let others = self.documents().await?;
        if let Some(registered) = self.registered_before(request, &others)? {
            return Ok(registered);
        }
        // Concurrent calls may exceed the number by some. The worker copes with that.
        if others.len() >= Self::MAX_ENDPOINTS {
            return Err(WebhookError::TooManyEndpoints);
        }
        for _ in 0..MAX_TRIES {
            match self.store.document(&key).await? {
                Some(existing) if existing.state == stored::removed() => self.sweep().await?,
                Some(existing) => {
                    // The same request may run twice at the same time.
                    let registered = self.registered_before(request, &[existing])?;
                    return registered.ok_or(WebhookError::NameTaken { name: key.name });
                }
                None => {
                    // The cursor first: an endpoint without one could miss purged events, and a
                    // cursor without an endpoint is removed by the next run.
                    self.hold(&key.name, None).await?;
                    let document = Document::new(key.clone(), stored::removed(), now);
                    let document = record.encode(document, &self.vault)?;
                    if self.store.replace_documents(&[document], events).await? {
                        return Ok((record.view(key.name), secret));
                    }
                }
            }
        }
        Err(conflict("register"))
    }

    /// Returns the endpoint that an earlier request with the same key registered, and its secret.
    fn registered_before(
        &self,
        request: Option<&RegistrationRequest>,
        documents: &[Document],
    ) -> Result<Option<(Endpoint, WebhookSecret)>, WebhookError> {
        let Some(request) = request else { return Ok(None) };
        for document in documents {
            let Some(earlier) = StoredRequest::of(document) else { continue };
            if !earlier.has_key_of(request) {
                continue;
            }
            if !earlier.is_same(request) {
                return Err(WebhookError::KeyReused);
            }
            let name = document.key.name.clone();
            if earlier.is_replaced() {
                return Err(WebhookError::SecretReplaced { name });
            }
            let Some(record) = EndpointRecord::decode(document, &self.vault)? else { continue };
            let secret = record.secrets.first().map(|one| one.secret.clone());
            return Ok(secret.map(|secret| (record.view(name), secret)));
        }
        Ok(None)
    }

    /// Stops an endpoint by a person's decision. It gets no messages, and its events may be purged:
    /// it no longer holds them back. Returns false if it was disabled before. Up to four calls to
    /// the store.
    ///
    /// A worker that is sending learns of it after up to 20 seconds and one request.
    ///
    /// # Errors
    ///
    /// [`WebhookError::UnknownEndpoint`]; [`WebhookError::Store`]; the errors of a secret that
    /// cannot be read. After an error of the store the endpoint may be disabled nevertheless; the
    /// call may be repeated.
    pub async fn disable(&self, name: &DocumentName) -> Result<bool, WebhookError> {
        self.disable_with(name, &[]).await
    }

    pub(super) async fn disable_with(
        &self,
        name: &DocumentName,
        events: &[Event],
    ) -> Result<bool, WebhookError> {
        let edit = |record: &mut EndpointRecord| {
            let is_new = record.state != EndpointState::Disabled;
            record.disable();
            Ok(is_new.then_some(()))
        };
        let is_changed = self.update(self.find(name).await?, events, edit).await?.is_some();
        self.release(name).await?;
        Ok(is_changed)
    }

    /// Lets a disabled endpoint go on behind the last event that it has accepted, with all
    /// attempts. Returns false if it was not disabled. It does not get events that were purged in
    /// the meantime. Up to four calls to the store.
    ///
    /// # Errors
    ///
    /// [`WebhookError::UnknownEndpoint`]; [`WebhookError::Store`]; the errors of a secret that
    /// cannot be read.
    pub async fn enable(&self, name: &DocumentName) -> Result<bool, WebhookError> {
        self.enable_with(name, &[]).await
    }

    pub(super) async fn enable_with(
        &self,
        name: &DocumentName,
        events: &[Event],
    ) -> Result<bool, WebhookError> {
        let now = self.clock.now();
        let edit = |record: &mut EndpointRecord| {
            if record.state != EndpointState::Disabled {
                return Ok(None);
            }
            record.activate(now);
            Ok(Some(()))
        };
        let found = self.find(name).await?;
        let Some((_, record, ())) = self.update(found, events, edit).await? else {
            return Ok(false);
        };
        self.hold(name, record.position).await?;
        Ok(true)
    }

    /// Removes an endpoint with its secrets. Its events may then be purged. Returns whether there
    /// was one. Five calls to the store.
    ///
    /// A worker that is sending learns of it after up to 20 seconds and one request.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Store`]. The endpoint may be removed nevertheless; the call may be
    /// repeated.
    pub async fn remove(&self, name: &DocumentName) -> Result<bool, WebhookError> {
        self.remove_with(name, &[]).await
    }

    pub(super) async fn remove_with(
        &self,
        name: &DocumentName,
        events: &[Event],
    ) -> Result<bool, WebhookError> {
        for _ in 0..MAX_TRIES {
            // The body is not read, so that an endpoint whose key is lost can be removed.
            let Some(document) = self.store.document(&stored::key(name)).await? else {
                // An earlier call may have removed it and failed before this.
                self.release(name).await?;
                return Ok(false);
            };
            let is_removed = document.state == stored::removed();
            let next = document.next(stored::removed()).never_due().with_body(Vec::new())?;
            if is_removed || self.store.replace_documents(&[next], events).await? {
                self.release(name).await?;
                self.sweep().await?;
                return Ok(!is_removed);
            }
        }
        Err(conflict("remove"))
    }
}
