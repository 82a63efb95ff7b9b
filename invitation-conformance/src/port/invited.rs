//! Whether a mailbox is already invited, according to a store.

use invitation_core::{Binding, Invitee, Record, Revocation, Timestamp};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::Harness,
        population::population,
        samples::{admin, division, domain, email, later, newcomer_with_email, start},
    },
};

fn invitee(division_name: &str, address: &str) -> Invitee {
    Invitee { division: division(division_name), address: email(address).key().clone() }
}

/// A mailbox is invited if an invitation to the division is bound to its comparison form
/// and is active, to the microsecond. Invitations bound to a domain do not count, nor do
/// used, revoked or deleted ones.
pub async fn invited_is_true_for_active_bound_invitations_only(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let bound = |address: &str| Record {
        binding: Binding::Address(email(address)),
        ..factory.invitation()
    };
    let now = later(bound("a@example.com").created_at, 1_000);
    let revocation = || Some(Revocation { at: now, reason: None });
    let used =
        |one: Record| Record { uses: 1, last_use: Some(factory.redemption("anna", now)), ..one };
    let rows = [
        bound("Anna@Example.com"),
        used(bound("used@example.com")),
        Record { revocation: revocation(), ..bound("revoked@example.com") },
        Record { deleted_at: Some(now), ..bound("deleted@example.com") },
        Record { expires_at: now, ..bound("expired@example.com") },
        Record { expires_at: later(now, 1), ..bound("expiring@example.com") },
        Record { division: division("hr"), ..bound("hr@example.com") },
        Record { binding: Binding::Domain(domain("open.example")), ..factory.invitation() },
        used(bound("again@example.com")),
        bound("again@example.com"),
        factory.invitation(),
    ];
    factory.insert(&*store, &rows).await;
    let asked = [
        (invitee("sales", "anna@example.com"), true),
        (invitee("hr", "anna@example.com"), false),
        (invitee("Sales", "anna@example.com"), false),
        (invitee("sales", "ann@example.com"), false),
        (invitee("sales", "anna+1@example.com"), false),
        (invitee("sales", "used@example.com"), false),
        (invitee("sales", "revoked@example.com"), false),
        (invitee("sales", "deleted@example.com"), false),
        (invitee("sales", "expired@example.com"), false),
        (invitee("sales", "expiring@example.com"), true),
        (invitee("hr", "hr@example.com"), true),
        (invitee("sales", "hr@example.com"), false),
        (invitee("sales", "anna@open.example"), false),
        (invitee("sales", "again@example.com"), true),
        (invitee("sales", "anna@example.com"), true),
    ];
    let ask = async |invitees: &[Invitee], now: Timestamp| {
        store.are_invited(invitees, now).await.expect("the store answers")
    };
    let (invitees, expected): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
    assert_eq!(ask(&invitees, now).await, expected);
    for (one, expected) in invitees.iter().zip(&expected) {
        assert_eq!(ask(std::slice::from_ref(one), now).await, [*expected], "{one:?}");
    }
    assert_eq!(ask(&[], now).await, [] as [bool; 0]);
}

/// One call can look up a thousand mailboxes, and the results match the specification.
pub async fn invited_answers_1000_mailboxes_in_one_call(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let mut rows = population(&factory, 60);
    for n in 0..200 {
        let binding = Binding::Address(email(&format!("n{n}@example.com")));
        let name = ["sales", "hr"][n % 2];
        rows.push(Record { binding, division: division(name), ..factory.invitation() });
    }
    factory.insert(&*store, &rows).await;
    let now = later(start(), 5);
    let mut asked: Vec<_> = (0..1_000)
        .map(|n| invitee(["sales", "hr"][n / 500], &format!("n{n}@example.com")))
        .collect();
    for row in &rows {
        if let Binding::Address(bound) = &row.binding {
            let division = row.division.clone();
            asked.push(Invitee { division, address: bound.key().clone() });
        }
    }
    let expected: Vec<_> =
        asked.iter().map(|one| rows.iter().any(|row| one.is_invited_by(row, now))).collect();
    assert!(expected.iter().filter(|is_invited| **is_invited).count() > 100);
    assert_eq!(store.are_invited(&asked, now).await.expect("the store answers"), expected);
}

/// The result follows changes of the address, the expiry and the state.
pub async fn invited_follows_changes_of_the_invitation(fixture: Fixture) {
    use invitation_core::{Amendment, Draft, Expiry, IfVersion};
    let harness = Harness::new(fixture);
    let admin = admin();
    let (first, second) = (invitee("sales", "a@example.com"), invitee("sales", "b@example.com"));
    let ask = async || {
        let both = [first.clone(), second.clone()];
        harness.store.are_invited(&both, harness.now()).await.expect("the store answers")
    };
    let any = IfVersion::Any;
    let draft = Draft::new().in_division(division("sales")).for_email(email("a@example.com"));
    let id = harness.create(draft).await.invitation().id();
    assert_eq!(ask().await, [true, false]);
    let moved = Amendment::new().for_email(email("B@example.com"));
    harness.service.amend(&admin, id, moved, any).await.expect("may amend");
    assert_eq!(ask().await, [false, true], "another address");
    harness.service.revoke(&admin, id, None, any).await.expect("may revoke");
    assert_eq!(ask().await, [false, false], "revoked");
    harness.service.reinstate(&admin, id, any).await.expect("may reinstate");
    assert_eq!(ask().await, [false, true], "reinstated");
    harness.clock.advance(time::Duration::days(8));
    assert_eq!(ask().await, [false, false], "expired");
    let longer = Amendment::new().expiring(Expiry::InDays(3));
    harness.service.amend(&admin, id, longer, any).await.expect("may extend");
    assert_eq!(ask().await, [false, true], "extended");
    let rotated = harness.service.rotate(&admin, id, any).await.expect("may rotate");
    assert_eq!(ask().await, [false, true], "rotated");
    let newcomer = newcomer_with_email("b", "b@example.com");
    harness.service.redeem(&rotated.code().reveal(), &newcomer).await.expect("may redeem");
    assert_eq!(ask().await, [false, false], "used");
}
