//! The port of a store from which persons can be erased.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::{ErasedInvitations, EventErasure, PersonErasure};
use crate::{id::InvitationId, page::PageRequest, store_error::StoreError};

/// The erasure of persons from a store.
///
/// # For implementors
///
/// The requirements on every call of [`Store`](crate::Store) apply here too.
/// [`PersonErasure::apply_to`] is the specification of what changes. Nothing else changes: no
/// version, no lease ends, and the feed keeps its positions.
///
/// A call that is repeated finds nothing to erase, and changes nothing.
#[async_trait]
pub trait Erasures: fmt::Debug + Send + Sync {
    /// Erases a person from one page of invitations, tombstones included, newest first: by the
    /// time of creation, then by id, both descending. This is one atomic step:
    ///
    /// 1. For each invitation of the page, [apply](PersonErasure::apply_to) the erasure to the
    ///    invitation, and to the redemption and the lease of its [user](PersonErasure::user).
    /// 2. A search MUST no longer find an invitation by what was erased. The terms of other
    ///    redeemers of the same name stay.
    /// 3. Unless no invitation changed, write the [`evidence`](PersonErasure::evidence).
    ///
    /// An invitation whose state changes between two pages MUST be on one of them. MUST bound its
    /// work by the page, except for an invitation that the user has redeemed: its cost may grow
    /// with its redemptions.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn erase_invitations(
        &self,
        erasure: &PersonErasure,
        page: &PageRequest<InvitationId>,
    ) -> Result<ErasedInvitations, StoreError>;

    /// Erases the parts of those [events](EventErasure::events) that are still stored, and writes
    /// the event of the erasure, in one atomic step. If that event is on record, nothing changes.
    ///
    /// [`ErasedEvent::apply_to`](super::ErasedEvent::apply_to) is the specification. MUST apply
    /// it to the events as they are stored in this step, and MUST NOT write any other part of
    /// them: another erasure may have changed them since the service read them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn erase_events(&self, erasure: &EventErasure) -> Result<(), StoreError>;
}

macro_rules! forward {
    ($type:ty) => {
        #[async_trait]
        impl<E: Erasures + ?Sized> Erasures for $type {
            async fn erase_invitations(
                &self,
                erasure: &PersonErasure,
                page: &PageRequest<InvitationId>,
            ) -> Result<ErasedInvitations, StoreError> {
                (**self).erase_invitations(erasure, page).await
            }

            async fn erase_events(&self, erasure: &EventErasure) -> Result<(), StoreError> {
                (**self).erase_events(erasure).await
            }
        }
    };
}

forward!(&E);
forward!(Box<E>);
forward!(Arc<E>);
