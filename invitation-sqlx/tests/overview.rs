//! The view for human readers has the columns and the values of the dashboard's table.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(all(feature = "mysql", feature = "postgres", feature = "sqlite"))]

mod support;

use std::num::NonZeroU32;

use invitation_core::{
    Clock, Criteria, Draft, Email, EmailDomain, IfVersion, Invitation, InvitationView, Invitations,
    Limits, ManualClock, Paging, Role, Store, SystemClock, VerifiedEmail,
};
use invitation_sqlx::{
    MySqlStore, PgStore, SqliteStore,
    sqlx::{AssertSqlSafe, MySqlPool, PgPool, query_as},
};
use support::{admin, manager, redeemer};
use time::Duration;

/// A row as text: code, email, role, status, expires, used by, division, created.
type Row = (Option<String>, Option<String>, String, String, String, Option<String>, String, String);

/// The columns, newest first; each database formats times in its own way.
const COLUMNS: &str = "SELECT code, email, role, status, {expires}, used_by, division, {created} \
     FROM invitation_overview ORDER BY created DESC, id DESC";

fn sql(time: &str) -> String {
    let of = |column| time.replace("{}", column);
    COLUMNS.replace("{expires}", &of("expires")).replace("{created}", &of("created"))
}

/// Creates one invitation of each status, bound and unbound, and a deleted one.
async fn live<S: Store>(store: S) -> Vec<Row> {
    let clock = ManualClock::new(SystemClock.now());
    let invitations = Invitations::new(store).with_clock(clock.clone());
    let mailbox = Email::parse("Anna.Lind@Example.com").unwrap();
    let staff = || Draft::new().with_role(Role::new("staff").unwrap());

    // A week and a day ago, so that the invitation has expired by now.
    clock.advance(Duration::days(-8));
    invitations.create(&manager(), Draft::new()).await.unwrap();
    clock.advance(Duration::days(8));
    let bound = Draft::new().for_email(mailbox.clone());
    let used = invitations.create(&manager(), bound).await.unwrap();
    let anna = redeemer("anna").with_email(VerifiedEmail::vouched_by_host(mailbox));
    invitations.redeem(&used.code().reveal(), &anna).await.unwrap();
    clock.advance(Duration::seconds(1));
    let domain = EmailDomain::parse("example.org").unwrap();
    invitations.create(&admin(), staff().for_domain(domain)).await.unwrap();
    clock.advance(Duration::seconds(1));
    let many = staff().for_uses(NonZeroU32::new(5).unwrap());
    let several = invitations.create(&admin(), many).await.unwrap();
    for name in ["ben", "cleo", "dora"] {
        invitations.redeem(&several.code().reveal(), &redeemer(name)).await.unwrap();
    }
    clock.advance(Duration::seconds(1));
    let revoked = invitations.create(&manager(), Draft::new()).await.unwrap();
    let id = revoked.invitation().id();
    invitations.revoke(&admin(), id, None, IfVersion::Any).await.unwrap();
    let deleted = invitations.create(&manager(), Draft::new()).await.unwrap();
    let id = deleted.invitation().id();
    invitations.delete(&admin(), id, IfVersion::Any).await.unwrap();

    let paging = Paging::first(Limits::MAX_PAGE).unwrap();
    let page = invitations.list(&admin(), &Criteria::new(), paging).await.unwrap();
    assert_eq!(page.items().len(), 5);
    page.items().iter().map(row).collect()
}

fn row(view: &InvitationView) -> Row {
    let invitation: &Invitation = view.invitation();
    let email = match &invitation.binding() {
        invitation_core::Binding::Anyone => None,
        invitation_core::Binding::Address(email) => Some(email.as_str().to_owned()),
        invitation_core::Binding::Domain(domain) => Some(format!("@{}", domain.as_str())),
    };
    // Times are compared to the second.
    let time = |at: invitation_core::Timestamp| {
        let text = at.to_string();
        text[..19].replace('T', " ")
    };
    (
        view.code().map(|code| code.reveal().replace('-', "")),
        email,
        invitation.role().as_str().to_owned(),
        view.status().as_str().to_owned(),
        time(invitation.expires_at()),
        invitation.used_by().map(|used_by| used_by.to_string()),
        invitation.division().as_str().to_owned(),
        time(invitation.created_at()),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_overview_equals_the_list() {
    let store = SqliteStore::in_memory().await.unwrap();
    let pool = store.pool().clone();
    let expected = live(store).await;
    let sql = AssertSqlSafe(sql("substr({}, 1, 19)"));
    let seen: Vec<Row> = query_as(sql).fetch_all(&pool).await.unwrap();
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_overview_equals_the_list() {
    let url = invitation_testkit::Postgres::shared().create_database();
    let pool = PgPool::connect(&url).await.unwrap();
    let store = PgStore::new(pool.clone());
    store.migrate().await.unwrap();
    let expected = live(store).await;
    let time = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')";
    let sql = AssertSqlSafe(sql(time));
    let seen: Vec<Row> = query_as(sql).fetch_all(&pool).await.unwrap();
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_overview_equals_the_list() {
    let url = invitation_testkit::MariaDb::shared().create_database();
    let pool = MySqlPool::connect(&url).await.unwrap();
    let store = MySqlStore::new(pool.clone());
    store.migrate().await.unwrap();
    let expected = live(store).await;
    let sql = AssertSqlSafe(sql("LEFT(CAST({} AS CHAR), 19)"));
    let seen: Vec<Row> = query_as(sql).fetch_all(&pool).await.unwrap();
    assert_eq!(seen, expected);
}
