//! What counts as a failed guess.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

use async_trait::async_trait;
use invitation_core::{
    CodeFormat, Disclosure, Draft, Email, Error, Invitations, MemoryStore, Source, StoreError,
    StoreErrorKind, VerifiedEmail,
    throttle::{Attempt, Decision, GuessThrottle, Throttle},
};

use crate::{
    GuessAnswer, PER_CODE, PER_SOURCE, answer, clock, code, exhaust, guess, guessed, person,
    service, stranger,
    support::{Fault, flaky},
};

const SOURCE: &str = "192.0.2.7";

#[tokio::test]
async fn codes_that_the_holder_knows_count_nothing() {
    let invitations = service(&clock(0), GuessThrottle::in_process());
    let used = code(&invitations, Draft::new()).await;
    invitations.redeem(&used, &person("anna", SOURCE)).await.unwrap();
    for _ in 0..2 * PER_SOURCE {
        let error = invitations.redeem(&used, &person("ben", SOURCE)).await.unwrap_err();
        assert_eq!(error.refusal(), Some(&invitation_core::Refusal::Used));
    }
    assert_eq!(exhaust(&invitations, Some(SOURCE)).await.0, PER_SOURCE);
}

#[tokio::test]
async fn without_disclosure_a_used_code_counts_like_an_unknown_one() {
    let invitations =
        service(&clock(0), GuessThrottle::in_process()).with_disclosure(Disclosure::Nothing);
    let used = code(&invitations, Draft::new()).await;
    invitations.redeem(&used, &person("anna", "198.51.100.1")).await.unwrap();
    let unknown = guessed(&invitations);
    for code in [&used, &unknown] {
        let source = format!("kiosk {code}");
        for n in 0..=PER_CODE {
            let answer = answer(invitations.redeem(code, &person("ben", &source)).await);
            assert_eq!(answer == GuessAnswer::Evaluated, n < PER_CODE, "{n}");
        }
    }
}

/// Guesses of the address that a code is bound to.
#[tokio::test]
async fn addresses_for_one_code_are_tried_as_often_as_its_budget_allows() {
    let invitations = service(&clock(0), GuessThrottle::in_process());
    let anna = Email::parse("anna@example.com").unwrap();
    let bound = code(&invitations, Draft::new().for_email(anna.clone())).await;
    for n in 0..=PER_CODE {
        let other = Email::parse(&format!("a{n}@example.com")).unwrap();
        let checked = match n % 3 {
            0 => answer(invitations.check(&bound, &person("eve", SOURCE), Some(&other)).await),
            1 => answer(invitations.reserve(&bound, &person("eve", SOURCE)).await),
            _ => {
                let proved = VerifiedEmail::vouched_by_host(other);
                let eve = person("eve", SOURCE).with_email(proved);
                answer(invitations.redeem(&bound, &eve).await)
            }
        };
        assert_eq!(checked == GuessAnswer::Evaluated, n < PER_CODE, "{n}");
    }
    assert_eq!(guess(&invitations, Some(SOURCE)).await, GuessAnswer::Evaluated, "another code");
    let holder = person("anna", "198.51.100.1").with_email(VerifiedEmail::vouched_by_host(anna));
    invitations.redeem(&bound, &holder).await.expect("another source");
}

#[tokio::test]
async fn each_call_that_evaluates_a_code_is_throttled() {
    let invitations = service(&clock(0), GuessThrottle::in_process());
    exhaust(&invitations, Some(SOURCE)).await;
    let (code, eve) = (guessed(&invitations), stranger(Some(SOURCE)));
    for answer in [
        answer(invitations.redeem(&code, &eve).await),
        answer(invitations.reserve(&code, &eve).await),
        answer(invitations.check(&code, &eve, None).await),
    ] {
        assert!(matches!(answer, GuessAnswer::Throttled(_)), "{answer:?}");
    }
    let created = invitations.redeem_with(&code, &eve, async |_| Ok::<_, Error>(())).await;
    let Err(invitation_core::RedeemWithError::NotReserved(error)) = created else {
        panic!("{created:?}")
    };
    assert!(matches!(answer(Err::<(), _>(error)), GuessAnswer::Throttled(_)));
}

/// A throttle that must not be asked.
#[derive(Debug)]
struct Unasked;

#[async_trait]
impl Throttle for Unasked {
    async fn take(&self, _: &Attempt<'_>) -> Result<Decision, StoreError> {
        panic!("a mistyped code reached the throttle")
    }
}

