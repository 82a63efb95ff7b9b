//! An actor moves to another division, and then repeats a request under its idempotency key.

use invitation_core::{
    Actor, Draft, Event, EventOutcome, IfVersion, Import, ImportMode, Policy, Reason, Refusal,
    Right, Rights,
};

use crate::{
    Fixture,
    support::{
        harness::{Harness, Service, refusal},
        imports::{codes, import, same_results},
        samples::{admin, division, key, role, user},
    },
};

/// Returns the actor while in this division.
fn actor_in(of: &str) -> Actor {
    Actor::in_division(user("u-1"), role("lead"), division(of))
}

/// Lets the actor import, and see what was imported.
fn with_lead(service: &Service) -> Service {
    let rights = [Right::Create, Right::Bulk, Right::View, Right::Copy];
    let rights = Rights::none().may(rights).granting([role("staff")]);
    service.clone().with_policy(Policy::default().with_role(role("lead"), rights))
}

fn not_allowed(of: &str) -> Refusal {
    Refusal::DivisionNotAllowed { division: division(of) }
}

fn is_the_denial(event: &Event) -> bool {
    event.outcome == EventOutcome::Denied
        && event.reason == Some(Reason::DivisionNotAllowed)
        && event.division == Some(division("sales"))
        && event.performer.user() == Some(&user("u-1"))
}

/// A repeated import returns no code of a division that the actor no longer reaches, whether its
/// rows name the division or not, in both modes, and after a rotation. Each repeat leaves one
/// denial, which names the division. Back in the division, the actor gets the first results.
pub async fn repeated_import_after_a_move_shows_no_code_of_the_former_division(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    let service = with_lead(&harness.service);
    let imports: [fn() -> Import; 4] = [
        || import([Draft::new()]),
        || import([Draft::new()]).with_mode(ImportMode::AllOrNone),
        || import([Draft::new().in_division(division("sales"))]),
        || {
            import([Draft::new(), Draft::new().in_division(division("sales"))])
                .with_mode(ImportMode::AllOrNone)
        },
    ];
    for (n, rows) in imports.into_iter().enumerate() {
        let key = key(&format!("k{n}"));
        let ask = async |of| service.import(&actor_in(of), rows(), Some(&key)).await;
        let first = ask("sales").await.expect("may create");
        let id = codes(&first)[0].0;
        for is_rotated in [false, true] {
            if is_rotated {
                service.rotate(&admin(), id, IfVersion::Any).await.map(drop).expect("may rotate");
            }
            let before = harness.snapshot().await;
            assert_eq!(refusal(ask("operations").await), not_allowed("sales"), "{n}");
            let (rows, events) = harness.snapshot().await;
            assert_eq!(rows, before.0, "{n}: nothing is stored");
            assert_eq!(events.len(), before.1.len() + 1, "{n}: one event");
            assert!(is_the_denial(&events[0]), "{n}: {:?}", events[0]);
            if !is_rotated {
                let again = ask("sales").await.expect("a repeat");
                assert!(again.is_replayed() && same_results(&again, &first), "{n}: moved back");
            }
        }
    }
}

/// A repeated creation returns no code of a division that the actor no longer reaches.
pub async fn repeated_creation_after_a_move_shows_no_code_of_the_former_division(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_lead(&harness.service);
    for named in [None, Some(division("sales"))] {
        let draft = || match &named {
            Some(division) => Draft::new().in_division(division.clone()),
            None => Draft::new(),
        };
        // Without a division, the actor's own is part of the request: it is a different one now.
        let expected =
            if named.is_some() { not_allowed("sales") } else { Refusal::IdempotencyKeyReused };
        let name = if named.is_some() { "named" } else { "home" };
        let (one, many) = (key(&format!("one-{name}")), key(&format!("many-{name}")));
        let (there, here) = (actor_in("sales"), actor_in("operations"));
        service.create_once(&there, &one, draft()).await.expect("may create");
        service.create_many_once(&there, &many, vec![draft()]).await.expect("may create");
        let answer = service.create_once(&here, &one, draft()).await;
        assert_eq!(refusal(answer), expected, "{name}");
        let answer = service.create_many_once(&here, &many, vec![draft()]).await;
        assert_eq!(refusal(answer), expected, "{name}");
    }
}
