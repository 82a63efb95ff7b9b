//! On PostgreSQL, all concurrent redemptions share a statement.

use std::str::FromStr;

use invitation_core::{Division, Draft, IfVersion, Refusal, Status};
use invitation_sqlx::sqlx::{
    self, PgPool, Postgres,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use invitation_testkit::Postgres as Server;
use tokio::task::yield_now;

use crate::{
    harness::{Harness, for_address, for_uses, person, proved, refusal},
    same_code::{dropped_callers, same_code},
    support::{admin, redemptions_on_record, trail, uses},
};

same_code!(Postgres);

/// Returns a harness on a pool with these settings.
async fn harness(connections: u32, settings: &[(&str, &str)]) -> Harness<Postgres> {
    let url = Server::shared().create_database();
    let options = PgConnectOptions::from_str(&url).unwrap().options(settings.iter().copied());
    let pool = PgPoolOptions::new().max_connections(connections).connect_with(options);
    Harness::on(pool.await.unwrap()).await
}

#[tokio::test]
async fn batched_caller_gets_the_grant_of_its_own_code() {
    let harness = Harness::<Postgres>::new().await;
    let mut codes = Vec::new();
    for n in 0..20 {
        codes.push(harness.code(if n % 2 == 0 { Draft::new() } else { for_address(n) }).await);
    }
    let calls = codes.iter().enumerate().map(|(n, code)| (code.as_str(), proved(n, n)));
    for (n, redeemed) in harness.redeem_concurrently(calls.collect()).await.into_iter().enumerate()
    {
        let redeemed = redeemed.unwrap();
        assert!(!redeemed.is_replayed());
        assert_eq!(redeemed.username().as_str(), format!("person{n:03}"));
    }
    assert_eq!(harness.transactions().await, 1, "they shared a statement");
    assert_eq!(redemptions_on_record(&harness.invitations).await, 20);
    for one in harness.all().await {
        assert_eq!(one.status(harness.invitations.now()), Status::Used);
        let used_by = &one.last_use().as_ref().unwrap().username;
        assert_eq!(harness.found(used_by.as_str()).await, 1, "by the name of its redeemer");
    }
    for event in trail(&harness.invitations).await.into_iter().skip(20) {
        assert!(event.invitation.is_some() && event.division.is_some(), "{event:?}");
    }
}

#[tokio::test]
async fn redemptions_of_adjacent_rows_are_hot_updates() {
    let harness = Harness::<Postgres>::new().await;
    let mut codes = Vec::new();
    for _ in 0..120 {
        codes.push(harness.code(Draft::new()).await);
    }
    for some in codes.chunks(40) {
        let calls = some.iter().enumerate().map(|(n, code)| (code.as_str(), person(n)));
        harness
            .redeem_concurrently(calls.collect())
            .await
            .into_iter()
            .for_each(|made| drop(made.unwrap()));
    }
    assert_eq!(harness.transactions().await, 3);
    // This connection reports its statistics after its next transaction.
    let flush = "SELECT pg_stat_force_next_flush()";
    sqlx::query(flush).execute(&harness.pool).await.unwrap();
    let sql = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables \
               WHERE relname = 'invitation_codes'";
    let (updated, in_place): (i64, i64) =
        sqlx::query_as(sql).fetch_one(&harness.pool).await.unwrap();
    assert_eq!(updated, 120);
    assert!(in_place >= 90, "without touching an index: {in_place}");
}

#[tokio::test]
async fn single_use_and_multi_use_codes_share_a_statement() {
    let harness = Harness::<Postgres>::new().await;
    let mut codes = Vec::new();
    for n in 0..12 {
        codes.push(harness.code(for_uses(if n % 3 == 0 { 5 } else { 1 })).await);
    }
    let calls = codes.iter().enumerate().map(|(n, code)| (code.as_str(), person(n)));
    for made in harness.redeem_concurrently(calls.collect()).await {
        assert!(!made.unwrap().is_replayed());
    }
    assert_eq!(harness.transactions().await, 1);
    assert_eq!(uses(&harness.invitations).await, 12);
    assert_eq!(redemptions_on_record(&harness.invitations).await, 12);
    let used = harness.all().await;
    let used = used.iter().filter(|one| one.status(harness.invitations.now()) == Status::Used);
    assert_eq!(used.count(), 8);
    assert_eq!(harness.found("person").await, 12);
}

#[tokio::test]
async fn refused_callers_get_their_reason_and_do_not_block_a_batch() {
    let harness = Harness::<Postgres>::new().await;
    let (good, other) = (harness.code(Draft::new()).await, harness.code(Draft::new()).await);
    let (bound, used) = (harness.code(for_address(3)).await, harness.code(Draft::new()).await);
    let (revoked_id, revoked) = harness.create(Draft::new()).await;
    let (deleted_id, deleted) = harness.create(Draft::new()).await;
    let wrong = harness.code(for_address(2)).await;
    let several = harness.code(for_uses(9)).await;
    harness.invitations.redeem(&used, &person(0)).await.unwrap();
    let any = IfVersion::Any;
    harness.invitations.revoke(&admin(), revoked_id, None, any).await.unwrap();
    harness.invitations.delete(&admin(), deleted_id, any).await.unwrap();

    let answers = harness
        .redeem_concurrently(vec![
            (&used, person(1)),
            (&good, person(2)),
            (&bound, proved(2, 3)),
            (&revoked, person(4)),
            (&several, proved(5, 5)),
            (&several, person(6)),
            (&deleted, person(7)),
            (&other, person(8)),
            (&wrong, proved(9, 1)),
        ])
        .await;
    assert_eq!(refusal(&answers[0]), Refusal::Used);
    assert!(answers[1].is_ok());
    assert!(answers[2].is_ok());
    assert_eq!(refusal(&answers[3]), Refusal::Revoked);
    assert!(answers[4].is_ok());
    assert!(answers[5].is_ok());
    assert_eq!(refusal(&answers[6]), Refusal::CodeUnknown);
    assert!(answers[7].is_ok());
    assert_eq!(refusal(&answers[8]), Refusal::AddressProofRequired);
    assert_eq!(harness.transactions().await, 2, "the good ones shared a statement");
    let refused = trail(&harness.invitations).await.into_iter().filter(|e| e.reason.is_some());
    assert_eq!(refused.count(), 4, "with evidence");
}

#[tokio::test]
async fn callers_of_another_division_get_the_same_results() {
    let harness = Harness::<Postgres>::new().await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(harness.code(Draft::new()).await);
    }
    let sales = |n| person(n).in_division(Division::new("sales").unwrap());
    let elsewhere = person(3).in_division(Division::new("elsewhere").unwrap());
    let calls = vec![(&*codes[0], sales(1)), (&*codes[1], elsewhere), (&*codes[2], person(2))];
    let answers = harness.redeem_concurrently(calls).await;
    assert!(answers[0].is_ok());
    assert_eq!(refusal(&answers[1]), Refusal::CodeUnknown);
    assert!(answers[2].is_ok());
}

