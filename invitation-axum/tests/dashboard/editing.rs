//! Forms that change an invitation: what another user has changed meanwhile is kept, a form that is
//! sent twice changes once, and a full quota is said with the time to wait.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Amendment, Cap, Division, Draft, Email, EventCriteria, EventOutcome, IfVersion,
    InvitationId, Limits, Paging, Role,
};
use time::Duration;

use crate::support::{Answer, Harness, MOUNT, person};

/// Creates an invitation for an address in the division of sales.
async fn invite(harness: &Harness, email: &str) -> InvitationId {
    let draft = Draft::new().with_role(Role::new("staff").expect("a role"));
    let draft = draft.in_division(Division::new("sales").expect("a division"));
    let draft = draft.for_email(Email::parse(email).expect("an address"));
    let admin = person("admin").expect("a person");
    let created = harness.service().create(&admin, draft).await.expect("an administrator may");
    created.invitation().id()
}

/// Gives an invitation another address, as another user does meanwhile.
async fn amend(harness: &Harness, id: InvitationId, email: &str) {
    let amendment = Amendment::new().for_email(Email::parse(email).expect("an address"));
    let admin = person("admin").expect("a person");
    let amended = harness.service().amend(&admin, id, amendment, IfVersion::Any).await;
    amended.expect("an administrator may");
}

/// Returns the version that the form of a page is based on.
fn version(page: &Answer) -> String {
    let rest = page.text().split("name=\"version\" value=\"").nth(1).expect("a version");
    rest.split('"').next().expect("an end").to_owned()
}

#[tokio::test]
async fn edit_with_a_mistake_keeps_what_another_user_changed_meanwhile() {
    let harness = Harness::dashboard();
    for mistyped in ["soon", "900"] {
        let id = invite(&harness, "anna@example.com").await;
        let path = format!("/{id}/edit");
        amend(&harness, id, "ben@example.com").await;
        let form = |version, days| {
            let terms = [("email", "anna@example.com"), ("role", "staff")];
            [[("version", version), ("expires_in_days", days)], terms].concat()
        };
        let page = harness.post_form("admin", &path, &form("1", mistyped)).await.is(422);
        let page = page.says("id=\"inv-expires_in_days-error\"");
        let based_on = version(&page);
        let page = harness.post_form("admin", &path, &form(&based_on, "30")).await.is(412);
        // Now the user is told, so the next form is based on the newer version.
        let page = page.says("Somebody has changed this invitation").says("ben@example.com");
        assert_eq!(version(&page), "2", "{mistyped}");
        harness.get("admin", &format!("/{id}")).await.says("ben@example.com");
        let answer = harness.post_form("admin", &path, &form("2", "30")).await;
        assert_eq!(answer.leads_to(), format!("{MOUNT}/{id}?done=saved"));
    }
}

#[tokio::test]
async fn revocation_with_too_long_a_reason_keeps_the_version_of_its_form() {
    let harness = Harness::dashboard();
    let id = invite(&harness, "anna@example.com").await;
    let path = format!("/{id}/revoke");
    amend(&harness, id, "ben@example.com").await;
    let long = "x".repeat(501);
    let form = [("version", "1"), ("reason", &*long)];
    let page = harness.post_form("admin", &path, &form).await.is(422).says("inv-reason-error");
    let based_on = version(&page);
    let page = harness.post_form("admin", &path, &[("version", &*based_on)]).await.is(412);
    assert_eq!(version(&page.says("Somebody has changed this invitation")), "2");
    // A form that was refused has revoked nothing, even if the invitation is revoked by now.
    let admin = person("admin").expect("a person");
    let revoked = harness.service().revoke(&admin, id, None, IfVersion::Any).await;
    revoked.expect("an administrator may");
    let form = [("version", "2"), ("reason", &*long)];
    harness.post_form("admin", &path, &form).await.is(409);
}

