//! The erasure of persons from a namespace.

use async_trait::async_trait;
use invitation_core::{
    InvitationId, PageRequest, Position, StoreError,
    erasure::{ERASED, ErasedInvitations, ErasedName, Erasures, EventErasure, PersonErasure},
};

use crate::{
    calls::Answer,
    record,
    script::{ERASE_EVENTS, ERASE_INVITATIONS},
    store::{RedisStore, touch},
    wire::{self, Packed},
};

#[async_trait]
impl Erasures for RedisStore {
    async fn erase_invitations(
        &self,
        erasure: &PersonErasure,
        page: &PageRequest<InvitationId>,
    ) -> Result<ErasedInvitations, StoreError> {
        let event = erasure.evidence(0);
        // Only the script learns the number of changed invitations.
        let detail = erasure.evidence_template();
        let after = page.after.map(|after| place(&after));
        let mut p = Packed::array(11);
        p.text(erasure.user.as_str()).begin(erasure.addresses.len());
        for address in &erasure.addresses {
            p.text(address.as_str());
        }
        p.time(erasure.now).int(page.limit).opt_bytes(after.as_deref()).text(ERASED);
        record::pack_event(p.bytes(event.id.as_bytes()), &event);
        p.text(detail.before()).text(detail.after()).flag(self.calls.touches());
        let answer = self.calls.write("erase_invitations", &ERASE_INVITATIONS, &[p.done()]).await?;
        let mut answer = Answer::of("erase_invitations", answer)?;
        if answer.word() != b"erased" {
            return Err(answer.odd());
        }
        let mut numbers = [0; 3];
        for number in &mut numbers {
            *number = u32::try_from(answer.number()?).map_err(|_| answer.odd())?;
        }
        let [examined, erased, open] = numbers;
        let next = match answer.bytes()?.as_slice() {
            [] => None,
            last => Some(read_place(last).ok_or_else(|| answer.odd())?),
        };
        Ok(ErasedInvitations { examined, erased, open, next })
    }

    async fn erase_events(&self, erasure: &EventErasure) -> Result<(), StoreError> {
        let mut arguments = Vec::with_capacity(3 + 2 * erasure.events().len());
        arguments.push(touch(&self.calls));
        arguments.push(erasure.event().id.as_bytes().to_vec());
        arguments.push(record::write_event(erasure.event()));
        for event in erasure.events() {
            let replacements: Vec<_> = event.replacements().collect();
            let mut p = Packed::array(4);
            p.flag(event.name.is_some())
                .opt_text(event.name.and_then(ErasedName::kept))
                .flag(event.source)
                .begin(2 * replacements.len());
            for (before, after) in &replacements {
                p.text(before).text(after);
            }
            arguments.push(event.id.as_bytes().to_vec());
            arguments.push(p.done());
        }
        let answer = self.calls.write("erase_events", &ERASE_EVENTS, &arguments).await?;
        let answer = Answer::of("erase_events", answer)?;
        match answer.word() {
            b"erased" | b"before" => Ok(()),
            _ => Err(answer.odd()),
        }
    }
}

/// Returns the place of an invitation in the index: its time of creation and its id.
fn place(position: &Position<InvitationId>) -> Vec<u8> {
    [wire::time(position.at).as_slice(), position.id.as_bytes()].concat()
}

fn read_place(bytes: &[u8]) -> Option<Position<InvitationId>> {
    let (at, id) = bytes.split_first_chunk()?;
    let id = InvitationId::from_bytes(id.try_into().ok()?);
    Some(Position { at: wire::read_time(*at)?, id })
}