#[tokio::test]
async fn locked_code_delays_only_its_own_callers() {
    let harness = harness(8, &[]).await;
    let (id, locked) = harness.create(Draft::new()).await;
    let good = [harness.code(Draft::new()).await, harness.code(Draft::new()).await];
    let mut others = PgPool::connect_with((*harness.pool.connect_options()).clone())
        .await
        .unwrap()
        .begin()
        .await
        .unwrap();
    sqlx::query("SELECT 1 FROM invitation_codes WHERE id = $1 FOR UPDATE")
        .bind(id.as_bytes().as_slice())
        .execute(&mut *others)
        .await
        .unwrap();

    // The first call is in flight alone with the locked code; the next batch contains
    // another call for it.
    let stuck = harness.redeem(&locked, person(1));
    yield_now().await;
    let calls = [(&locked, 2), (&good[0], 3), (&good[1], 4)];
    let mut calls = calls.map(|(code, n)| harness.redeem(code, person(n))).into_iter();
    let also_stuck = calls.next().unwrap();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert!(!stuck.is_finished() && !also_stuck.is_finished());
    others.rollback().await.unwrap();
    let told = [stuck.await.unwrap(), also_stuck.await.unwrap()];
    assert_eq!(told.iter().filter(|told| told.is_ok()).count(), 1, "{told:?}");
}

#[tokio::test]
async fn batch_with_dropped_callers_answers_the_others_correctly() {
    // One call of a single-use code alone, two of the code for several uses, and one more.
    dropped_callers::<Postgres>([1, 0, 0, 2]).await;
}

#[tokio::test]
async fn failure_of_one_redemption_does_not_fail_the_others_of_its_batch() {
    let harness = Harness::<Postgres>::new().await;
    let (several, single) = (harness.code(for_uses(9)).await, harness.code(Draft::new()).await);
    let forbid = "CREATE FUNCTION no() RETURNS TRIGGER LANGUAGE plpgsql AS $$ \
                  BEGIN RAISE EXCEPTION 'no'; END $$; \
                  CREATE TRIGGER no BEFORE INSERT ON invitation_redemptions \
                  FOR EACH ROW EXECUTE FUNCTION no()";
    sqlx::raw_sql(forbid).execute(&harness.pool).await.unwrap();
    let calls = vec![(&*several, person(1)), (&*single, person(2))];
    let answers = harness.redeem_concurrently(calls).await;
    answers[0].as_ref().unwrap_err();
    assert!(!answers[1].as_ref().unwrap().is_replayed());
    assert_eq!(uses(&harness.invitations).await, 1);
    assert_eq!(redemptions_on_record(&harness.invitations).await, 1);
}

#[tokio::test]
async fn stricter_default_isolation_changes_no_result() {
    for level in ["repeatable read", "serializable"] {
        let harness = harness(1, &[("default_transaction_isolation", level)]).await;
        let several = harness.code(for_uses(3)).await;
        let single = harness.code(Draft::new()).await;
        let calls = [(&several, 1), (&several, 2), (&single, 3), (&several, 4), (&several, 5)];
        let calls = calls.map(|(code, n)| (code.as_str(), person(n)));
        let answers = harness.redeem_concurrently(calls.into_iter().collect()).await;
        assert_eq!(answers.iter().filter(|told| told.is_ok()).count(), 4, "{level}");
        assert!(answers[2].is_ok());
        assert_eq!(uses(&harness.invitations).await, 4);
    }
}
