//! Many users who present one code with the same proved address: one of them redeems it.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Draft, Error, EventOutcome, InvitationId, Reason, Refusal, Reserved,
};

use crate::{
    Fixture,
    support::{
        concurrent::{CALLERS, run_concurrently},
        harness::{Harness, Service},
        reads::all_redemptions,
        samples::{domain, newcomer_with_email},
    },
};

const ROUNDS: u32 = 6;
const ANNA: &str = "anna@example.com";

/// The way in which a user presents the code.
#[derive(Clone, Copy)]
enum Way {
    Redeem,
    ReserveAndCommit,
}

/// Returns a call of the user `name` as a task: whether it redeemed the code.
fn call(
    service: &Service,
    code: &str,
    name: String,
    way: Way,
) -> impl Future<Output = bool> + Send + 'static {
    let (service, code) = (service.clone(), code.to_owned());
    async move {
        let who = newcomer_with_email(&name, ANNA);
        let made = match way {
            Way::Redeem => service.redeem(&code, &who).await.map(drop),
            Way::ReserveAndCommit => match service.reserve(&code, &who).await {
                Ok(Reserved::Open(held)) => service.commit(held.id(), &who).await.map(drop),
                Ok(Reserved::AlreadyRedeemed(_)) => panic!("{name} is new"),
                Err(error) => Err(error),
            },
        };
        match made {
            Ok(()) => true,
            Err(Error::Refused(refused)) => {
                assert_eq!(refused.refusal(), &Refusal::Used, "{name}");
                false
            }
            Err(other) => panic!("{name}: a loser is refused, not {other:?}"),
        }
    }
}

async fn create(harness: &Harness) -> (InvitationId, String) {
    let uses = NonZeroU32::new(CALLERS).expect("not zero");
    let draft = Draft::new().for_domain(domain("example.com")).for_uses(uses);
    let created = harness.create(draft).await;
    (created.invitation().id(), created.code().reveal().to_string())
}

/// Checks that the code was redeemed once, and that the losers' reason is on record.
async fn check_once(harness: &Harness, id: InvitationId, made: &[bool], what: &str) {
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{what}: one winner");
    let stored = harness.stored(id).await;
    assert_eq!((stored.uses, stored.held), (1, 0), "{what}: one use");
    let redemptions = all_redemptions(&*harness.store, &invitation_core::Scope::All, id, 9).await;
    assert_eq!(redemptions.len(), 1, "{what}: one redemption");
    let events = harness.events_of_invitation(id).await;
    let refused = events.iter().filter(|event| event.outcome == EventOutcome::Refused);
    let refused: Vec<_> = refused.map(|event| event.reason).collect();
    assert_eq!(refused.len(), made.len() - 1, "{what}: one refusal for each loser");
    assert!(refused.iter().all(|reason| *reason == Some(Reason::MailboxUsed)), "{what}: why");
    let done = events
        .iter()
        .filter(|event| event.action == Action::Redeem && event.outcome == EventOutcome::Succeeded);
    assert_eq!(done.count(), 1, "{what}: one success");
}

/// Of many users who redeem one code with the same address at the same moment, one succeeds,
/// although the code has a use for each.
pub async fn concurrent_redeems_with_one_mailbox_succeed_once(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..ROUNDS {
        harness.clock.advance(time::Duration::MINUTE);
        let (id, code) = create(&harness).await;
        let name = |n: u32| format!("r{round}-{n}");
        let jobs = (0..CALLERS).map(|n| call(&harness.service, &code, name(n), Way::Redeem));
        let made = run_concurrently(jobs.collect()).await;
        check_once(&harness, id, &made, &format!("round {round}")).await;
    }
}

/// Of many users who redeem or reserve one code with the same address at the same moment, one
/// succeeds. In every other round, a reservation with this address has expired before.
pub async fn concurrent_reserves_and_redeems_with_one_mailbox_succeed_once(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    for round in 0..ROUNDS {
        harness.clock.advance(time::Duration::MINUTE);
        let (id, code) = create(&harness).await;
        if round % 2 == 1 {
            let vanished = newcomer_with_email(&format!("v{round}"), ANNA);
            harness.service.reserve(&code, &vanished).await.map(drop).expect("it is free");
            harness.clock.advance(time::Duration::minutes(11));
        }
        let jobs = (0..CALLERS).map(|n| {
            let way = if n % 2 == 0 { Way::Redeem } else { Way::ReserveAndCommit };
            call(&harness.service, &code, format!("r{round}-{n}"), way)
        });
        let made = run_concurrently(jobs.collect()).await;
        check_once(&harness, id, &made, &format!("round {round}")).await;
    }
}
