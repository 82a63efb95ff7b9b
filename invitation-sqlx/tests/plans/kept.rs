//! PostgreSQL plans the statement of redemptions five times for each connection, and then keeps
//! a plan. Planning it takes longer than running it.

use std::num::{NonZeroU32, NonZeroUsize};

use futures_util::future::join_all;
use invitation_core::{Division, Draft, Invitations, Role};
use invitation_sqlx::{
    PgStore,
    sqlx::{self, AssertSqlSafe, Row, postgres::PgPoolOptions},
};

use super::{MIXED, TURN, admin, redeemer};

/// The redemptions of each kind.
const TIMES: usize = 30;

fn draft() -> Draft {
    let in_sales = Draft::new().in_division(Division::new("sales").unwrap());
    in_sales.with_role(Role::new("staff").unwrap())
}

async fn keeps_a_plan(fill: &str) {
    let _turn = TURN.lock().await;
    let url = invitation_testkit::Postgres::shared().create_database();
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let store = PgStore::new(pool).with_batch_slots(NonZeroUsize::MIN);
    store.migrate().await.unwrap();
    for part in fill.split(';').filter(|part| !part.trim().is_empty()) {
        sqlx::raw_sql(AssertSqlSafe(part)).execute(store.pool()).await.unwrap();
    }
    let pool = store.pool().clone();
    let invitations = Invitations::new(store);
    let codes = async |number: usize, draft: Draft| -> Vec<String> {
        let mut codes = Vec::new();
        for _ in 0..number {
            let created = invitations.create(&admin(), draft.clone()).await.unwrap();
            codes.push(created.code().reveal().to_string());
        }
        codes
    };

    for code in codes(TIMES, draft()).await {
        invitations.redeem(&code, &redeemer("anna")).await.unwrap();
    }
    // The first redemption is alone, and the others share the next statement: two of them, which
    // are fewer rows than PostgreSQL expects of an array, or more.
    for callers in [3, 5, 9, 20] {
        for _ in 0..TIMES {
            let codes = codes(callers, draft()).await;
            let redeemer = redeemer("ben");
            let all = codes.iter().map(|code| invitations.redeem(code, &redeemer));
            join_all(all).await.into_iter().for_each(|redeemed| drop(redeemed.unwrap()));
        }
    }
    // One code, for several people.
    for _ in 0..TIMES {
        let code = codes(1, draft().for_uses(NonZeroU32::new(4).unwrap())).await.remove(0);
        let people: Vec<_> = (0..4).map(|n| redeemer(&format!("user-{n}"))).collect();
        let all = people.iter().map(|person| invitations.redeem(&code, person));
        join_all(all).await.into_iter().for_each(|redeemed| drop(redeemed.unwrap()));
    }

    let counted = "SELECT custom_plans, generic_plans, statement FROM pg_prepared_statements
        WHERE statement LIKE 'WITH %UPDATE invitation_codes %'";
    let statements = sqlx::query(counted).fetch_all(&pool).await.unwrap();
    let mut kinds = 0;
    for row in statements {
        let (planned, kept): (i64, i64) = (row.get(0), row.get(1));
        let statement: String = row.get(2);
        assert!(planned <= 5, "planned {planned} times, kept {kept} times: {statement}");
        kinds += usize::from(kept > 0);
    }
    assert!(kinds >= 3, "one redemption, several, and several of one code: {kinds}");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_plan_of_redemptions_in_new_tables() {
    keeps_a_plan(super::unanalyzed::NO_AUTOVACUUM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_plan_of_redemptions_in_unanalyzed_tables() {
    let filled = MIXED.replace("{rows}", "20000");
    keeps_a_plan(&format!("{};{filled}", super::unanalyzed::NO_AUTOVACUUM)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_plan_of_redemptions_in_large_tables() {
    keeps_a_plan(&format!("{};VACUUM ANALYZE", MIXED.replace("{rows}", "20000"))).await;
}
