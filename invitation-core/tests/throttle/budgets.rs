//! The budgets of one process.

use std::sync::Arc;

use invitation_core::{Draft, throttle::GuessThrottle};
use time::Duration;
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    GuessAnswer, PER_SOURCE, clock, code, exhaust, guess, guessed, overall, person, service,
    stranger,
};

const FLOODER: &str = "192.0.2.7";

#[tokio::test]
async fn flood_stops_at_the_budget_and_the_holder_of_the_same_source_redeems_within_a_minute() {
    let clock = clock(20);
    let invitations = service(&clock, GuessThrottle::in_process());
    let code = code(&invitations, Draft::new()).await;
    let (evaluated, wait) = exhaust(&invitations, Some(FLOODER)).await;
    assert_eq!((evaluated, wait), (PER_SOURCE, Duration::seconds(40)));

    let holder = person("anna", FLOODER);
    let refused = invitations.redeem(&code, &holder).await;
    assert_eq!(crate::answer(refused), GuessAnswer::Throttled(wait));
    // The flood goes on while the holder waits.
    for _ in 0..39 {
        clock.advance(Duration::SECOND);
        assert!(matches!(guess(&invitations, Some(FLOODER)).await, GuessAnswer::Throttled(_)));
    }
    clock.advance(Duration::SECOND);
    invitations.redeem(&code, &holder).await.expect("the wait is over");
}

#[tokio::test]
async fn flood_of_one_source_does_not_delay_the_holder_elsewhere() {
    let invitations = service(&clock(0), GuessThrottle::in_process());
    let code = code(&invitations, Draft::new()).await;
    for flooder in ["192.0.2.7", "198.51.100.1", "2001:db8::1", "a text"] {
        assert_eq!(exhaust(&invitations, Some(flooder)).await.0, PER_SOURCE);
    }
    assert_eq!(exhaust(&invitations, None).await.0, PER_SOURCE);
    invitations.redeem(&code, &person("anna", "192.0.2.8")).await.expect("another source");
}

#[tokio::test]
async fn thousand_addresses_of_one_prefix_and_their_spellings_share_one_budget() {
    let invitations = service(&clock(0), GuessThrottle::in_process());
    let mut evaluated = 0;
    for n in 0..1_000 {
        let address = match n % 4 {
            0 => format!("2001:db8:0:1::{n:x}"),
            1 => format!("2001:0DB8:0000:0001:0000:{n:04x}:0000:0001"),
            2 => format!("[2001:db8:0:1:{n:x}::7]:{}", 1_024 + n),
            _ => format!("2001:db8::1:0:{n:x}:192.0.2.1"),
        };
        evaluated +=
            usize::from(guess(&invitations, Some(&address)).await == GuessAnswer::Evaluated);
    }
    assert_eq!(evaluated, PER_SOURCE);
    assert_eq!(guess(&invitations, Some("2001:db8:0:2::1")).await, GuessAnswer::Evaluated);
}

#[tokio::test]
async fn calls_without_a_source_share_one_budget() {
    let invitations = service(&clock(0), GuessThrottle::in_process());
    assert_eq!(exhaust(&invitations, None).await, (PER_SOURCE, Duration::MINUTE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_guesses_are_evaluated_as_often_as_the_budget_allows() {
    let throttle = GuessThrottle::in_process();
    let invitations = Arc::new(service(&clock(0), throttle));
    let barrier = Arc::new(Barrier::new(200));
    let mut guesses = JoinSet::new();
    for _ in 0..200 {
        let (invitations, barrier) = (Arc::clone(&invitations), Arc::clone(&barrier));
        guesses.spawn(async move {
            let wrong_code = guessed(&invitations);
            barrier.wait().await;
            crate::answer(invitations.redeem(&wrong_code, &stranger(Some(FLOODER))).await)
        });
    }
    let answers = guesses.join_all().await;
    let evaluated = answers.iter().filter(|answer| **answer == GuessAnswer::Evaluated).count();
    assert_eq!(evaluated, PER_SOURCE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_redeems_of_one_source_wait_for_tokens_and_all_succeed() {
    let uses = 200;
    let invitations = Arc::new(service(&clock(0), GuessThrottle::in_process()));
    let draft = Draft::new()
        .with_role(invitation_core::Role::new("staff").unwrap())
        .in_division(invitation_core::Division::new("sales").unwrap())
        .for_uses(crate::number(uses));
    let created = invitations.create(&crate::admin(), draft).await.unwrap();
    let code: Arc<str> = created.code().reveal().as_str().into();
    let barrier = Arc::new(Barrier::new(200));
    let mut members = JoinSet::new();
    for n in 0..uses {
        let (invitations, barrier) = (Arc::clone(&invitations), Arc::clone(&barrier));
        let code = Arc::clone(&code);
        members.spawn(async move {
            barrier.wait().await;
            invitations.redeem(&code, &person(&format!("m{n}"), FLOODER)).await.map(drop)
        });
    }
    for member in members.join_all().await {
        member.expect("it is the holder of a code");
    }
}

#[tokio::test]
async fn success_takes_nothing_and_gives_nothing_back() {
    let invitations = service(&clock(0), GuessThrottle::in_process());
    for _ in 0..PER_SOURCE - 1 {
        assert_eq!(guess(&invitations, Some(FLOODER)).await, GuessAnswer::Evaluated);
    }
    for n in 0..100 {
        let code = code(&invitations, Draft::new()).await;
        invitations.redeem(&code, &person(&format!("p{n}"), FLOODER)).await.unwrap();
    }
    assert_eq!(guess(&invitations, Some(FLOODER)).await, GuessAnswer::Evaluated, "the last token");
    assert!(matches!(guess(&invitations, Some(FLOODER)).await, GuessAnswer::Throttled(_)));
}

#[tokio::test]
async fn clock_that_is_set_back_makes_nobody_wait_longer_than_a_minute() {
    let clock = clock(0);
    let invitations = service(&clock, GuessThrottle::in_process());
    exhaust(&invitations, Some(FLOODER)).await;
    // A call that began in the minute before counts in the current one.
    clock.advance(Duration::seconds(-30));
    let GuessAnswer::Throttled(wait) = guess(&invitations, Some(FLOODER)).await else {
        panic!("the minute is the same")
    };
    assert!(wait <= Duration::MINUTE, "{wait}");
    clock.advance(Duration::HOUR * -1);
    assert_eq!(guess(&invitations, Some(FLOODER)).await, GuessAnswer::Evaluated);
}

#[tokio::test]
async fn all_sources_together_have_a_budget() {
    let throttle = GuessThrottle::in_process().with_budgets(overall(50));
    let short = invitation_core::CodeFormat::new(16).unwrap();
    let invitations = service(&clock(0), throttle).with_code_format(short).unwrap();
    let mut evaluated = 0;
    for n in 0..100 {
        let answer = guess(&invitations, Some(&format!("192.0.2.{n}"))).await;
        evaluated += usize::from(answer == GuessAnswer::Evaluated);
    }
    assert_eq!(evaluated, 50);
}

#[tokio::test]
async fn all_sources_together_only_give_an_alarm_from_80_bits_on() {
    let throttle = GuessThrottle::in_process().with_budgets(overall(50));
    let long = invitation_core::CodeFormat::new(17).unwrap();
    let invitations = service(&clock(0), throttle).with_code_format(long).unwrap();
    for n in 0..100 {
        let answer = guess(&invitations, Some(&format!("192.0.2.{n}"))).await;
        assert_eq!(answer, GuessAnswer::Evaluated);
    }
}
