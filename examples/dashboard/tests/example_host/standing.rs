//! A manager who has been demoted or removed grants no more.

use invitation::sql::sqlx::{
    self, AssertSqlSafe, Connection,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::host::{Host, Store, answer, text};

/// Returns a connection to the host's table of users.
async fn users(store: &Store) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(store.users_file());
    SqliteConnection::connect_with(&options).await.expect("the host's users")
}

async fn invite_as_manager(host: &Host, draft: &Value) -> Value {
    let created = host.ask_as("sales-manager", Method::POST, "/api/invitations").json(draft);
    answer(created).await.is(201).json()
}

pub(crate) async fn manager_without_the_role_grants_no_more(store: &Store) {
    let host = store.start().await;
    let mut users = users(store).await;
    for (what, change, undo) in [
        (
            "demoted",
            "UPDATE users SET role = 'staff' WHERE id = 'sales-manager'",
            "UPDATE users SET role = 'manager' WHERE id = 'sales-manager'",
        ),
        (
            "moved",
            "UPDATE users SET division = 'operations' WHERE id = 'sales-manager'",
            "UPDATE users SET division = 'sales' WHERE id = 'sales-manager'",
        ),
        (
            "removed",
            "UPDATE users SET id = 'gone' WHERE id = 'sales-manager'",
            "UPDATE users SET id = 'sales-manager' WHERE id = 'gone'",
        ),
    ] {
        let email = format!("{what}@example.com");
        let open = invite_as_manager(&host, &json!({})).await;
        let bound = invite_as_manager(&host, &json!({"email": email})).await;
        let mut run = async |sql: &str| {
            let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut users).await;
            assert_eq!(done.expect("a change").rows_affected(), 1, "{sql}");
        };
        run(change).await;
        let refused = host.register(&text(&open["code"]), what).await;
        refused.problem(410, "code-revoked");
        let body = json!({"code": bound["code"], "username": what, "email": email});
        host.post("/api/register", &body).await.problem(410, "code-revoked");
        assert!(host.mails(&email).await.is_empty(), "{what}: no mail is sent");
        assert!(!host.has_account(what).await, "{what}: no account");
        let now = host.invitation(&open["id"]).await;
        assert_eq!((&now["status"], &now["uses"]), (&json!("active"), &json!(0)), "{what}");
        let path = format!("/api/invitations/events?invitation={}", text(&open["id"]));
        let trail = answer(host.ask_as("admin", Method::GET, &path)).await.json();
        assert_eq!(trail["items"][0]["reason"], json!("grantor_standing"), "{what}: {trail}");

        run(undo).await;
        let admitted = host.register(&text(&open["code"]), what).await;
        assert_eq!(admitted.status, 201, "{what}: {}", admitted.text());
    }
}
