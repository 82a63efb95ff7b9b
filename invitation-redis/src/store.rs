//! The Redis store and its implementation of the port.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use invitation_core::{
    Batcher, CommittedBy, Entropy, Event, EventFilter, EventId, Facts, Filter, Fingerprint, Insert,
    Inserted, InvitationId, Invitee, Located, OpenLease, OsEntropy, Outcome, PageRequest,
    PriorRequest, Purge, Purged, Record, Redemption, RequestResults, Scope, StatusCounts, Store,
    StoreError, StorePage, Target, Timestamp, Transition, UserId,
};
use redis::Value;

use crate::{
    calls::{Answer, Calls, array},
    confirm::Confirming,
    connection::RedisConnection,
    keys::{Keys, Namespace},
    open::{self, OpenError, SettingWarning},
    options::RedisOptions,
    read, record, render, rights,
    script::{FACTS, FIND, INSERT, PURGE, RECORD},
    steps::{self, MAX_APPLIED, Made, SLOTS},
    wire::Packed,
};

/// The maximum number of invitations that one script removes.
const MAX_PURGED: u32 = 500;

/// A store in one namespace of a Redis server or cluster.
///
/// Clones share the connection. The [crate documentation](crate) lists the guarantees.
///
/// ```no_run
/// # mod invitation {
/// #     pub use invitation_core::*;
/// #     pub use invitation_redis::{self as redis_store, RedisStore};
/// # }
/// use invitation::{Invitations, RedisStore, redis_store::RedisOptions};
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// // Two applications on one server, whose invitations know nothing of each other.
/// let url = "redis://127.0.0.1/";
/// let of_shop = RedisOptions::new().with_namespace("shop".parse()?);
/// let of_forum = RedisOptions::new().with_namespace("forum".parse()?);
/// let shop = RedisStore::connect(url, of_shop).await?;
/// let forum = RedisStore::connect(url, of_forum).await?;
/// let (shop, forum) = (Invitations::new(shop), Invitations::new(forum));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RedisStore {
    pub(crate) calls: Calls,
    warnings: Arc<[SettingWarning]>,
    operations: Arc<Operations>,
    pub(crate) batcher: Batcher<Transition, Made>,
}

/// Generates operation ids, so that a repeated command is recognised.
#[derive(Debug)]
struct Operations {
    opened: [u8; 16],
    next: AtomicU64,
}

impl Operations {
    fn next(&self) -> [u8; 24] {
        let mut operation = [0; 24];
        operation[..16].copy_from_slice(&self.opened);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        operation[16..].copy_from_slice(&number.to_be_bytes());
        operation
    }
}

impl RedisStore {
    /// Connects to a server and opens a namespace on it.
    ///
    /// # Errors
    ///
    /// Returns [`OpenError`] if the server cannot be reached, or if invitations would not
    /// be safe on it. The error contains no URL or password.
    pub async fn connect(url: &str, options: RedisOptions) -> Result<Self, OpenError> {
        let connection = RedisConnection::to_server(url, &options).await;
        Self::on(connection.map_err(open::unreachable)?, options).await
    }

    /// Connects to a cluster through some of its nodes, and opens a namespace on it.
    ///
    /// # Errors
    ///
    /// The same as for [`connect`](Self::connect).
    pub async fn connect_cluster(urls: &[&str], options: RedisOptions) -> Result<Self, OpenError> {
        let connection = RedisConnection::to_cluster(urls, &options).await;
        Self::on(connection.map_err(open::unreachable)?, options).await
    }

