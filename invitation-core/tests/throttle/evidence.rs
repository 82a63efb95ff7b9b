//! The evidence of throttled attempts.

use invitation_core::{
    Action, EventCriteria, EventOutcome, Limits, Paging, Reason, Source, throttle::GuessThrottle,
};

use crate::{admin, clock, exhaust, guess, number, service};

#[tokio::test]
async fn throttled_attempts_are_on_record_and_a_flood_of_them_is_summarised() {
    let limits = Limits::default().with_denials_per_minute(number(40));
    let invitations = service(&clock(0), GuessThrottle::in_process()).with_limits(limits);
    let (evaluated, _) = exhaust(&invitations, Some("192.0.2.7")).await;
    for _ in 0..1_000 {
        guess(&invitations, Some("192.0.2.7")).await;
    }
    let criteria = EventCriteria::new().of_action(Action::Redeem);
    let page = invitations.events(&admin(), &criteria, Paging::first(200).unwrap()).await.unwrap();
    let of = |reason| page.items().iter().filter(move |event| event.reason == Some(reason));
    assert_eq!(of(Reason::Unknown).count(), evaluated);
    assert_eq!(of(Reason::TooManyRequests).count(), 40 - evaluated);
    // 1,001 throttled attempts: ten on record, and the number of the others at powers of two.
    assert_eq!(of(Reason::Suppressed).count(), 10);
    let one = of(Reason::TooManyRequests).next().unwrap();
    assert_eq!(one.outcome, EventOutcome::Refused);
    assert_eq!(one.context.source.as_ref().map(Source::as_str), Some("192.0.2.7"));
    assert_eq!(one.invitation, None);
}
