//! The chapter *Moving in* of the guide moves rows on SQLite and PostgreSQL: its SQL and its program
//! are those of the chapter's files.

#![expect(clippy::unwrap_used, reason = "a test")]

use invitation::{
    Actor, Paging, PgStore, Redeemer, SqliteStore, UserId, Username,
    audit::{Action, EventCriteria},
    code::Sealing,
    sql::sqlx::AssertSqlSafe,
};
use invitation_testkit::Postgres;

const CHAPTER: &str = include_str!("../../src/guide/moving_in.md");
const CHECK: &str = include_str!("../../src/guide/moving_in_after.md");

/// Returns the statements of a chapter.
fn statements(chapter: &str) -> Vec<&str> {
    let blocks = chapter.split("```sql\n").skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0).collect()
}

/// The time that the check adds to that of the move: a row with less time left does not move.
const TOO_SHORT: i64 = 3_660;

/// Fills the host's table: two pending rows, one of them bound, a used one, an expired one, and one
/// that expires within the hour.
fn rows(now: i64) -> String {
    let (later, before, soon) = (now + 86_400, now - 86_400, now + 3_000);
    format!(
        "INSERT INTO invites (id, code, email, role, team, expires_at, used_at) VALUES \
         (1, 'old-anna', NULL, 'staff', 'sales', {later}, NULL), \
         (2, 'old-ben', 'ben@example.com', 'staff', 'sales', {later}, NULL), \
         (3, 'old-used', NULL, 'staff', 'sales', {later}, {before}), \
         (4, 'old-late', NULL, 'staff', 'sales', {before}, NULL), \
         (5, 'old-soon', NULL, 'staff', 'sales', {soon}, NULL)"
    )
}

fn newcomer(name: &str) -> Redeemer {
    Redeemer::new(UserId::new(name).unwrap(), Username::new(name).unwrap())
}

/// Moves the rows on one kind of store, as the chapter says.
macro_rules! moving_in {
    ($module:ident, $store:ty) => {
        mod $module {
            use super::*;

            type Store = $store;

            include!("../../src/guide/moving_in.rs");

            pub(super) async fn moves(store: Store) {
                let pool = store.pool().clone();
                let invitations = Invitations::new(store);
                let now = invitations.now().as_micros() / 1_000_000;
                for statement in statements(CHAPTER) {
                    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
                        .execute(&pool)
                        .await
                        .unwrap();
                }
                sqlx::raw_sql(AssertSqlSafe(rows(now))).execute(&pool).await.unwrap();

                // A crash between the two steps of a row: it has an invitation already.
                assert_eq!(move_invites(&invitations).await.unwrap(), 2);
                sqlx::query("DELETE FROM moved_invites WHERE code = 'old-ben'")
                    .execute(&pool)
                    .await
                    .unwrap();
                assert_eq!(move_invites(&invitations).await.unwrap(), 1);
                assert_eq!(move_invites(&invitations).await.unwrap(), 0);

                let [check] = statements(CHECK)[..] else { panic!("one statement") };
                assert!(CHECK.contains("plus 3,660 seconds"));
                let check = check.replace("> 0", &format!("> {}", now + TOO_SHORT));
                let counts: (i64, i64) =
                    sqlx::query_as(AssertSqlSafe(check)).fetch_one(&pool).await.unwrap();
                assert_eq!(counts, (2, 2));

                let code = current_code(&invitations, " old-anna\n").await.unwrap();
                let redeemed = invitations.redeem(&code, &newcomer("anna")).await.unwrap();
                assert_eq!(
                    (redeemed.role().as_str(), redeemed.division().as_str()),
                    ("staff", "sales")
                );
                let again = current_code(&invitations, "old-anna").await.unwrap();
                let refused = invitations.redeem(&again, &newcomer("carl")).await.unwrap_err();
                assert_eq!(refused.refusal(), Some(&Refusal::Used));

                let bound = current_code(&invitations, "old-ben").await.unwrap();
                let refused = invitations.redeem(&bound, &newcomer("ben")).await.unwrap_err();
                assert_eq!(refused.refusal(), Some(&Refusal::AddressProofRequired));

                for unknown in ["old-used", "old-late", "old-soon", &*code] {
                    assert_eq!(current_code(&invitations, unknown).await.unwrap(), unknown);
                }

                let admin = Actor::across_divisions(
                    UserId::new("ada").unwrap(),
                    Role::new("admin").unwrap(),
                );
                let created = EventCriteria::new().of_action(Action::Create);
                let trail = invitations.events(&admin, &created, Paging::default()).await.unwrap();
                assert_eq!(trail.items().len(), 2, "a repeated run creates nothing");
                assert!(
                    trail.items().iter().all(|event| event.performer.name() == Some("moving-in"))
                );

                // As the chapter warns: a mode that keeps no code stops old codes, and a re-sealing
                // in it removes them.
                let hashing = invitations.clone().with_sealing(Sealing::hash_only());
                let stopped = current_code(&hashing, "old-ben").await.unwrap_err();
                assert!(stopped.to_string().contains("not kept"), "{stopped}");
                assert_eq!(current_code(&invitations, "old-ben").await.unwrap(), bound);
                let resealed = hashing.reseal(&admin, Paging::default()).await.unwrap();
                assert_eq!(resealed.resealed(), 2);
                let lost = current_code(&invitations, "old-ben").await.unwrap_err();
                assert!(lost.to_string().contains("not kept"), "{lost}");
            }
        }
    };
}

moving_in!(sqlite, SqliteStore);
moving_in!(postgres, PgStore);

#[tokio::test]
async fn rows_move_on_sqlite_and_an_old_code_is_redeemed_once() {
    sqlite::moves(SqliteStore::in_memory().await.unwrap()).await;
}

#[tokio::test]
async fn rows_move_on_postgres_and_an_old_code_is_redeemed_once() {
    let url = Postgres::shared().create_database();
    postgres::moves(PgStore::connect(&url).await.unwrap()).await;
}
