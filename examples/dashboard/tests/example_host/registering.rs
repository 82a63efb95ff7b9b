//! A code registers its holder, once.

use serde_json::json;

use crate::host::{Store, answer, text};

pub(crate) async fn a_code_for_anyone_lets_its_holder_in(store: &Store) {
    let mut host = store.start().await;
    let invitation = host.invite(json!({})).await;
    let code = text(&invitation["code"]);
    assert!(!host.has_account("newcomer").await, "no account yet");

    // As people type.
    let typed = code.to_lowercase().replace('-', " ");
    let registered = host.register(&typed, "newcomer").await;
    assert_eq!(registered.status, 201, "{registered:?}");
    let expected = json!({"username": "newcomer", "role": "staff", "division": "sales"});
    assert_eq!(registered.json(), expected);
    assert!(host.has_account("newcomer").await, "the account is there");

    let now = host.invitation(&invitation["id"]).await;
    assert_eq!((&now["status"], &now["used_by"]), (&json!("used"), &json!("newcomer")));
    // The program's output never contains a code.
    host.register(&code, "another").await.problem(410, "code-used");
    let said = host.kill();
    assert!(!said.contains(&code) && !said.contains(&typed), "{said}");
}

pub(crate) async fn the_same_newcomer_gets_the_same_answer(store: &Store) {
    let host = store.start().await;
    let (one, several) = (host.code().await, host.invite(json!({"max_uses": 2})).await);
    for (code, name) in [(one, "once"), (text(&several["code"]), "again")] {
        let first = host.register(&code, name).await;
        assert_eq!(first.status, 201, "{first:?}");
        for _ in 0..3 {
            let again = host.register(&code, name).await;
            assert_eq!((again.status, again.json()), (first.status, first.json()));
        }
    }
    // The repeated request consumed nothing.
    assert_eq!(host.invitation(&several["id"]).await["uses"], json!(1));
}

pub(crate) async fn another_person_does_not(store: &Store) {
    let host = store.start().await;
    let mine = host.code().await;
    assert_eq!(host.register(&mine, "mine").await.status, 201);
    // Another code with the same name, in any spelling.
    let other = host.code().await;
    host.register(&other, "mine").await.problem(409, "username-taken");
    host.register(&other, "MINE").await.problem(409, "username-taken");
    // The same code, with any other value changed.
    let with_email = json!({"code": mine, "username": "mine", "email": "me@example.com"});
    host.post("/api/register", &with_email).await.problem(410, "code-used");
    // Two people share one code and choose one name; their clients send different keys.
    let shared = host.invite(json!({"max_uses": 5})).await;
    for (key, status) in [("first", 201), ("second", 409), ("first", 201)] {
        let body = json!({"code": shared["code"], "username": "shared"});
        let request = host.ask(reqwest::Method::POST, "/api/register").json(&body);
        let answer = answer(request.header("idempotency-key", key)).await;
        assert_eq!(answer.status, status, "{key}: {answer:?}");
    }
    assert_eq!(host.invitation(&shared["id"]).await["uses"], json!(1), "one got in");
    // An existing user of the name is not replaced.
    host.register(&other, "admin").await.problem(409, "username-taken");
    host.register(&other, "Admin").await.problem(409, "username-taken");
}

pub(crate) async fn names_that_read_alike_are_one_account(store: &Store) {
    let host = store.start().await;
    let (mine, other) = (host.code().await, host.code().await);
    let registered = host.register(&mine, "ju\u{308}rgen").await;
    assert_eq!(registered.status, 201, "{registered:?}");
    assert_eq!(registered.json()["username"], json!("j\u{fc}rgen"));
    for name in ["j\u{fc}rgen", "J\u{dc}RGEN", "\u{ff4a}\u{fc}rgen", "\u{ff21}dmin", "\u{24d0}dmin"]
    {
        host.register(&other, name).await.problem(409, "username-taken");
    }
    for name in ["admin\u{200b}", "ad\u{ad}min", "\u{202e}nimda", "admin\u{2060}", "admin\u{3164}"]
    {
        host.register(&other, name).await.problem(422, "invalid");
    }
    // The link as it is pasted, and its code in full-width letters.
    let link = format!(" <https://example.com/register#{other}>.\n");
    assert_eq!(host.register(&link, "pasted").await.status, 201);
    let wide = host.code().await;
    let wide: String =
        wide.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c)).collect();
    assert_eq!(host.register(&wide, "wide").await.status, 201);
}

