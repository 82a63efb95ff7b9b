//! A bound code: the address is proved first, and nothing changes before.

use invitation::sql::sqlx::{
    self, Connection, Executor,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::host::{Host, Store, answer, text};

async fn apply(host: &Host, code: &Value, username: &str, email: &str) -> String {
    let body = json!({"code": code, "username": username, "email": email});
    let asked = host.post("/api/register", &body).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    assert_eq!(asked.json().as_object().map(serde_json::Map::len), Some(1), "{asked:?}");
    text(&asked.json()["registration"])
}

async fn confirm(host: &Host, registration: &str, token: &str) -> crate::host::Answer {
    let body = json!({"registration": registration, "token": token});
    host.post("/api/register/confirm", &body).await
}

pub(crate) async fn an_address_is_proved_before_anything_happens(store: &Store) {
    let mut host = store.start().await;
    let address = host.invite(json!({"email": "Nina@example.com"})).await;
    let domain = host.invite(json!({"email_domain": "example.com"})).await;
    let mut tokens = Vec::new();
    // The mail goes to the stored address, in its stored spelling. For a domain, it goes to
    // the address that the newcomer enters.
    for (bound, name, given, to) in [
        (&address, "nina", "nina@EXAMPLE.com", "Nina@example.com"),
        (&domain, "oskar", "oskar@example.com", "oskar@example.com"),
    ] {
        let registration = apply(&host, &bound["code"], name, given).await;
        let now = host.invitation(&bound["id"]).await;
        assert_eq!((&now["status"], &now["uses"]), (&json!("active"), &json!(0)), "{now}");
        assert!(!host.has_account(name).await, "nothing has happened yet");

        let mails = host.mails(given).await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert_eq!(mails[0]["to"], json!(to));
        let token = text(&mails[0]["token"]);
        assert!(text(&mails[0]["body"]).contains(&token), "what people read");

        confirm(&host, &registration, "wrong").await.problem(403, "address-proof-required");
        confirm(&host, "other", &token).await.problem(404, "not-found");
        assert!(!host.has_account(name).await, "a wrong answer opens nothing");

        let confirmed = confirm(&host, &registration, &token).await;
        assert_eq!(confirmed.status, 201, "{confirmed:?}");
        let expected = json!({"username": name, "role": "staff", "division": "sales"});
        assert_eq!(confirmed.json(), expected);
        assert!(host.has_account(name).await);
        let now = host.invitation(&bound["id"]).await;
        assert_eq!(now["used_by"], json!(name), "{now}");

        // Lost replies: to the confirmation, and to the registration.
        let again = confirm(&host, &registration, &token).await;
        assert_eq!((again.status.as_u16(), again.json()), (201, expected.clone()));
        let body = json!({"code": bound["code"], "username": name, "email": given});
        let again = host.post("/api/register", &body).await;
        assert_eq!((again.status.as_u16(), again.json()), (201, expected));
        tokens.push(token);
    }

    // Only the administrator can read mail.
    let mail = |name: &str| answer(host.ask_as(name, Method::GET, "/api/demo/mail"));
    mail("sales-manager").await.problem(403, "forbidden");
    mail("nobody").await.problem(401, "unauthenticated");
    assert_eq!(mail("admin").await.json()["items"].as_array().map(Vec::len), Some(2));
    let said = host.kill();
    for token in tokens {
        assert!(!said.contains(&token), "no token is logged: {said}");
    }
}

/// A token is accepted with the line breaks that mail programs insert.
pub(crate) async fn a_pasted_token_is_taken_as_it_was_broken(store: &Store) {
    let host = store.start().await;
    let bound = host.invite(json!({"email": "nina@example.com"})).await;
    let registration = apply(&host, &bound["code"], "nina", "nina@example.com").await;
    let token = text(&host.mails("nina@example.com").await[0]["token"]);
    let (begin, end) = token.split_at(token.len() / 2);
    for pasted in [
        format!(" {token}\n"),
        format!("{begin}\n{end}"),
        format!("{begin}\r\n    {end}"),
        format!("\u{feff}{begin}\u{a0}{end}\u{200b}"),
        format!("{begin}\u{ad}\t{end}"),
        token.chars().flat_map(|c| [c, ' ']).collect(),
    ] {
        // A repeated answer to the same mail returns the same account.
        let confirmed = confirm(&host, &format!(" {registration} \n"), &pasted).await;
        assert_eq!(confirmed.status, 201, "{pasted:?}: {confirmed:?}");
        assert_eq!(confirmed.json()["username"], json!("nina"));
    }
    let half = confirm(&host, &registration, begin).await;
    half.problem(403, "address-proof-required");
}

pub(crate) async fn an_answer_is_tried_so_often_and_no_more(store: &Store) {
    let host = store.start().await;
    let bound = host.invite(json!({"email": "nina@example.com"})).await;
    let registration = apply(&host, &bound["code"], "nina", "nina@example.com").await;
    let token = text(&host.mails("nina@example.com").await[0]["token"]);
    let other = host.invite(json!({"email": "pia@example.com"})).await;
    let others = apply(&host, &other["code"], "pia", "pia@example.com").await;
    let of_others = text(&host.mails("pia@example.com").await[0]["token"]);
    // The token of another registration, and the code alone, count as wrong guesses.
    confirm(&host, &registration, &of_others).await.problem(403, "address-proof-required");
    let guess = format!("{}.{}", "0".repeat(32), text(&bound["code"]));
    for _ in 1..10 {
        confirm(&host, &registration, &guess).await.problem(403, "address-proof-required");
    }
    confirm(&host, &registration, &guess).await.problem(404, "not-found");
    confirm(&host, &registration, &token).await.problem(404, "not-found");
    assert!(!host.has_account("nina").await);
    // A new registration can be answered, and other users' registrations are unaffected.
    let again = apply(&host, &bound["code"], "nina", "nina@example.com").await;
    let token = text(&host.mails("nina@example.com").await[0]["token"]);
    assert_eq!(confirm(&host, &again, &token).await.status, 201);
    assert_eq!(confirm(&host, &others, &of_others).await.status, 201);

    // Another user took the name, or an administrator revoked the code, before the mail was
    // answered.
    let late = host.invite(json!({"email": "quinn@example.com"})).await;
    let waits = apply(&host, &late["code"], "quinn", "quinn@example.com").await;
    let token = text(&host.mails("quinn@example.com").await[0]["token"]);
    assert_eq!(host.register(&host.code().await, "quinn").await.status, 201);
    confirm(&host, &waits, &token).await.problem(409, "username-taken");
    let path = format!("/api/invitations/{}/revoke", text(&late["id"]));
    assert_eq!(answer(host.ask_as("admin", Method::POST, &path)).await.status, 200);
    confirm(&host, &waits, &token).await.problem(410, "code-revoked");
}

pub(crate) async fn an_address_gets_so_many_mails_and_no_more(store: &Store) {
    let host = store.start().await;
    let bound = host.invite(json!({"email": "nina@example.com"})).await;
    for n in 0..5 {
        apply(&host, &bound["code"], &format!("nina-{n}"), "nina@example.com").await;
    }
    let body = json!({"code": bound["code"], "username": "nina", "email": "nina@example.com"});
    let request = host.ask(Method::POST, "/api/register").json(&body);
    let refused = request.send().await.expect("an answer");
    assert!(refused.headers().contains_key("retry-after"), "it says when");
    crate::host::read(refused).await.problem(429, "too-many-requests");
    assert_eq!(host.mails("nina@example.com").await.len(), 5);
}

/// A mail is sent only when its registration is stored. One that could not be answered would count
/// against the limit of the address.
#[tokio::test]
async fn a_registration_that_is_not_stored_sends_no_mail() {
    let store = Store::sqlite();
    let host = store.start().await;
    let bound = host.invite(json!({"email": "nina@example.com"})).await;
    let options = SqliteConnectOptions::new().filename(store.users_file());
    let mut writer = SqliteConnection::connect_with(&options).await.expect("the database");
    writer.execute("BEGIN IMMEDIATE").await.expect("the lock");
    let body = json!({"code": bound["code"], "username": "nina", "email": "nina@example.com"});
    host.post("/api/register", &body).await.problem(503, "unavailable");
    writer.execute("ROLLBACK").await.expect("it ends");
    assert!(host.mails("nina@example.com").await.is_empty());
    for n in 0..5 {
        apply(&host, &bound["code"], &format!("nina-{n}"), "nina@example.com").await;
    }
    // The registration that got no mail is not kept either.
    host.post("/api/register", &body).await.problem(429, "too-many-requests");
    let waiting = "SELECT COUNT(*) FROM registrations";
    let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&mut writer).await.expect("a number");
    assert_eq!(waiting, 5);
}

/// The page says when to try again, as the API does.
#[tokio::test]
async fn page_of_too_many_mails_says_when_to_try_again() {
    let store = Store::sqlite();
    let host = store.start().await;
    let bound = host.invite(json!({"email": "nina@example.com"})).await;
    let code = text(&bound["code"]);
    let post = async |username: &str| {
        let form = [("code", &*code), ("username", username), ("email", "nina@example.com")];
        let request = host.ask(Method::POST, "/register").header("origin", &host.base);
        answer(request.form(&form)).await
    };
    for n in 0..5 {
        post(&format!("nina-{n}")).await.is(202);
    }
    let refused = post("nina").await.is(429).says("too many mails");
    assert_eq!(refused.header("retry-after"), "900");
}
