//! The implementations of the core's `Store`: on the connections of a pool, and inside a host's
//! transaction.

use async_trait::async_trait;
use invitation_core::{
    CommittedBy, Event, EventFilter, EventId, Facts, Filter, Insert, Inserted, InvitationId,
    Invitee, Located, OpenLease, Outcome, PageRequest, Purge, Purged, Record, Redemption, Scope,
    StatusCounts, Store, StoreError, StorePage, Target, Timestamp, Transition, UserId,
};

use crate::{
    Joined, SqlStore,
    calls::{change, query},
    dialect::Dialect,
    joined::in_host,
    list, ops,
};

#[async_trait]
impl<DB: Dialect> Store for SqlStore<DB> {
    fn committed_by(&self) -> CommittedBy {
        CommittedBy::Store
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        if let [one] = transitions
            && one.as_plain_redemption().is_some()
        {
            return vec![self.redeem_batched(one).await];
        }
        let mut answers = Vec::with_capacity(transitions.len());
        // All transitions use one connection, so that only the first one waits for the pool.
        // Another connection is acquired only if a transaction may still be open on the first.
        let mut kept = None;
        for transition in transitions {
            let conn = match kept.take() {
                Some(conn) => Ok(conn),
                None => self.connections.acquire("apply").await,
            };
            let mut conn = match conn {
                Ok(conn) => conn,
                Err(error) => {
                    let others = transitions.len() - answers.len() - 1;
                    let kind = error.kind();
                    answers.push(Err(error));
                    answers.extend((0..others).map(|_| Err(StoreError::new(kind, "apply"))));
                    break;
                }
            };
            answers.push(self.apply_on(&mut conn, transition).await);
            kept = conn.is_reusable().then_some(conn);
        }
        answers
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        let id = insert.rows.first().map(|row| row.event.id);
        change!(self, "insert", id, on => ops::insert(on, insert))
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Record>, StoreError> {
        query!(self, "get", on => ops::get(on, target, scope))
    }

    async fn facts(
        &self,
        target: &Target,
        scope: &Scope,
        user: &UserId,
    ) -> Result<Option<Facts>, StoreError> {
        query!(self, "facts", on => ops::facts(on, target, scope, user))
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        query!(self, "locate", on => ops::locate(on, target))
    }

    async fn are_invited(
        &self,
        invitees: &[Invitee],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        query!(self, "are_invited", on => ops::are_invited(on, invitees, now))
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Record, InvitationId>, StoreError> {
        query!(self, "list", on => list::list(on, scope, filter, page))
    }

    async fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        cap: u32,
    ) -> Result<StatusCounts, StoreError> {
        query!(self, "count", on => list::count(on, scope, filter, cap))
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>, StoreError> {
        query!(self, "redemptions", on => ops::redemptions(on, scope, invitation, page))
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>, StoreError> {
        query!(self, "leases", on => ops::leases(on, scope, page))
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        let id = events.first().map(|event| event.id);
        change!(self, "record", id, on => ops::record(on, events))
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError> {
        query!(self, "events", on => ops::events(on, scope, filter, page))
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let id = Some(purge.event.id);
        change!(self, "purge", id, on => ops::purge(on, purge))
    }
}

#[async_trait]
impl<DB: Dialect> Store for Joined<'_, DB> {
    fn committed_by(&self) -> CommittedBy {
        CommittedBy::Host
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        let mut answers = Vec::with_capacity(transitions.len());
        for transition in transitions {
            answers.push(in_host!(self, "apply", on => {
                ops::apply(on, transition, true)
            }));
        }
        answers
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        let id = insert.rows.first().map(|row| row.event.id);
        in_host!(self, "insert", id, on => ops::insert(on, insert))
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Record>, StoreError> {
        in_host!(self, "get", on => ops::get(on, target, scope))
    }

    async fn facts(
        &self,
        target: &Target,
        scope: &Scope,
        user: &UserId,
    ) -> Result<Option<Facts>, StoreError> {
        in_host!(self, "facts", on => ops::facts(on, target, scope, user))
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        in_host!(self, "locate", on => ops::locate(on, target))
    }

    async fn are_invited(
        &self,
        invitees: &[Invitee],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        in_host!(self, "are_invited", on => ops::are_invited(on, invitees, now))
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Record, InvitationId>, StoreError> {
        in_host!(self, "list", on => list::list(on, scope, filter, page))
    }

    async fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        cap: u32,
    ) -> Result<StatusCounts, StoreError> {
        in_host!(self, "count", on => list::count(on, scope, filter, cap))
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>, StoreError> {
        in_host!(self, "redemptions", on => ops::redemptions(on, scope, invitation, page))
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>, StoreError> {
        in_host!(self, "leases", on => ops::leases(on, scope, page))
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        let id = events.first().map(|event| event.id);
        in_host!(self, "record", id, on => ops::record(on, events))
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError> {
        in_host!(self, "events", on => ops::events(on, scope, filter, page))
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let id = Some(purge.event.id);
        in_host!(self, "purge", id, on => ops::purge(on, purge))
    }
}