pub(crate) async fn name_with_the_longest_comparison_key_is_registered_once(store: &Store) {
    let host = store.start().await;
    // Each character stands for 18 letters and spaces.
    let name = "\u{fdfa}".repeat(42);
    let (mine, other) = (host.code().await, host.code().await);
    assert_eq!(host.register(&mine, &name).await.status, 201);
    host.register(&other, &name).await.problem(409, "username-taken");
    assert_eq!(host.register(&other, &name[3..]).await.status, 201, "one character less");
}

pub(crate) async fn a_second_start_finds_everything(store: &Store) {
    let host = store.start().await;
    let invitation = host.invite(json!({})).await;
    let code = text(&invitation["code"]);
    assert_eq!(host.register(&code, "kept").await.status, 201);
    let rows = host.ask_as("admin", reqwest::Method::GET, "/api/invitations?limit=200");
    let before = answer(rows).await.json()["items"].clone();
    let (well, said) = host.stop();
    assert!(well, "asked to stop, it ends well: {said}");

    let host = store.start().await;
    let rows = host.ask_as("admin", reqwest::Method::GET, "/api/invitations?limit=200");
    assert_eq!(answer(rows).await.json()["items"], before, "neither lost nor seeded again");
    assert!(host.has_account("kept").await);
    assert_eq!(host.register(&code, "kept").await.status, 201, "the same answer");
    drop(host);

    let mut command = store.command();
    command.env("DEMO_RESET", "1");
    let host = crate::host::Host::start(command).await;
    assert!(!host.has_account("kept").await, "an empty store");
    host.register(&code, "kept").await.problem(404, "code-unknown");
    let rows = host.ask_as("admin", reqwest::Method::GET, "/api/invitations?limit=200");
    let seeded = answer(rows).await.json()["items"].as_array().map_or(0, Vec::len);
    assert_eq!(Some(seeded + 1), before.as_array().map(Vec::len), "but for the demonstration's");
}

pub(crate) async fn event_of_a_registration_carries_its_request_id(store: &Store) {
    let host = store.start().await;
    let code = host.code().await;
    let event_of = async |id: &str| {
        let events =
            host.ask_as("admin", reqwest::Method::GET, "/api/invitations/events?limit=200");
        let events = answer(events).await.json()["items"].clone();
        let found = events.as_array().and_then(|events| {
            events.iter().find(|event| event["correlation_id"] == id && event["kind"] == "redeem")
        });
        found.cloned().unwrap_or_else(|| panic!("no redemption of {id}: {events}"))
    };
    for (id, name, outcome) in [("req-7", "anna", "succeeded"), ("req-8", "ben", "refused")] {
        let body = json!({"code": code, "username": name});
        let request = host.ask(reqwest::Method::POST, "/api/register").header("x-request-id", id);
        answer(request.json(&body)).await;
        let event = event_of(id).await;
        assert_eq!((&event["username"], &event["outcome"]), (&json!(name), &json!(outcome)));
    }
    // The page of the browser does the same.
    let code = host.code().await;
    let form = [("code", &*code), ("username", "carla"), ("email", "")];
    let request = host.ask(reqwest::Method::POST, "/register").header("x-request-id", "req-9");
    let answered = answer(request.header("origin", &host.base).form(&form)).await;
    assert_eq!(answered.status, 201, "{answered:?}");
    assert_eq!(event_of("req-9").await["username"], json!("carla"));
    // The administrator's name stands beside the id.
    let events = host.ask_as("admin", reqwest::Method::GET, "/api/invitations/events?kind=create");
    assert_eq!(answer(events).await.json()["items"][0]["actor_name"], json!("admin"));
}

/// A field that is shorter than the longest text that is read would cut a paste without a word.
#[tokio::test]
async fn field_of_the_code_takes_every_text_that_is_read() {
    let host = Store::sqlite().start().await;
    let page = answer(host.ask(reqwest::Method::GET, "/register")).await;
    let html = page.text();
    let field =
        html.split("<input").find(|field| field.contains("name=\"code\"")).expect("a field");
    let length = format!("maxlength=\"{}\"", invitation::code::CodeFormat::MAX_INPUT);
    assert!(field.contains(&length), "{field}");
}
