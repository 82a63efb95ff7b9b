//! The grant ceiling: no actor grants a role above their own rights, on any path.

use invitation_core::{
    Action, Actor, Amendment, Draft, EventOutcome, Expiry, IfVersion, Inviter, Performer, Policy,
    Reason, Record, Refusal, Revocation, Right, Rights, SystemActor,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::{Harness, refusal},
        samples::{admin, division, email, manager, newcomer, newcomer_with_email, role, user},
    },
};

/// Returns a policy with a lead role, which has every right but can grant only the staff
/// role.
fn policy_with_lead() -> Policy {
    let lead = Rights::none().may(Right::ALL).granting([role("staff")]);
    Policy::default().with_role(role("lead"), lead)
}

fn lead() -> Actor {
    Actor::in_division(user("u-lead"), role("lead"), division("sales"))
}

/// Redeeming checks which roles the inviter's role may grant under the policy of that
/// moment. A policy change can allow or forbid the redemption.
pub async fn redeem_follows_the_current_policy(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let made = async || {
        let created = harness.service.create(&manager("sales"), Draft::new()).await;
        created.expect("a manager creates staff codes").code().reveal()
    };
    let demoted = Policy::default().with_role(role("manager"), Rights::none());
    let demoted = harness.service.clone().with_policy(demoted);
    let code = made().await;
    let refused = refusal(demoted.redeem(&code, &newcomer("anna")).await);
    assert_eq!(refused, Refusal::GrantWithdrawn, "under the stricter policy");
    let events = harness.events_by_user(&user("u-anna")).await;
    assert_eq!(events.len(), 1, "one event");
    assert_eq!(events[0].reason, Some(Reason::GrantWithdrawn), "with the reason");
    let redeemed = harness.service.redeem(&code, &newcomer("anna")).await;
    assert!(redeemed.is_ok(), "the code was not spent: {redeemed:?}");

    let silent = harness.service.clone().with_policy(Policy::empty());
    let refused = refusal(silent.redeem(&made().await, &newcomer("bob")).await);
    assert_eq!(refused, Refusal::GrantWithdrawn, "nothing is allowed by silence");
}

/// Redeeming checks the role of the grantor: the creator, then the performer of the latest
/// change of role or expiry, rotation or reinstatement. The inviter is always the creator.
pub async fn redeem_checks_the_role_of_the_latest_grantor(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let demoted = Policy::default().with_role(role("manager"), Rights::none());
    let demoted = harness.service.clone().with_policy(demoted);
    let (service, any) = (&harness.service, IfVersion::Any);
    let by = |actor: &Actor| {
        let (user, role) = (actor.user().clone(), actor.role().clone());
        Inviter::User { user, role, name: None }
    };
    for (what, grants) in [
        ("no change", false),
        ("another e-mail address", false),
        ("a revocation", false),
        ("a revocation and its end", true),
        ("a role above the creator's rights", true),
        ("the present role", true),
        ("a later expiry", true),
        ("a new code", true),
    ] {
        let created = service.create(&manager("sales"), Draft::new()).await;
        let created = created.expect("a manager creates staff codes");
        let (id, mut code) = (created.invitation().id(), created.code().reveal());
        let amend = async |amendment: Amendment| {
            service.amend(&admin(), id, amendment, any).await.expect("an administrator may");
        };
        match what {
            "another e-mail address" => amend(Amendment::new().for_email(email("a@b.co"))).await,
            "a revocation" | "a revocation and its end" => {
                service.revoke(&admin(), id, None, any).await.expect("an administrator may");
                if grants {
                    service.reinstate(&admin(), id, any).await.expect("an administrator may");
                }
            }
            "a role above the creator's rights" => {
                amend(Amendment::new().with_role(role("admin"))).await;
            }
            "the present role" => amend(Amendment::new().with_role(role("staff"))).await,
            "a later expiry" => amend(Amendment::new().expiring(Expiry::InDays(9))).await,
            "a new code" => {
                let rotated = service.rotate(&admin(), id, any).await;
                code = rotated.expect("an administrator may").code().reveal();
            }
            _ => {}
        }
        let shown = harness.shown(id).await;
        let grantor = if grants { admin() } else { manager("sales") };
        assert_eq!(*shown.grantor(), by(&grantor), "{what}: the grantor");
        assert_eq!(*shown.inviter(), by(&manager("sales")), "{what}: the inviter stays");
        if shown.revocation().is_some() {
            continue;
        }
        // The manager's role may grant nothing any more, and an administrator's still may.
        let anna = newcomer_with_email("anna", "a@b.co");
        match demoted.redeem(&code, &anna).await {
            Ok(redeemed) => {
                assert!(grants, "{what}: the manager grants nothing now");
                assert_eq!(redeemed.role(), shown.role(), "{what}: the amended role");
            }
            refused => {
                assert_eq!(refusal(refused), Refusal::GrantWithdrawn, "{what}");
                assert!(!grants, "{what}: the administrator still grants the role");
            }
        }
    }
}

