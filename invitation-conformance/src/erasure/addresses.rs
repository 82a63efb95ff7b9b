//! The address of the erased person.

use invitation_core::{
    Amendment, Binding, Detail, Email, Expiry, IfVersion, InvitationId, Refusal, erasure::ERASED,
};
use time::Duration;

use super::{
    ErasureFixture,
    scenario::{
        ADDRESS, MASK, Scenario, canary, canary_with_email, draft, for_canary, for_three, left_open,
    },
};
use crate::support::{
    harness::refusal,
    samples::{admin, domain, email, newcomer, newcomer_with_email},
};

impl Scenario {
    async fn is_erased(&self, id: InvitationId) -> bool {
        self.record(id).await.binding == Binding::Address(Email::erased())
    }

    /// Returns to whom the events of an invitation say that it is bound.
    async fn masks(&self, id: InvitationId) -> Vec<String> {
        let events = self.events().await;
        let own = events.iter().filter(|event| event.invitation == Some(id));
        own.filter_map(|event| event.detail.get(Detail::BOUND_TO).map(str::to_owned)).collect()
    }
}

/// The address of used, revoked, expired and deleted invitations is erased, with its masked form
/// in their events. One that is open stays, is counted, and is erased once it is revoked.
pub async fn address_of_ended_invitations_is_erased_and_open_ones_are_counted(
    fixture: ErasureFixture,
) {
    let scenario = Scenario::new(fixture);
    let create = async |draft| scenario.create(&admin(), draft).await.invitation().id();
    let service = &scenario.service;
    let used = scenario.redeemed(for_canary(), &[canary_with_email()]).await;
    let expired = create(for_canary().expiring(Expiry::InDays(1))).await;
    let [open, revoked, deleted] = [(); 3].map(|()| for_canary());
    let (open, revoked, deleted) =
        (create(open).await, create(revoked).await, create(deleted).await);
    let like = create(draft().for_email(email("quentin@example.com"))).await;
    let moved = create(for_canary()).await;
    let terms = Amendment::new().for_email(email("ben@example.com"));
    service.amend(&admin(), moved, terms, IfVersion::Any).await.expect("they may");
    for id in [revoked, like, moved] {
        service.revoke(&admin(), id, None, IfVersion::Any).await.expect("they may");
    }
    service.delete(&admin(), deleted, IfVersion::Any).await.expect("they may");
    scenario.clock.advance(Duration::days(1));

    let pages = scenario.erase(200).await;
    assert_eq!(left_open(&pages), 1);
    for id in [used, expired, revoked, deleted] {
        assert!(scenario.is_erased(id).await, "{id}");
        assert_eq!(scenario.masks(id).await, [ERASED], "{id}");
    }
    assert_eq!(scenario.found(ADDRESS).await, [open]);
    assert_eq!(scenario.masks(open).await, [MASK]);
    assert_eq!(scenario.masks(like).await, [MASK], "another address with the same mask");
    assert_eq!(scenario.masks(moved).await, ["b***@example.com", ERASED], "its first address");

    service.revoke(&admin(), open, None, IfVersion::Any).await.expect("they may");
    assert_eq!(left_open(&scenario.erase(200).await), 0);
    assert!(scenario.is_erased(open).await);
    assert_eq!(scenario.masks(open).await, [ERASED]);
    assert!(scenario.found(ADDRESS).await.is_empty());
}

/// An invitation whose address was erased cannot be redeemed, also when it is reinstated, until it
/// gets another address.
pub async fn invitation_without_its_erased_address_admits_nobody(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let created = scenario.create(&admin(), for_canary()).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let service = &scenario.service;
    service.revoke(&admin(), id, None, IfVersion::Any).await.expect("they may");
    scenario.erase(9).await;
    service.reinstate(&admin(), id, IfVersion::Any).await.expect("they may");
    for by in [canary_with_email(), canary(), newcomer_with_email("ben", "ben@example.com")] {
        let answer = service.redeem(&code, &by).await;
        assert_eq!(refusal(answer), Refusal::AddressProofRequired, "{by:?}");
    }
    let terms = Amendment::new().for_email(email("ben@example.com"));
    service.amend(&admin(), id, terms, IfVersion::Any).await.expect("they may");
    assert_eq!(scenario.found("ben@example.com").await, [id]);
    let ben = newcomer_with_email("ben", "ben@example.com");
    service.redeem(&code, &ben).await.expect("it is for Ben");
}

/// The proved address of a redemption and of a reservation no longer holds a mailbox of a code for
/// a domain. The use stays redeemed, and the reservation can be committed.
pub async fn erased_address_frees_its_mailbox(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let service = &scenario.service;
    let draft = || for_three().for_domain(domain("example.com"));
    let first = scenario.create(&admin(), draft()).await;
    scenario.redeem(&first, &canary_with_email()).await;
    let second = scenario.create(&admin(), draft()).await;
    let code = second.code().reveal();
    let reserved = service.reserve(&code, &canary_with_email()).await.expect("a use is free");
    let invitation_core::Reserved::Open(reservation) = reserved else { panic!("not redeemed") };
    let eve = newcomer_with_email("eve", ADDRESS);
    for created in [&first, &second] {
        assert!(service.redeem(&created.code().reveal(), &eve).await.is_err(), "it is used");
    }
    scenario.erase(9).await;
    for created in [&first, &second] {
        service.redeem(&created.code().reveal(), &eve).await.expect("it is free");
    }
    service.commit(reservation.id(), &canary()).await.expect("the lease is kept");
    for (created, uses) in [(&first, 2), (&second, 2)] {
        let record = scenario.record(created.invitation().id()).await;
        assert_eq!((record.uses, record.held), (uses, 0));
        let made = scenario.redemptions(record.id).await;
        let mailboxes = made.iter().filter(|made| made.mailbox.is_some()).count();
        assert_eq!((made.len(), mailboxes), (2, 1), "{made:?}");
    }
    assert!(service.redeem(&code, &newcomer("ben")).await.is_err(), "it needs an address");
}