    /// Opens a namespace on the host's own connection. The connection then determines
    /// timeouts and retries: both must be bounded, and reads must go to primaries.
    ///
    /// After a single server has answered as a replica, the store closes this connection, so that it
    /// connects anew. Other commands on it then fail, so the store should have one of its own.
    /// The store cannot [leave a server](crate#losing-a-server) that does not answer: set TCP
    /// keepalive and a TCP user timeout in the client.
    ///
    /// Takes five round trips the first time and four later. Expecting persistence adds
    /// two.
    ///
    /// # Errors
    ///
    /// The same as for [`connect`](Self::connect).
    pub async fn on(
        connection: impl Into<RedisConnection>,
        options: RedisOptions,
    ) -> Result<Self, OpenError> {
        let connection = connection.into();
        let keys = Keys::of(options.namespace().clone());
        let confirm = options.confirm().map(Confirming::new);
        let calls = Calls { connection, keys, confirm };
        rights::check(&calls).await?;
        let warnings = open::check(&calls.connection, options.persistence()).await?;
        open::lay_out(&calls).await?;
        let mut opened = [0; 16];
        OsEntropy.fill(&mut opened).map_err(open::no_randomness)?;
        Ok(Self {
            calls,
            warnings: warnings.into(),
            operations: Arc::new(Operations { opened, next: AtomicU64::new(0) }),
            batcher: Batcher::new(SLOTS, MAX_APPLIED),
        })
    }

    /// Returns the settings that are weaker than the options expect.
    #[must_use]
    pub fn warnings(&self) -> &[SettingWarning] {
        &self.warnings
    }

    /// Returns the namespace.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        self.calls.keys.namespace()
    }

    async fn find(
        &self,
        operation: &'static str,
        target: &Target,
    ) -> Result<Option<Record>, StoreError> {
        let (id, digests) = render::target(target);
        let id = id.map_or_else(Vec::new, Vec::from);
        let found = self.calls.read(operation, &FIND, &[id, digests]).await?;
        let found = array(operation, found)?;
        match found.as_slice() {
            [] => Ok(None),
            [Value::BulkString(id), Value::BulkString(found)] => {
                let id = id.as_slice().try_into().map_err(|_| record::corrupt_entry("id"))?;
                record::invitation(InvitationId::from_bytes(id), found).map(Some)
            }
            _ => Err(record::corrupt_entry("invitation")),
        }
    }
}

/// Returns the argument that asks a script which writes nothing to write a marker field.
pub(crate) fn touch(calls: &Calls) -> Vec<u8> {
    if calls.touches() { b"1".to_vec() } else { b"0".to_vec() }
}

