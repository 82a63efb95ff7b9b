//! Implements [`Store`] for `&S`, `Box<S>` and `Arc<S>`. Every call goes to the store `S`.

use std::sync::Arc;

use async_trait::async_trait;

use super::{CommittedBy, Insert, Inserted, Invitee, Located, Store};
use crate::{
    event::Event,
    facts::Facts,
    id::{EventId, InvitationId},
    lease::OpenLease,
    outcome::Outcome,
    page::{PageRequest, StorePage},
    purge::{Purge, Purged},
    query::{EventFilter, Filter},
    record::Record,
    redemption::Redemption,
    scope::Scope,
    status_counts::StatusCounts,
    store_error::StoreError,
    target::Target,
    text::UserId,
    time::Timestamp,
    transition::Transition,
};

macro_rules! forward {
    ($type:ty) => {
        #[async_trait]
        // If `Store` gets a method with a default body, that method has to be forwarded as well.
        #[deny(clippy::missing_trait_methods)]
        impl<S: Store + ?Sized> Store for $type {
            fn committed_by(&self) -> CommittedBy {
                (**self).committed_by()
            }

            async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
                (**self).insert(insert).await
            }

            async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
                (**self).apply(transitions).await
            }

            async fn get(
                &self,
                target: &Target,
                scope: &Scope,
            ) -> Result<Option<Record>, StoreError> {
                (**self).get(target, scope).await
            }

            async fn facts(
                &self,
                target: &Target,
                scope: &Scope,
                user: &UserId,
            ) -> Result<Option<Facts>, StoreError> {
                (**self).facts(target, scope, user).await
            }

            async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
                (**self).locate(target).await
            }

            async fn are_invited(
                &self,
                invitees: &[Invitee],
                now: Timestamp,
            ) -> Result<Vec<bool>, StoreError> {
                (**self).are_invited(invitees, now).await
            }

            async fn list(
                &self,
                scope: &Scope,
                filter: &Filter,
                page: &PageRequest<InvitationId>,
            ) -> Result<StorePage<Record, InvitationId>, StoreError> {
                (**self).list(scope, filter, page).await
            }

            async fn count(
                &self,
                scope: &Scope,
                filter: &Filter,
                cap: u32,
            ) -> Result<StatusCounts, StoreError> {
                (**self).count(scope, filter, cap).await
            }

            async fn redemptions(
                &self,
                scope: &Scope,
                invitation: InvitationId,
                page: &PageRequest<EventId>,
            ) -> Result<StorePage<Redemption, EventId>, StoreError> {
                (**self).redemptions(scope, invitation, page).await
            }

            async fn leases(
                &self,
                scope: &Scope,
                page: &PageRequest<EventId>,
            ) -> Result<StorePage<OpenLease, EventId>, StoreError> {
                (**self).leases(scope, page).await
            }

            async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
                (**self).record(events).await
            }

            async fn events(
                &self,
                scope: &Scope,
                filter: &EventFilter,
                page: &PageRequest<EventId>,
            ) -> Result<StorePage<Event, EventId>, StoreError> {
                (**self).events(scope, filter, page).await
            }

            async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
                (**self).purge(purge).await
            }
        }
    };
}

forward!(&S);
forward!(Box<S>);
forward!(Arc<S>);
