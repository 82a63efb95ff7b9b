//! The erasure of persons from a store behind an interceptor.

use async_trait::async_trait;

use super::{Intercept, Interceptor, Operation};
use crate::{
    erasure::{ErasedInvitations, Erasures, EventErasure, PersonErasure},
    id::InvitationId,
    page::PageRequest,
    store_error::StoreError,
};

#[async_trait]
impl<S: Erasures, I: Interceptor> Erasures for Intercept<S, I> {
    async fn erase_invitations(
        &self,
        erasure: &PersonErasure,
        page: &PageRequest<InvitationId>,
    ) -> Result<ErasedInvitations, StoreError> {
        let call = self.store.erase_invitations(erasure, page);
        self.one(Operation::EraseInvitations, call).await
    }

    async fn erase_events(&self, erasure: &EventErasure) -> Result<(), StoreError> {
        self.one(Operation::EraseEvents, self.store.erase_events(erasure)).await
    }
}
