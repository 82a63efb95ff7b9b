//! The standing of the grantor: a host's hook says whether the grantor may still grant.

use invitation_core::{
    Amendment, Checked, Draft, EventOutcome, Expiry, IfVersion, Limits, Reason, Refusal,
    SystemActor, reserve::ReservationId,
};
use time::Duration;

use crate::{
    Fixture,
    support::{
        harness::{Harness, Service, refusal, reserved},
        samples::{admin, division, manager, newcomer, role, user},
        vouching::{Vouch, Voucher},
    },
};

/// Returns a hook and the service that asks it.
fn judged(harness: &Harness, vouch: Vouch) -> (Voucher, Service) {
    let voucher = Voucher::new(vouch);
    let service = harness.service.clone().with_standing(voucher.clone());
    (voucher, service)
}

/// Returns the code of an invitation that the manager of sales made.
async fn code_of_manager(harness: &Harness) -> String {
    let created = harness.service.create(&manager("sales"), Draft::new()).await;
    created.expect("a manager creates staff codes").code().reveal().to_string()
}

/// Calls each operation that presents a code, and returns its refusal.
async fn refusals(service: &Service, code: &str) -> [Refusal; 3] {
    let anna = newcomer("anna");
    [
        refusal(service.check(code, &anna, None).await),
        refusal(service.reserve(code, &anna).await),
        refusal(service.redeem(code, &anna).await),
    ]
}

/// A grantor who lost the right, a hook that fails and a hook that does not answer refuse every
/// presentation of a code, each with its own reason. The code is not spent: it is redeemed once
/// the host vouches again.
pub async fn grantor_without_standing_is_refused_and_the_code_stays_unspent(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (voucher, service) = judged(&harness, Vouch::Everybody);
    let code = code_of_manager(&harness).await;
    for (vouch, reason) in [
        (Vouch::Only(user("u-admin")), Reason::GrantorStanding),
        (Vouch::Fail, Reason::StandingUnknown),
        (Vouch::Hang, Reason::StandingUnknown),
    ] {
        let before = harness.snapshot().await;
        voucher.set(vouch.clone());
        assert_eq!(refusals(&service, &code).await, [(); 3].map(|()| Refusal::GrantWithdrawn));
        let after = harness.snapshot().await;
        assert_eq!(after.0, before.0, "{vouch:?}: the invitation is unchanged");
        assert_eq!(after.1.len(), before.1.len() + 3, "{vouch:?}: one event for each call");
        for event in &after.1[..3] {
            assert_eq!(event.outcome, EventOutcome::Refused, "{vouch:?}");
            assert_eq!(event.reason, Some(reason), "{vouch:?}");
            assert_eq!(event.invitation, Some(after.0[0].id), "{vouch:?}: it is named");
        }
        assert_eq!(voucher.take_questions().len(), 3, "{vouch:?}: one question for each call");
    }
    voucher.set(Vouch::Only(user("u-manager-sales")));
    let checked = service.check(&code, &newcomer("anna"), None).await;
    assert_eq!(checked.expect("the host vouches"), Checked::Redeemable);
    let redeemed = service.redeem(&code, &newcomer("anna")).await;
    assert!(redeemed.is_ok(), "the host vouches again: {redeemed:?}");
}

/// The hook is asked about the latest grant: who granted, in which role, what and where.
pub async fn hook_is_asked_about_the_latest_grant(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (voucher, service) = judged(&harness, Vouch::Only(user("u-admin")));
    let created = harness.service.create(&manager("sales"), Draft::new()).await;
    let created = created.expect("a manager creates staff codes");
    let (id, code) = (created.invitation().id(), created.code().reveal());

    let refused = refusal(service.redeem(&code, &newcomer("anna")).await);
    assert_eq!(refused, Refusal::GrantWithdrawn);
    let asked = ["u-manager-sales", "manager", "sales", "staff"].map(str::to_owned);
    assert_eq!(voucher.take_questions(), [(id, asked)]);

    // An administrator takes the grant over.
    let amendment = Amendment::new().with_role(role("manager"));
    harness.service.amend(&admin(), id, amendment, IfVersion::Any).await.expect("they may");
    let redeemed = service.redeem(&code, &newcomer("anna")).await.expect("the host vouches");
    assert_eq!(redeemed.role(), &role("manager"));
    let asked = ["u-admin", "admin", "sales", "manager"].map(str::to_owned);
    assert_eq!(voucher.take_questions(), [(id, asked)]);
}

