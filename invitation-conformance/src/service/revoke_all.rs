//! Revoking many invitations at once.

use invitation_core::{
    Action, Actor, Criteria, Draft, Error, EventOutcome, Expiry, IfVersion, InvitationId, Limits,
    Paging, Reason, Refusal, Right, Status,
};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal},
        quotas::staff_draft,
        samples::{admin, division, email, manager, newcomer, role, user},
    },
};

/// Revokes all matching invitations page by page. Returns their ids.
async fn revoke_in_pages(
    harness: &Harness,
    actor: &Actor,
    criteria: &Criteria,
    limit: u32,
) -> Vec<InvitationId> {
    let (mut revoked, mut paging) = (Vec::new(), Paging::first(limit).expect("a page"));
    loop {
        let page = harness.service.revoke_all(actor, criteria, Some("swept"), paging).await;
        let page = page.expect("may revoke");
        assert!(page.revoked().len() <= usize::try_from(limit).expect("small"), "a page");
        revoked.extend_from_slice(page.revoked());
        let Some(next) = page.next() else { return revoked };
        paging = Paging::first(limit).expect("a page").after(next);
    }
}

/// Sorts ids for comparison.
fn sorted(mut ids: Vec<InvitationId>) -> Vec<InvitationId> {
    ids.sort();
    ids
}

async fn revoked(harness: &Harness, id: InvitationId) -> bool {
    harness.stored(id).await.revocation.is_some()
}

/// `revoke_all` revokes exactly the invitations that match the criteria: by inviter, division,
/// batch, role and search. Each keeps the reason and gets one event.
pub async fn revoke_all_revokes_what_the_criteria_match(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = &harness.service;
    let batch = service
        .create_many(&admin(), vec![staff_draft(), staff_draft()])
        .await
        .expect("may create");
    let batch: Vec<_> = batch.iter().map(invitation_core::Created::invitation).cloned().collect();
    let of_manager = service.create(&manager("sales"), Draft::new()).await.expect("may create");
    let hr = harness.create(Draft::new().in_division(division("hr"))).await;
    let role_draft = Draft::new().with_role(role("manager"));
    let by_role = harness.create(role_draft).await;
    let anna = harness.create(Draft::new().for_email(email("anna@example.com"))).await;
    let by_code = harness.create(Draft::new()).await;
    let spared = harness.create(Draft::new()).await.invitation().id();
    let code: String = by_code.code().reveal().replace('-', "").chars().take(14).collect();
    let cases = [
        (
            Criteria::new().in_batch(batch[0].batch().expect("one")),
            vec![batch[0].id(), batch[1].id()],
        ),
        (
            Criteria::new().by_inviter(manager("sales").user().clone()),
            vec![of_manager.invitation().id()],
        ),
        (Criteria::new().in_division(division("hr")), vec![hr.invitation().id()]),
        (Criteria::new().with_role(role("manager")), vec![by_role.invitation().id()]),
        (Criteria::new().matching("anna"), vec![anna.invitation().id()]),
        (Criteria::new().matching(code), vec![by_code.invitation().id()]),
    ];
    for (criteria, expected) in cases {
        let before = harness.events().await.len();
        let swept = revoke_in_pages(&harness, &admin(), &criteria, 200).await;
        assert_eq!(sorted(swept), sorted(expected.clone()), "{criteria:?}");
        assert_eq!(harness.events().await.len(), before + expected.len(), "one event each");
        for id in expected {
            let stored = harness.stored(id).await;
            let revocation = stored.revocation.expect("it is withdrawn");
            assert_eq!(revocation.reason.as_deref(), Some("swept"), "with the reason");
            assert_eq!((revocation.at, stored.version), (harness.now(), 2), "as by hand");
            let event = &harness.events_of_invitation(id).await[0];
            assert_eq!((event.action, event.outcome), (Action::Revoke, EventOutcome::Succeeded));
            assert_eq!(event.performer.user(), Some(admin().user()), "who");
            let detail = event.detail.get("reason");
            assert_eq!(detail, Some("swept"), "why");
        }
        assert!(!revoked(&harness, spared).await, "nothing else is touched");
    }
}