#[tokio::test]
async fn a_change_that_is_sent_twice_is_made_once() {
    let harness = Harness::dashboard();
    let admin = person("admin").unwrap();
    let made = async |id, action: Action| {
        let criteria = EventCriteria::new().about(id).of_action(action);
        let criteria = criteria.with_outcome(EventOutcome::Succeeded);
        let events = harness.service().events(&admin, &criteria, Paging::default()).await.unwrap();
        events.items().len()
    };
    let id = harness.invite().await.invitation().id();
    let there = format!("{MOUNT}/{id}");
    // The second submission leads to the same page as the first.
    let edit = [("version", "1"), ("email", "anna@example.com"), ("role", "staff")];
    for _ in 0..2 {
        let answer = harness.post_form("admin", &format!("/{id}/edit"), &edit).await;
        assert_eq!(answer.leads_to(), format!("{there}?done=saved"));
    }
    // Days count from the submission, and the second one comes a little later.
    let days = [("version", "2"), ("email", "anna@example.com"), ("expires_in_days", "30")];
    for _ in 0..2 {
        let answer = harness.post_form("admin", &format!("/{id}/edit"), &days).await;
        assert_eq!(answer.leads_to(), format!("{there}?done=saved"));
        harness.clock.advance(Duration::SECOND);
    }
    // The same terms with other days, or much later, are another change.
    let others = [days[0], days[1], ("expires_in_days", "31")];
    harness.post_form("admin", &format!("/{id}/edit"), &others).await.is(412);
    harness.clock.advance(Duration::MINUTE);
    harness.post_form("admin", &format!("/{id}/edit"), &days).await.is(412);
    for (word, version, done) in [("revoke", "3", "revoked"), ("reinstate", "4", "reinstated")] {
        for _ in 0..2 {
            let form = [("version", version)];
            let answer = harness.post_form("admin", &format!("/{id}/{word}"), &form).await;
            assert_eq!(answer.leads_to(), format!("{there}?done={done}"));
        }
    }
    // A second rotation would invalidate the code that the first one showed.
    let form = [("version", "5")];
    harness.post_form("admin", &format!("/{id}/rotate"), &form).await.is(200);
    harness.post_form("admin", &format!("/{id}/rotate"), &form).await.is(412);
    let form = [("version", "6")];
    harness.post_form("admin", &format!("/{id}/delete"), &form).await.leads_to();
    harness.post_form("admin", &format!("/{id}/delete"), &form).await.is(404);
    assert_eq!(made(id, Action::Amend).await, 2);
    for action in [Action::Revoke, Action::Reinstate, Action::Rotate, Action::Delete] {
        assert_eq!(made(id, action).await, 1, "{action:?}");
    }
    // Any version other than the next one means another change.
    let other = harness.invite().await.invitation().id();
    let amendment = Amendment::new().with_role(Role::new("manager").unwrap());
    harness.service().amend(&admin, other, amendment, IfVersion::Any).await.unwrap();
    harness.service().revoke(&admin, other, None, IfVersion::Any).await.unwrap();
    harness.post_form("admin", &format!("/{other}/revoke"), &[("version", "1")]).await.is(409);
}

#[tokio::test]
async fn pages_about_a_full_quota_say_when_to_try_again() {
    let one = Cap::AtMost(NonZeroU32::MIN);
    let limits = Limits::default().with_pending_per_division(one);
    let harness = Harness::dashboard().with_service(|service| service.with_limits(limits));
    let admin = person("admin").expect("a person");
    // An invitation that has expired, and a revoked one, have no place in the quota.
    let expired = invite(&harness, "anna@example.com").await;
    harness.clock.advance(Duration::days(8));
    let revoked = invite(&harness, "ben@example.com").await;
    let done = harness.service().revoke(&admin, revoked, None, IfVersion::Any).await;
    done.expect("an administrator may");
    invite(&harness, "chiara@example.com").await;

    let new = [("key", "once"), ("email", "dmitri@example.com")];
    let edit = [("version", "1"), ("email", "anna@example.com"), ("expires_in_days", "30")];
    let full = [
        harness.post_form("sales-manager", "/new", &new).await,
        harness.post_form("admin", &format!("/{expired}/edit"), &edit).await,
        harness.post_form("admin", &format!("/{revoked}/reinstate"), &[("version", "2")]).await,
    ];
    for page in full {
        let page = page.is(429).says("inv-notice-bad").says("<form class=\"inv-form\"");
        assert_eq!(page.header("retry-after"), "60");
    }
}