#[async_trait]
impl Store for RedisStore {
    fn committed_by(&self) -> CommittedBy {
        CommittedBy::Store
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        let Insert { rows, quotas, request } = insert;
        let key = request.as_ref().map(record::request_key);
        let first = rows.first().map(|row| row.invitation.id);
        let mut head = Packed::array(9);
        head.bytes(&self.operations.next());
        render::quotas(&mut head, quotas);
        head.opt_bytes(key.as_deref())
            .opt_bytes(request.as_ref().map(|request| request.fingerprint.as_bytes().as_slice()))
            .flag(self.calls.touches())
            .flag(insert.request_to_keep().is_some())
            .opt_time(request.as_ref().map(|request| request.at))
            .opt_time(insert.forgotten_at());
        let results = request.as_ref().and_then(|request| request.results.as_ref());
        head.opt_bytes(results.map(RequestResults::as_bytes));
        let mut arguments = Vec::with_capacity(1 + 4 * rows.len());
        arguments.push(head.done());
        for row in rows {
            let context = key.as_deref().zip(first.as_ref());
            arguments.push(row.invitation.id.as_bytes().to_vec());
            arguments.push(record::write_invitation(&row.invitation, context));
            arguments.push(row.event.id.as_bytes().to_vec());
            arguments.push(record::write_event(&row.event));
        }
        let answer = self.calls.write("insert", &INSERT, &arguments).await?;
        let mut answer = Answer::of("insert", answer)?;
        match answer.word() {
            b"stored" => Ok(Inserted::Stored),
            b"taken" => Ok(Inserted::CodeTaken),
            b"quota" => {
                let (number, pending) = (answer.number()?, answer.number()?);
                let full = number.checked_sub(1).and_then(|n| quotas.get(n));
                let pending = u32::try_from(pending).unwrap_or(u32::MAX);
                full.map(|full| Inserted::QuotaFull { of: full.of.clone(), pending })
                    .ok_or_else(|| answer.odd())
            }
            b"known" => {
                let fingerprint = answer.bytes()?.try_into().map_err(|_| answer.odd())?;
                let results = answer.bytes()?;
                let results = (!results.is_empty()).then(|| RequestResults::from_bytes(results));
                let mut invitations = Vec::new();
                while !answer.is_at_end() {
                    let id = InvitationId::from_bytes(answer.id()?);
                    invitations.push(record::invitation(id, &answer.bytes()?)?);
                }
                let fingerprint = Fingerprint::from_bytes(fingerprint);
                Ok(Inserted::KeyKnown(PriorRequest { fingerprint, invitations, results }))
            }
            _ => Err(answer.odd()),
        }
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        match transitions {
            [one] => vec![self.step(one).await],
            many => self.steps(many).await,
        }
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Record>, StoreError> {
        let found = self.find("get", target).await?;
        Ok(found.filter(|found| scope.contains(&found.division)))
    }

    async fn facts(
        &self,
        target: &Target,
        scope: &Scope,
        user: &UserId,
    ) -> Result<Option<Facts>, StoreError> {
        let (id, digests) = render::target(target);
        let id = id.map_or_else(Vec::new, Vec::from);
        let user = user.as_str().as_bytes().to_vec();
        let found = self.calls.read("facts", &FACTS, &[id, digests, user]).await?;
        let mut answer = Answer::of("facts", found)?;
        let facts = match answer.word() {
            b"found" => steps::facts(&mut answer)?,
            b"missing" => return Ok(None),
            _ => return Err(answer.odd()),
        };
        Ok(Some(facts).filter(|facts| scope.contains(&facts.invitation.division)))
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        let found = self.find("locate", target).await?;
        Ok(found.map(|Record { id, division, .. }| Located { id, division }))
    }

    async fn are_invited(
        &self,
        invitees: &[Invitee],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        read::are_invited(&self.calls, invitees, now).await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Record, InvitationId>, StoreError> {
        read::list(&self.calls, scope, filter, page).await
    }

    async fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        cap: u32,
    ) -> Result<StatusCounts, StoreError> {
        read::count(&self.calls, scope, filter, cap).await
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>, StoreError> {
        match self.get(&Target::Id(invitation), scope).await? {
            Some(invitation) => read::redemptions(&self.calls, &invitation, page).await,
            None => Ok(StorePage { items: Vec::new(), next: None }),
        }
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>, StoreError> {
        read::leases(&self.calls, scope, page).await
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut arguments = Vec::with_capacity(1 + 2 * events.len());
        arguments.push(touch(&self.calls));
        for event in events {
            arguments.push(event.id.as_bytes().to_vec());
            arguments.push(record::write_event(event));
        }
        self.calls.write("record", &RECORD, &arguments).await.map(|_| ())
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError> {
        read::events(&self.calls, scope, filter, page).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let max = purge.max.get().min(MAX_PURGED);
        let event = purge.evidence(0);
        // Only the script learns the number of removed invitations.
        let detail = purge.evidence_template();
        let mut p = Packed::array(8);
        render::scope(&mut p, &purge.scope).time(purge.before).int(max);
        record::pack_event(p.bytes(event.id.as_bytes()), &event);
        p.text(detail.before()).text(detail.after()).flag(self.calls.touches());
        let answer = self.calls.write("purge", &PURGE, &[p.done()]).await?;
        let mut answer = Answer::of("purge", answer)?;
        match answer.word() {
            b"before" => Ok(Purged::BEFORE),
            b"removed" => {
                let removed = u32::try_from(answer.number()?).map_err(|_| answer.odd())?;
                Ok(Purged { removed, more: answer.number()? > 0 })
            }
            _ => Err(answer.odd()),
        }
    }
}