#[tokio::test]
async fn code_with_a_typing_mistake_does_not_reach_the_throttle() {
    let invitations = Invitations::new(MemoryStore::new()).with_throttle(Unasked);
    let mut wrong = guessed(&invitations);
    let last = if wrong.pop() == Some('7') { '8' } else { '7' };
    wrong.push(last);
    for text in [wrong.as_str(), "KANARI", ""] {
        let error = invitations.redeem(text, &stranger(None)).await.unwrap_err();
        assert!(matches!(error, Error::ParseCode(_)), "{error:?}");
    }
}

#[tokio::test]
async fn failure_of_the_store_gives_the_token_back() {
    let store = flaky();
    let invitations = Invitations::new(store.clone())
        .with_clock(clock(0))
        .with_throttle(GuessThrottle::in_process());
    for _ in 0..2 * PER_SOURCE {
        store.interceptor().next(Fault::Before);
        let code = guessed(&invitations);
        let error = invitations.redeem(&code, &stranger(Some(SOURCE))).await.unwrap_err();
        assert!(matches!(error, Error::Store(_)), "{error:?}");
    }
    assert_eq!(exhaust(&invitations, Some(SOURCE)).await.0, PER_SOURCE);
}

#[tokio::test]
async fn refusal_whose_evidence_cannot_be_written_counts() {
    let store = flaky();
    let invitations = Invitations::new(store.clone())
        .with_clock(clock(0))
        .with_throttle(GuessThrottle::in_process());
    let check = async |code: &str| invitations.check(code, &stranger(Some(SOURCE)), None).await;
    for _ in 0..PER_SOURCE {
        // The look-up is no write, so the fault is that of the event.
        store.interceptor().next(Fault::Before);
        let error = check(&guessed(&invitations)).await.unwrap_err();
        assert!(matches!(error, Error::Store(_)), "{error:?}");
    }
    let answer = answer(check(&guessed(&invitations)).await);
    assert!(matches!(answer, GuessAnswer::Throttled(_)), "{answer:?}");
}

/// A caller that hangs up before the answer may have seen by the time what the answer was.
#[tokio::test]
async fn dropped_call_counts_as_a_failure() {
    let store = flaky();
    let invitations =
        Invitations::new(store).with_clock(clock(0)).with_throttle(GuessThrottle::in_process());
    for _ in 0..PER_SOURCE {
        let (code, eve) = (guessed(&invitations), stranger(Some(SOURCE)));
        let mut call = Box::pin(invitations.redeem(&code, &eve));
        let polled = pin!(&mut call).poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "the store is at work");
        drop(call);
    }
    let answer = guess(&invitations, Some(SOURCE)).await;
    assert!(matches!(answer, GuessAnswer::Throttled(_)), "{answer:?}");
}

/// A throttle whose state cannot be read.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl Throttle for Broken {
    async fn take(&self, _: &Attempt<'_>) -> Result<Decision, StoreError> {
        Err(StoreError::new(StoreErrorKind::Unavailable, "take"))
    }
}

#[tokio::test]
async fn failing_throttle_refuses_and_the_code_stays_unused() {
    let invitations = Invitations::new(MemoryStore::new());
    let code = code(&invitations, Draft::new()).await;
    let broken = Invitations::new(invitations.store()).with_throttle(Broken);
    let error = broken.redeem(&code, &person("anna", SOURCE)).await.unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error:?}");
    invitations.redeem(&code, &person("ben", SOURCE)).await.expect("it was not used");
}

#[tokio::test]
async fn own_throttle_is_told_what_an_attempt_is() {
    #[derive(Debug)]
    struct Closed;

    #[async_trait]
    impl Throttle for Closed {
        async fn take(&self, attempt: &Attempt<'_>) -> Result<Decision, StoreError> {
            assert_eq!((attempt.bits, attempt.in_transaction), (75, false));
            assert_eq!(attempt.source.map(Source::as_str), Some(SOURCE));
            // It is too long, and not a whole number of seconds.
            Ok(Decision::Refused { retry_after: time::Duration::seconds_f64(3_600.5) })
        }
    }

    let invitations = Invitations::new(std::sync::Arc::new(MemoryStore::new()))
        .with_throttle(Closed)
        .with_code_format(CodeFormat::new(16).unwrap())
        .unwrap();
    let answer = guess(&invitations, Some(SOURCE)).await;
    assert_eq!(answer, GuessAnswer::Throttled(time::Duration::MINUTE));
}
