//! Text on MariaDB: compared byte for byte, whatever the database's collation, and
//! readable.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "mysql")]

mod support;

use std::num::NonZeroU32;

use invitation_core::{
    Actor, Criteria, Division, Draft, Email, Expiry, IdempotencyKey, IfVersion, Invitations,
    Paging, Role, UserId,
};
use invitation_sqlx::{
    MySqlStore,
    sqlx::{self, AssertSqlSafe, MySqlPool, Row},
};
use invitation_testkit::MariaDb;
use support::{admin, create, manager, redeemer};

/// Returns a service on a database whose collation ignores case, accents and trailing
/// spaces.
async fn on_a_folding_database(collation: &str) -> (Invitations<MySqlStore>, MySqlPool) {
    let url = MariaDb::shared().create_database();
    let pool = MySqlPool::connect(&url).await.unwrap();
    let database = url.rsplit('/').next().unwrap();
    let fold = format!("ALTER DATABASE {database} CHARACTER SET utf8mb4 COLLATE {collation}");
    sqlx::raw_sql(AssertSqlSafe(fold)).execute(&pool).await.unwrap();
    let folds: i64 = sqlx::query_scalar("SELECT 'A' COLLATE utf8mb4_general_ci = 'á '")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(folds, 1, "that is what would go wrong");
    let store = MySqlStore::new(pool.clone());
    store.migrate().await.unwrap();
    (Invitations::new(store), pool)
}

fn manager_of(user: &str, division: &str) -> Actor {
    let role = Role::new("manager").unwrap();
    Actor::in_division(UserId::new(user).unwrap(), role, Division::new(division).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn users_with_similar_ids_are_different_users() {
    const ALIKE: [&str; 4] = ["anna", "Anna", "ánna", "ＡＮＮＡ"];
    for collation in ["utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin"] {
        let (invitations, pool) = on_a_folding_database(collation).await;
        for joined in [false, true] {
            let staff = Draft::new().with_role(Role::new("staff").unwrap());
            let uses = NonZeroU32::new(4).unwrap();
            let created = invitations.create(&admin(), staff.for_uses(uses)).await.unwrap();
            let code = created.code().reveal();
            for name in ALIKE {
                let redeemed = if joined {
                    let mut tx = pool.begin().await.unwrap();
                    let inside = invitations.on(invitations.store().join(&mut tx));
                    let redeemed = inside.redeem(&code, &redeemer(name)).await.unwrap();
                    tx.commit().await.unwrap();
                    redeemed
                } else {
                    invitations.redeem(&code, &redeemer(name)).await.unwrap()
                };
                assert!(!redeemed.is_replayed(), "{name} is a person of its own");
            }
        }
        // Divisions, and the keys of one manager.
        let mut ids = Vec::new();
        for (n, name) in ALIKE.into_iter().enumerate() {
            let boss = manager_of("mia", name);
            let key = IdempotencyKey::new(["key", "Key", "KEY", "kEY"][n]).unwrap();
            let created = invitations.create_once(&boss, &key, Draft::new()).await.unwrap();
            assert!(!created.is_replayed());
            ids.push(created.invitation().id());
            let page = invitations.list(&boss, &Criteria::new(), Paging::default()).await.unwrap();
            assert_eq!(page.items().len(), 1, "the division {name}");
            assert_eq!(page.items()[0].invitation().id(), ids[n]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn overview_equals_the_dashboard() {
    let (invitations, pool) = on_a_folding_database("utf8mb4_general_ci").await;
    let address = Email::parse("Anna@Example.com").unwrap();
    let draft = Draft::new().for_email(address).expiring(Expiry::InDays(7));
    let bound = invitations.create(&manager(), draft).await.unwrap();
    let (used, code) = create(&invitations).await;
    invitations.redeem(&code, &redeemer("bén")).await.unwrap();
    let (revoked, _) = create(&invitations).await;
    invitations.revoke(&admin(), revoked.id(), None, IfVersion::Any).await.unwrap();
    let (past, _) = create(&invitations).await;
    let (deleted, _) = create(&invitations).await;
    invitations.delete(&admin(), deleted.id(), IfVersion::Any).await.unwrap();
    let end = "UPDATE invitation_codes SET expires_at = 1000 WHERE id = ?";
    let expire = sqlx::query(end).bind(&past.id().as_bytes()[..]);
    expire.execute(&pool).await.unwrap();

    let sql = "SELECT code, email, role, status, CAST(expires AS CHAR), used_by, division \
               FROM invitation_overview ORDER BY created, id";
    let rows = sqlx::query(sql).fetch_all(&pool).await.unwrap();
    let text = |row: usize, column: usize| rows[row].get::<Option<String>, _>(column);
    assert_eq!(rows.len(), 4, "a deleted one is not there");
    assert_eq!(text(0, 0), Some(bound.code().reveal().replace('-', "")));
    assert_eq!(text(0, 1).as_deref(), Some("Anna@Example.com"));
    assert_eq!(text(0, 2).as_deref(), Some("staff"));
    let statuses: Vec<_> = (0..4).map(|row| text(row, 3).unwrap()).collect();
    assert_eq!(statuses, ["active", "used", "revoked", "expired"]);
    let expires = used.expires_at().to_string().replace('T', " ").replace('Z', "");
    assert!(text(1, 4).unwrap().starts_with(expires.trim_end_matches('0')), "{expires}");
    assert_eq!(text(1, 5).as_deref(), Some("bén"));
    assert_eq!(text(1, 6).as_deref(), Some("sales"));
    assert_eq!(text(3, 4).as_deref(), Some("1970-01-01 00:00:00.001000"));
}
