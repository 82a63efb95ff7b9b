//! Successful and failing starts of the example.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use invitation::{
    SqliteStore,
    sql::sqlx::{
        self, Connection,
        mysql::MySqlConnection,
        sqlite::{SqliteConnectOptions, SqliteConnection},
    },
};
use reqwest::Method;
use serde_json::json;

use crate::{
    host::{Host, Store, answer},
    sealing::{VALID, audit_view_says},
};

/// The maximum time until a failing start has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns the error output of a start that fails.
pub(crate) fn complaint(command: &mut Command) -> String {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let begun = Instant::now();
    while child.try_wait().expect("its state").is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().expect("it runs");
        }
        thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("its output");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "it does not listen: {output:?}");
    let said = String::from_utf8(output.stderr).expect("text");
    // A warning of the driver may come first.
    assert!(said.lines().any(|line| line.starts_with("error: ")), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[test]
fn a_wrong_setting_is_named() {
    let store = Store::sqlite();
    for (name, value) in [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("DEMO_RESET", "yes"),
        ("BASE_URL", "demo.example.com"),
        ("BASE_URL", "https://me:tiger@demo.example.com"),
        ("SMTP_URL", "mail.example.com"),
        ("SMTP_URL", "http://me:tiger@mail.example.com"),
        ("MAIL_FROM", "nobody"),
        ("DATABASE_URL", "demo.db"),
        ("DATABASE_URL", "oracle://scott:tiger@localhost/x"),
        ("DATABASE_URL", "sqlite:"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:x?mode=memory"),
        ("DATABASE_URL", "sqlite:/nowhere/at/all.db"),
        ("DATABASE_URL", "postgres://me:tiger@127.0.0.1:1/x"),
        ("DATABASE_URL", "postgres://me:tiger@127.0.0.1:port/x"),
        ("DATABASE_URL", "mysql://me:tiger@127.0.0.1:1/x"),
        ("DATABASE_URL", "redis://me:tiger@127.0.0.1:1/"),
    ] {
        let said = complaint(store.command().env(name, value));
        assert!(said.contains(name), "{name}={value}: {said}");
        assert!(!said.contains("tiger"), "no password: {said}");
    }
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let store = Store::sqlite();
    let said = complaint(store.command().env("PORT", &port));
    assert!(said.contains("PORT") && said.contains(&port), "{said}");
}

#[tokio::test]
async fn the_named_port_and_file_are_taken() {
    let store = Store::sqlite();
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port().to_string();
    drop(free);
    let mut command = store.command();
    command.env("PORT", &port).env("DATABASE_URL", "sqlite:elsewhere.db");
    let host = Host::start(command).await;
    assert!(host.base.ends_with(&format!(":{port}")), "{}", host.base);
    assert!(store.folder.path().join("elsewhere.db").is_file());
    assert!(!store.folder.path().join("invitation-demo.db").exists(), "only what was named");
}

/// A database with users of another application is left unchanged, with or without a reset.
#[tokio::test]
async fn a_database_of_somebody_is_not_touched() {
    let store = Store::sqlite();
    let file = store.folder.path().join("mine.db");
    let mine = SqliteStore::open(&file).await.expect("a database");
    let make = "CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('me')";
    sqlx::raw_sql(make).execute(mine.pool()).await.expect("a table");
    for reset in ["0", "1"] {
        let mut command = store.command();
        let said =
            complaint(command.env("DATABASE_URL", "sqlite:mine.db").env("DEMO_RESET", reset));
        assert!(said.contains("DATABASE_URL") && said.contains("users"), "{said}");
    }
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM users").fetch_all(mine.pool()).await.expect("rows");
    assert_eq!(names, ["me"]);
}

/// The next start finishes a reset that was interrupted: users can sign in, and the log is of the new
/// events.
#[tokio::test]
async fn an_interrupted_reset_is_finished() {
    let store = Store::sqlite();
    let mut host = store.start().await;
    host.invite(json!({})).await;
    host.kill();
    let users = SqliteConnectOptions::new().filename(store.users_file()).foreign_keys(true);
    let mut users = SqliteConnection::connect_with(&users).await.expect("the database");
    // A row that refers to a table of the library: that table cannot be dropped.
    let obstacle = "CREATE TABLE obstacle (event INTEGER REFERENCES invitation_events (position)); \
                    INSERT INTO obstacle SELECT MIN(position) FROM invitation_events";
    sqlx::raw_sql(obstacle).execute(&mut users).await.expect("a table");
    let said = complaint(store.command().env("DEMO_RESET", "1"));
    assert!(said.contains("DATABASE_URL"), "{said}");
    let left = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'users'";
    let left: i64 = sqlx::query_scalar(left).fetch_one(&mut users).await.expect("a number");
    assert_eq!(left, 0, "the reset was interrupted after it removed the users");
    sqlx::raw_sql("DROP TABLE obstacle").execute(&mut users).await.expect("it is there");

    let host = store.start().await;
    let form = [("username", "admin")];
    let signed_in = host.ask(Method::POST, "/login").header("origin", &host.base).form(&form);
    answer(signed_in).await.is(303);
    audit_view_says(&host, VALID).await;
}

/// The start does not wait for a table of MariaDB that another session has locked.
#[tokio::test]
async fn a_locked_table_ends_the_start() {
    let store = Store::mariadb();
    store.start().await.kill();
    let url = store.url().expect("a server");
    let mut other = MySqlConnection::connect(url).await.expect("the database");
    let lock = "LOCK TABLES invitation_demonstration WRITE, users WRITE";
    sqlx::raw_sql(lock).execute(&mut other).await.expect("a lock");
    let said = complaint(&mut store.command());
    assert!(said.contains("DATABASE_URL"), "{said}");
}
