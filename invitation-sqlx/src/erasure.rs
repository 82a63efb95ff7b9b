//! The erasure of persons.

use async_trait::async_trait;
use invitation_core::{
    InvitationId, PageRequest, StoreError,
    erasure::{ErasedInvitations, Erasures, EventErasure, PersonErasure},
};

use crate::{SqlStore, calls::change, dialect::Dialect, ops};

#[async_trait]
impl<DB: Dialect> Erasures for SqlStore<DB> {
    async fn erase_invitations(
        &self,
        erasure: &PersonErasure,
        page: &PageRequest<InvitationId>,
    ) -> Result<ErasedInvitations, StoreError> {
        let id = Some(erasure.event.id);
        change!(self, "erase_invitations", id, on => ops::erase_invitations(on, erasure, page))
    }

    async fn erase_events(&self, erasure: &EventErasure) -> Result<(), StoreError> {
        let id = Some(erasure.event().id);
        change!(self, "erase_events", id, on => ops::erase_events(on, erasure))
    }
}
