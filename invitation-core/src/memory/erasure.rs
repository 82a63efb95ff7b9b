//! The erasure of persons from the in-memory store.

use std::ops::Bound;

use async_trait::async_trait;

use super::{MemoryStore, one_more, state::before};
use crate::{
    erasure::{ErasedInvitations, Erasures, EventErasure, PersonErasure},
    id::InvitationId,
    page::{PageRequest, StorePage},
    query::Position,
    store_error::StoreError,
};

#[async_trait]
impl Erasures for MemoryStore {
    async fn erase_invitations(
        &self,
        erasure: &PersonErasure,
        page: &PageRequest<InvitationId>,
    ) -> Result<ErasedInvitations, StoreError> {
        let mut state = self.state();
        let newest = state.newest.range((Bound::Unbounded, before(page.after))).rev();
        let found: Vec<_> =
            newest.take(one_more(page.limit)).map(|(at, slot)| (*at, *slot)).collect();
        let position = |((at, id), _): &_| Position { at: *at, id: *id };
        let StorePage { items, next } = StorePage::from_one_more(found, page.limit, position);
        let (mut erased, mut open) = (0, 0);
        for (_, slot) in &items {
            let stored = &mut state.invitations[*slot];
            open += u32::from(erasure.leaves_open(&stored.invitation));
            erased += u32::from(stored.erase(erasure).any());
        }
        if erased > 0 {
            state.write(erasure.evidence(erased));
        }
        let examined = u32::try_from(items.len()).unwrap_or(u32::MAX);
        Ok(ErasedInvitations { examined, erased, open, next })
    }

    async fn erase_events(&self, erasure: &EventErasure) -> Result<(), StoreError> {
        let mut state = self.state();
        if !state.has_event(&erasure.event().id) {
            for event in erasure.events() {
                state.erase_event(event);
            }
            state.write(erasure.event().clone());
        }
        Ok(())
    }
}
