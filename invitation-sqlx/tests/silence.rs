//! Log output at every level: it contains no code and no address.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(all(feature = "mysql", feature = "postgres", feature = "sqlite"))]

mod support;

use std::fmt::Write as _;

use invitation_core::{
    Amendment, Criteria, Draft, Email, Expiry, IfVersion, Invitations, Invitee, Paging, Store,
    VerifiedEmail,
};
use invitation_sqlx::{
    MySqlStore, PgStore, SqliteStore,
    sqlx::{MySqlPool, PgPool},
};
use invitation_testkit::Log;
use support::{admin, manager, redeemer};

/// Runs through the life of a code, and returns the texts that must not be logged: codes as
/// shown, codes as stored, and the mailbox.
async fn live<S: Store>(invitations: &Invitations<S>, told: &mut String) -> Vec<String> {
    let mut tell = |what: &dyn std::fmt::Debug| writeln!(told, "{what:?}").unwrap();
    let canary = Email::parse("canary.mailbox@example.com").unwrap();
    let draft = Draft::new().for_email(canary.clone());
    let created = invitations.create(&manager(), draft).await.unwrap();
    tell(&created);
    let id = created.invitation().id();
    let code = created.code().reveal().to_string();

    let refused = invitations.redeem(&code, &redeemer("eve")).await.unwrap_err();
    tell(&refused);
    let found = Criteria::new().matching("canary");
    let page = invitations.list(&manager(), &found, Paging::default()).await.unwrap();
    assert_eq!(page.items().len(), 1);
    tell(&page);
    let by_code = Criteria::new().matching(&*code);
    let page = invitations.list(&manager(), &by_code, Paging::default()).await.unwrap();
    assert_eq!(page.items().len(), 1);
    for text in ["canary.mailbox@example.com", "mailbox canary"] {
        let found = Criteria::new().matching(text);
        let page = invitations.list(&manager(), &found, Paging::default()).await.unwrap();
        assert_eq!(page.items().len(), 1);
        invitations.counts(&manager(), &found).await.unwrap();
    }
    let (division, address) = (created.invitation().division().clone(), canary.key().clone());
    let asked = [Invitee { division, address }];
    let found = invitations.store().are_invited(&asked, invitations.now()).await;
    assert_eq!(found.unwrap(), [true]);
    tell(&invitations.copy(&manager(), id).await.unwrap());
    let longer = Amendment::new().expiring(Expiry::InDays(30));
    invitations.amend(&admin(), id, longer, IfVersion::Any).await.unwrap();
    let rotated = invitations.rotate(&admin(), id, IfVersion::Any).await.unwrap();
    let new_code = rotated.code().reveal().to_string();
    let anna = redeemer("anna").with_email(VerifiedEmail::vouched_by_host(canary));
    tell(&invitations.redeem(&new_code, &anna).await.unwrap());
    tell(&invitations.redeem(&new_code, &redeemer("ben")).await.unwrap_err());
    tell(&support::trail(invitations).await);
    [code, new_code]
        .into_iter()
        .flat_map(|code| [code.replace('-', ""), code])
        .chain(["canary".to_owned()])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_and_debug_output_contain_no_code() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(log.writer())
        .with_ansi(false);
    subscriber.init();

    let (mut told, mut secrets) = (String::new(), Vec::new());
    let sqlite = Invitations::new(SqliteStore::in_memory().await.unwrap());
    secrets.extend(live(&sqlite, &mut told).await);
    let url = invitation_testkit::Postgres::shared().create_database();
    let postgres = PgStore::new(PgPool::connect(&url).await.unwrap());
    postgres.migrate().await.unwrap();
    secrets.extend(live(&Invitations::new(postgres), &mut told).await);
    for joined in [false, true] {
        let url = invitation_testkit::MariaDb::shared().create_database();
        let mariadb = MySqlStore::new(MySqlPool::connect(&url).await.unwrap());
        mariadb.migrate().await.unwrap();
        let pool = mariadb.pool().clone();
        let mariadb = Invitations::new(mariadb);
        if joined {
            // Inside a transaction, MariaDB statements contain their values.
            let mut tx = pool.begin().await.unwrap();
            secrets.extend(live(&mariadb.on(mariadb.store().join(&mut tx)), &mut told).await);
            tx.commit().await.unwrap();
        } else {
            secrets.extend(live(&mariadb, &mut told).await);
        }
    }
    // Neither as plain text nor in hexadecimal.
    let hex = |secret: &String| {
        secret.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    };
    let encoded: Vec<String> = secrets.iter().map(hex).collect();
    secrets.extend(encoded);

    let logged = log.text();
    assert!(logged.contains("invitation_codes"), "statements are logged at this level");
    for secret in &secrets {
        for (where_, text) in [("log", &logged), ("debug output", &told)] {
            let at = text.find(secret.as_str());
            let around = at.map(|at| &text[at.saturating_sub(200)..(at + 60).min(text.len())]);
            assert!(at.is_none(), "a secret in the {where_}: {around:?}");
        }
    }
}