/// `revoke_all` revokes invitations that have uses left and are not revoked, including expired
/// and reserved ones. Used-up, revoked and deleted invitations stay as they are.
pub async fn revoke_all_skips_used_revoked_and_deleted_invitations(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (service, any) = (&harness.service, IfVersion::Any);
    let expired = harness.create(Draft::new().expiring(Expiry::InDays(1))).await;
    let used = harness.create(Draft::new()).await;
    let part = harness.create_for_uses(2).await;
    for created in [&used, &part] {
        let code = created.code().reveal();
        service.redeem(&code, &newcomer("anna")).await.expect("it is active");
    }
    let held = harness.create(Draft::new()).await;
    let reservation = harness.reserve(&held.code().reveal(), "bob").await;
    let (gone, old) = (harness.create(Draft::new()).await, harness.create(Draft::new()).await);
    service.delete(&admin(), gone.invitation().id(), any).await.expect("may delete");
    service.revoke(&admin(), old.invitation().id(), Some("before"), any).await.expect("may revoke");
    harness.clock.advance(time::Duration::days(2));
    let before = harness.snapshot().await;
    let mut stay = Vec::new();
    for created in [&used, &gone, &old] {
        stay.push(harness.stored(created.invitation().id()).await);
    }
    let only_active = Criteria::new().with_status(Status::Active);
    let swept = revoke_in_pages(&harness, &admin(), &only_active, 200).await;
    let expected = [&part, &held].map(|created| created.invitation().id()).to_vec();
    assert_eq!(sorted(swept), sorted(expected), "the status narrows too");
    let swept = revoke_in_pages(&harness, &admin(), &Criteria::new(), 200).await;
    assert_eq!(swept, [expired.invitation().id()], "an expired one cannot be extended any more");
    for row in stay {
        assert_eq!(harness.stored(row.id).await, row, "it stays as it is");
    }
    assert_eq!(harness.events().await.len(), before.1.len() + 3, "one event each");
    let late = service.commit(reservation.id(), &newcomer("bob")).await;
    assert_eq!(refusal(late), Refusal::Revoked, "reservations end");
    let again = revoke_in_pages(&harness, &admin(), &Criteria::new(), 200).await;
    assert!(again.is_empty(), "there is nothing left to withdraw");
}

/// Revoking in pages of any length gives the same result as one page. An interrupted call
/// continues from the last cursor or from the beginning. Invitations created in between
/// stay.
pub async fn interrupted_revoke_all_continues_at_its_cursor(fixture: Fixture) {
    let harness = Harness::new(fixture);
    for (limit, anew) in [(1, false), (3, false), (3, true), (200, true)] {
        let created = harness.service.create_many(&admin(), vec![staff_draft(); 8]).await;
        let all = created.expect("may create");
        let all: Vec<_> = all.iter().map(|created| created.invitation().id()).collect();
        harness.clock.advance(time::Duration::SECOND);
        let (criteria, first) = (Criteria::new(), Paging::first(limit).expect("a page"));
        let page = harness.service.revoke_all(&admin(), &criteria, None, first).await;
        let page = page.expect("may revoke");
        let mut swept = page.revoked().to_vec();
        harness.clock.advance(time::Duration::SECOND);
        let late = harness.create(Draft::new()).await.invitation().id();
        let mut paging = first;
        let mut next = page.next();
        while let Some(cursor) = next {
            paging = paging.after(cursor);
            let page = harness.service.revoke_all(&admin(), &criteria, None, paging).await;
            let page = page.expect("may revoke");
            swept.extend_from_slice(page.revoked());
            next = page.next();
            if anew && swept.len() > 5 {
                break;
            }
        }
        if anew {
            let before = swept.len();
            swept.extend(revoke_in_pages(&harness, &admin(), &Criteria::new(), limit).await);
            let at = swept.iter().position(|id| *id == late);
            assert!(at.is_some_and(|at| at >= before), "by then it was there: {limit}");
            swept.retain(|id| *id != late);
        } else {
            assert!(!revoked(&harness, late).await, "what was created in between stays: {limit}");
            revoke_in_pages(&harness, &admin(), &Criteria::new(), 200).await;
        }
        assert_eq!(sorted(swept), sorted(all), "each once, in pages of {limit}");
    }
}

/// `revoke_all` revokes nothing out of the actor's reach, and nothing at all without the right
/// to revoke. Invalid input is refused before anything is changed.
pub async fn revoke_all_stays_within_the_actors_reach(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let foreign = harness.create(Draft::new().in_division(division("hr"))).await.invitation().id();
    let own = harness.create(Draft::new()).await.invitation().id();
    let at_home = Actor::in_division(user("u-1"), role("admin"), division("sales"));
    let (service, all, page) = (&harness.service, Criteria::new(), Paging::default());
    let answer = service.revoke_all(&manager("sales"), &all, None, page).await;
    assert_eq!(refusal(answer), Refusal::Forbidden { right: Right::Revoke }, "no right");
    let named = Criteria::new().in_division(division("hr"));
    let answer = service.revoke_all(&at_home, &named, None, page).await;
    let expected = Refusal::DivisionNotAllowed { division: division("hr") };
    assert_eq!(refusal(answer), expected, "another division");
    let events = harness.events_by_user(at_home.user()).await;
    assert_eq!(events.len(), 1, "one denial: {events:?}");
    let denied = (events[0].action, events[0].outcome, events[0].reason);
    let expected = (Action::Revoke, EventOutcome::Denied, Some(Reason::DivisionNotAllowed));
    assert_eq!(denied, expected, "on record");
    for reason in ["x".repeat(Limits::MAX_REASON + 1), "a\u{7}b".to_owned()] {
        let answer = service.revoke_all(&admin(), &all, Some(&reason), page).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "a reason of {} bytes", reason.len());
    }
    assert!(!revoked(&harness, own).await && !revoked(&harness, foreign).await, "nothing is done");
    assert_eq!(revoke_in_pages(&harness, &at_home, &all, 200).await, [own], "what is within reach");
    assert!(!revoked(&harness, foreign).await, "another division's stays");
}
