//! The erasure of persons.

use async_trait::async_trait;
use invitation_core::{
    InvitationId, PageRequest, StoreError,
    erasure::{ErasedInvitations, Erasures, EventErasure, PersonErasure},
};

use crate::{SqlStore, dialect::Dialect, ops, store::retried};

#[async_trait]
impl<DB: Dialect> Erasures for SqlStore<DB> {
    async fn erase_invitations(
        &self,
        erasure: &PersonErasure,
        page: &PageRequest<InvitationId>,
    ) -> Result<ErasedInvitations, StoreError> {
        let mut conn = self.connections.acquire("erase_invitations").await?;
        let (id, names) = (Some(erasure.event.id), &self.names);
        retried!(self, conn, id, ops::erase_invitations::<DB>(&mut conn, names, erasure, page))
    }

    async fn erase_events(&self, erasure: &EventErasure) -> Result<(), StoreError> {
        let mut conn = self.connections.acquire("erase_events").await?;
        let id = Some(erasure.event().id);
        retried!(self, conn, id, ops::erase_events::<DB>(&mut conn, &self.names, erasure))
    }
}
