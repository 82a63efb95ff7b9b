//! One hot code, compared to hand-written SQL.
//!
//! In the references, 32 connections use up a row of a smaller table. Each task holds its
//! connection, with prepared statements of sqlx:
//!
//! - *by hand*: a transaction of the guarded update and the insert of an event, which is
//!   four round trips: begin, update, insert, commit;
//! - *update alone*: only the guarded update, without any event, one round trip.

use std::sync::Arc;

use invitation::Invitations;
use invitation_testkit::MariaDb;

use crate::{
    callers::{CALLERS, meet},
    compare::median,
    extent::{is_test, setting},
    reference::{Reference, Work},
    store,
};

pub(crate) async fn run(server: &MariaDb, rounds: usize) {
    let uses = if is_test() { 200 } else { setting("INVITATION_BENCH_USES", 4_000) };
    let reference = Reference::new(&server.create_database()).await;
    let ours = store(&server.create_database(), u32::try_from(CALLERS).unwrap()).await;
    let [invitations, without_batches, without_message] =
        [ours.clone(), ours.clone().without_batches(), ours.without_fast_path().without_batches()]
            .map(|store| Arc::new(Invitations::new(store)));
    meet(&invitations, uses / 10).await;

    println!(
        "\nhot code: {CALLERS} callers against {CALLERS} connections by hand, {uses} uses each\n"
    );
    println!(
        "| round | by hand | update alone | redeems | by hand = 1 | update alone = 1 | without batches = 1 | without batches and message = 1 | winners | p50 | p99 | p99 / p50 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let mut ratios: [Vec<f64>; 5] = Default::default();
    for round in 1..=rounds {
        let hand = reference.rate(Work::UpdateAndEvent, CALLERS, uses).await;
        let update = reference.rate(Work::Update, CALLERS, uses).await;
        let callers = meet(&invitations, uses).await;
        let rate = |time: std::time::Duration| f64::from(uses) / time.as_secs_f64();
        let ours = rate(callers.time);
        let without_batches = rate(meet(&without_batches, uses).await.time);
        let without_message = rate(meet(&without_message, uses).await.time);
        let (p50, p99) = (callers.percentile(50), callers.percentile(99));
        let spread = p99.as_secs_f64() / p50.as_secs_f64();
        let of =
            [ours / hand, ours / update, ours / without_batches, ours / without_message, spread];
        println!(
            "| {round} | {hand:.0}/s | {update:.0}/s | {ours:.0}/s | {:.2} | {:.2} | {:.2} | {:.2} | {} of {uses} | {p50:.1?} | {p99:.1?} | {spread:.1} |",
            of[0],
            of[1],
            of[2],
            of[3],
            callers.waits.len(),
        );
        assert_eq!(callers.waits.len(), usize::try_from(uses).unwrap(), "exactly that many");
        for (all, ratio) in ratios.iter_mut().zip(of) {
            all.push(ratio);
        }
    }
    let [hand, update, batches, message, spread] = ratios.map(median);
    println!(
        "median: {hand:.2} by hand, {update:.2} update alone, {batches:.2} without batches, \
         {message:.2} without batches and message, p99 / p50 {spread:.1}"
    );
}