/// A redeemer who has redeemed or reserved gets the same result again, and no question is asked.
/// None is asked about a code that cannot be redeemed, nor about a grant of the system.
pub async fn replay_refusal_and_grant_of_the_system_ask_nothing(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (voucher, service) = judged(&harness, Vouch::Everybody);
    let (redeemed, held) = (code_of_manager(&harness).await, code_of_manager(&harness).await);
    let (anna, ben) = (newcomer("anna"), newcomer("ben"));
    service.redeem(&redeemed, &anna).await.expect("the host vouches");
    let first = reserved(service.reserve(&held, &anna).await);
    assert_eq!(voucher.take_questions().len(), 2);

    voucher.set(Vouch::Fail);
    assert!(service.redeem(&redeemed, &anna).await.expect("a replay").is_replayed());
    let checked = service.check(&redeemed, &anna, None).await.expect("a replay");
    assert!(matches!(checked, Checked::AlreadyRedeemed(_)), "{checked:?}");
    assert_eq!(reserved(service.reserve(&held, &anna).await).id(), first.id());
    assert_eq!(refusal(service.redeem(&redeemed, &ben).await), Refusal::Used);
    let unknown = code_of_manager(&harness).await;
    let elsewhere = newcomer("ben").in_division(division("operations"));
    assert_eq!(refusal(service.redeem(&unknown, &elsewhere).await), Refusal::CodeUnknown);

    let draft = Draft::new().in_division(division("sales")).with_role(role("admin"));
    let created = service.create(&SystemActor::for_bootstrap(), draft).await;
    let code = created.expect("the system may").code().reveal();
    service.redeem(&code, &ben).await.expect("the system has no user to judge");
    assert_eq!(voucher.take_questions(), [], "nothing was asked");
}

/// A commit during the lease asks nothing. After its expiry it is refused without the standing
/// of the grantor, and the reservation can still be committed once the host vouches again.
pub async fn commit_asks_only_after_the_lease_has_expired(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (voucher, service) = judged(&harness, Vouch::Everybody);
    let anna = newcomer("anna");
    let mut held: Vec<ReservationId> = Vec::new();
    for _ in 0..2 {
        let code = code_of_manager(&harness).await;
        held.push(reserved(service.reserve(&code, &anna).await).id());
    }
    voucher.set(Vouch::Only(user("u-admin")));
    assert_eq!(voucher.take_questions().len(), 2);
    service.commit(held[0], &anna).await.expect("the lease has not expired");
    assert_eq!(voucher.take_questions(), [], "nothing was asked");

    harness.clock.advance(Limits::default().lease());
    for (vouch, reason) in [
        (Vouch::Only(user("u-admin")), Reason::GrantorStanding),
        (Vouch::Hang, Reason::StandingUnknown),
    ] {
        voucher.set(vouch);
        assert_eq!(refusal(service.commit(held[1], &anna).await), Refusal::GrantWithdrawn);
        assert_eq!(harness.events().await[0].reason, Some(reason));
    }
    voucher.set(Vouch::Everybody);
    service.commit(held[1], &anna).await.expect("the use is still held");
    voucher.set(Vouch::Fail);
    let again = service.commit(held[1], &anna).await.expect("a replay");
    assert!(again.is_replayed());
}

/// An answer counts for the grant that the host was asked about. If the terms change before the
/// code is redeemed, the host is asked about the new grant.
pub async fn answer_about_an_earlier_grant_does_not_count(fixture: Fixture) {
    let harness = Harness::new(fixture);
    // The host vouches for the manager. Meanwhile an administrator takes the grant over.
    for (n, step) in ["redeem", "reserve", "commit"].into_iter().enumerate() {
        let (voucher, service) = judged(&harness, Vouch::Everybody);
        let draft = Draft::new().expiring(Expiry::InDays(7));
        let created = harness.service.create(&manager("sales"), draft).await;
        let created = created.expect("a manager creates staff codes");
        let (id, code) = (created.invitation().id(), created.code().reveal());
        let anna = newcomer(&format!("anna{n}"));
        let mut reservation = None;
        if step == "commit" {
            reservation = Some(reserved(service.reserve(&code, &anna).await).id());
            harness.clock.advance(Limits::default().lease());
        }
        voucher.take_questions();
        voucher.set(Vouch::Only(user("u-manager-sales")));
        let administrator = harness.service.clone();
        voucher.meanwhile(async move {
            let later = Amendment::new().expiring(Expiry::InDays(9));
            administrator.amend(&admin(), id, later, IfVersion::Any).await.expect("they may");
        });
        let refused = match (step, reservation) {
            ("redeem", _) => refusal(service.redeem(&code, &anna).await),
            (_, Some(reservation)) => refusal(service.commit(reservation, &anna).await),
            _ => refusal(service.reserve(&code, &anna).await),
        };
        assert_eq!(refused, Refusal::GrantWithdrawn, "{step}");
        let asked = voucher.take_questions().into_iter().map(|(_, [grantor, ..])| grantor);
        assert_eq!(asked.collect::<Vec<_>>(), ["u-manager-sales", "u-admin"], "{step}");
        assert_eq!(harness.stored(id).await.uses, 0, "{step}: not spent");
        let events = harness.events_of_invitation(id).await;
        let reasons: Vec<_> = events.iter().filter_map(|event| event.reason).collect();
        assert_eq!(reasons, [Reason::GrantorStanding], "{step}");

        voucher.set(Vouch::Only(user("u-admin")));
        harness.clock.advance(Duration::microseconds(1));
        let redeemed = service.redeem(&code, &anna).await;
        assert!(redeemed.is_ok(), "{step}: the host vouches for the new grantor: {redeemed:?}");
    }
}