/// Invitations created by the system have no ceiling at redemption. The system can create
/// only roles that the policy knows.
pub async fn system_invitation_has_no_ceiling(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let system = SystemActor::for_bootstrap();
    let draft = || Draft::new().in_division(division("sales"));
    let created = harness.service.create(&system, draft().with_role(role("admin"))).await;
    let created = created.expect("the system may");
    assert_eq!(created.invitation().inviter(), &Inviter::System);
    let events = harness.events_of_invitation(created.invitation().id()).await;
    assert_eq!(events.len(), 1, "its evidence");
    assert_eq!(
        (&events[0].performer, events[0].action),
        (&Performer::System { name: None }, Action::Create)
    );
    let silent = harness.service.clone().with_policy(Policy::empty());
    let redeemed = silent.redeem(&created.code().reveal(), &newcomer("root")).await;
    assert_eq!(redeemed.map(|redeemed| redeemed.role().clone()).ok(), Some(role("admin")));

    let before = harness.snapshot().await.0;
    for name in ["root", "Admin", "admin,staff"] {
        let answer = harness.service.create(&system, draft().with_role(role(name))).await;
        assert_eq!(refusal(answer), Refusal::UnknownRole { role: role(name) }, "{name}");
    }
    assert_eq!(harness.snapshot().await.0, before, "nothing is stored");
}

/// Amending, rotating and reinstating grant the invitation's role again. An actor without
/// the right to grant that role is denied, and the denial is recorded. Revoking and
/// deleting grant nothing and need no such right.
pub async fn amend_rotate_and_reinstate_need_the_right_to_grant(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    let service = harness.service.clone().with_policy(policy_with_lead());
    let made = |carried: &str, revoked: bool| Record {
        role: role(carried),
        revocation: revoked.then(|| Revocation { at: harness.now(), reason: None }),
        ..factory.invitation()
    };
    let any = IfVersion::Any;
    for (carried, allowed) in [("staff", true), ("manager", false), ("root", false)] {
        let rows = [made(carried, false), made(carried, false), made(carried, true)];
        factory.insert(&*harness.store, &rows).await;
        let extend = Amendment::new().expiring(Expiry::InDays(9));
        let to_staff = Amendment::new().with_role(role("staff"));
        let answers = [
            (&rows[0], service.amend(&lead(), rows[0].id, extend, any).await.map(drop)),
            (&rows[0], service.amend(&lead(), rows[0].id, to_staff, any).await.map(drop)),
            (&rows[1], service.rotate(&lead(), rows[1].id, any).await.map(drop)),
            (&rows[2], service.reinstate(&lead(), rows[2].id, any).await.map(drop)),
        ];
        for (n, (row, answer)) in answers.into_iter().enumerate() {
            if allowed {
                assert!(answer.is_ok(), "{carried}, change {n}: {answer:?}");
                continue;
            }
            let expected = not_grantable(&policy_with_lead(), carried);
            assert_eq!(refusal(answer), expected, "{carried}, change {n}");
            assert_eq!(harness.stored(row.id).await, *row, "{carried}, change {n}: unchanged");
            let events = harness.events_of_invitation(row.id).await;
            assert_eq!(events[0].outcome, EventOutcome::Denied, "{carried}, change {n}");
            assert_eq!(events[0].reason, Some(Reason::RoleNotGrantable), "{carried}, change {n}");
        }
        let row = made(carried, false);
        factory.insert(&*harness.store, std::slice::from_ref(&row)).await;
        let revoked = service.revoke(&lead(), row.id, None, any).await;
        assert!(revoked.is_ok(), "{carried}: revoking grants nothing: {revoked:?}");
        let deleted = service.delete(&lead(), row.id, any).await;
        assert!(deleted.is_ok(), "{carried}: deleting grants nothing: {deleted:?}");
    }
}

/// An amendment to a role above the actor's own rights is denied, whatever role the
/// invitation has. A batch creation with such a role is denied too. Nothing is stored.
pub async fn amend_or_create_above_the_own_rights_is_denied(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = harness.service.clone().with_policy(policy_with_lead());
    let created = service.create(&lead(), Draft::new().for_email(email("a@example.com"))).await;
    let row = created.expect("a lead creates staff codes").invitation().clone();
    for name in ["manager", "admin", "lead", "root", "Staff", "staff,admin", "STAFF"] {
        let amendment = Amendment::new().with_role(role(name));
        let answer = service.amend(&lead(), row.id(), amendment, IfVersion::Any).await;
        let expected = not_grantable(&policy_with_lead(), name);
        assert_eq!(refusal(answer), expected, "amended to {name}");
        assert_eq!(harness.shown(row.id()).await, row, "{name}: unchanged");

        let before = harness.snapshot().await;
        let drafts = vec![Draft::new(), Draft::new().with_role(role(name)), Draft::new()];
        let answer = service.create_many(&lead(), drafts).await;
        assert_eq!(refusal(answer), expected, "in a batch as {name}");
        let after = harness.snapshot().await;
        assert_eq!(after.0, before.0, "{name}: none of the batch is stored");
        assert_eq!(after.1.len(), before.1.len() + 1, "{name}: one denial for the batch");
        assert_eq!(after.1[0].outcome, EventOutcome::Denied, "{name}");
    }
}

/// Returns the refusal of a role that the actor may not grant.
fn not_grantable(policy: &Policy, name: &str) -> Refusal {
    let role = role(name);
    if policy.knows(&role) {
        Refusal::RoleNotGrantable { role }
    } else {
        Refusal::UnknownRole { role }
    }
}
