//! Concurrent registrations and crashes: one account for each redemption, one redemption
//! for each account.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tokio::{sync::Barrier, task::JoinSet};

use crate::host::{Host, Store, answer, text};

/// All people register at once with one code. Returns how many succeeded.
async fn register_concurrently(host: &Arc<Host>, code: &str, people: usize) -> usize {
    let barrier = Arc::new(Barrier::new(people));
    let mut newcomers = JoinSet::new();
    for n in 0..people {
        let (host, code, barrier) = (Arc::clone(host), code.to_owned(), Arc::clone(&barrier));
        newcomers.spawn(async move {
            barrier.wait().await;
            let answer = host.register(&code, &format!("newcomer-{n}")).await;
            match answer.status.as_u16() {
                201 => true,
                // With reservations too: the host waits until the others have their accounts.
                410 => {
                    answer.problem(410, "code-used");
                    false
                }
                _ => panic!("{n}: {answer:?}"),
            }
        });
    }
    newcomers.join_all().await.into_iter().filter(|is_in| *is_in).count()
}

async fn accounts(host: &Host, people: usize) -> usize {
    let mut found = 0;
    for n in 0..people {
        found += usize::from(host.has_account(&format!("newcomer-{n}")).await);
    }
    found
}

pub(crate) async fn many_newcomers_with_one_code_leave_one_account(store: &Store) {
    let host = Arc::new(store.start().await);
    let invitation = host.invite(json!({})).await;
    let told = register_concurrently(&host, &text(&invitation["code"]), 64).await;
    let uses = host.invitation(&invitation["id"]).await["uses"].clone();
    assert_eq!((told, accounts(&host, 64).await, uses), (1, 1, json!(1)));
}

pub(crate) async fn a_code_for_five_lets_five_in(store: &Store) {
    let host = Arc::new(store.start().await);
    let invitation = host.invite(json!({"max_uses": 5})).await;
    let told = register_concurrently(&host, &text(&invitation["code"]), 32).await;
    let uses = host.invitation(&invitation["id"]).await["uses"].clone();
    assert_eq!((told, accounts(&host, 32).await, uses), (5, 5, json!(5)));
}

/// The first starts on a new store in an empty folder, all at once.
pub(crate) async fn hosts_that_start_together_all_serve(store: &Store) {
    let mut starts = JoinSet::new();
    for _ in 0..6 {
        starts.spawn(Host::start(store.command()));
    }
    let hosts = starts.join_all().await;
    for host in &hosts {
        answer(host.ask(Method::GET, "/login")).await.is(200);
        let rows = answer(host.ask_as("admin", Method::GET, "/api/invitations")).await.is(200);
        let rows = rows.json()["items"].as_array().expect("a list").len();
        assert_eq!(rows, 6, "the demonstration's data, once");
    }
}

pub(crate) async fn killed_at_any_moment_accounts_and_redemptions_correspond(store: &Store) {
    let mut host = store.start().await;
    let mut invitations = Vec::new();
    for n in 0..48 {
        invitations.push((format!("load-{n}"), host.invite(json!({})).await));
    }
    // Eight registrations at a time; the host is killed after the first twelve answers.
    let (client, base) = (host.client.clone(), host.base.clone());
    let turns = Arc::new(tokio::sync::Semaphore::new(8));
    let answered = Arc::new(tokio::sync::Semaphore::new(0));
    let mut load = JoinSet::new();
    for (name, invitation) in invitations.clone() {
        let (client, url) = (client.clone(), format!("{base}/api/register"));
        let (turns, answered) = (Arc::clone(&turns), Arc::clone(&answered));
        load.spawn(async move {
            let _turn = turns.acquire().await.expect("open");
            let body = json!({"code": invitation["code"], "username": name});
            let done = client.post(url).json(&body).send().await;
            let is_in = done.is_ok_and(|response| response.status() == 201);
            answered.add_permits(usize::from(is_in));
            is_in.then_some(name)
        });
    }
    let _twelve = answered.acquire_many(12).await.expect("twelve get in");
    host.kill();
    let told: Vec<String> = load.join_all().await.into_iter().flatten().collect();
    assert!(told.len() < 48, "it was killed under load");

    let host = store.start().await;
    let mut found = 0;
    for (name, invitation) in &invitations {
        let used_by = host.invitation(&invitation["id"]).await["used_by"].clone();
        let has_account = host.has_account(name).await;
        let expected = if has_account { json!(name) } else { json!(null) };
        assert_eq!(used_by, expected, "{name}: an account and a redemption, or neither");
        assert!(has_account || !told.contains(name), "{name} was told that the account exists");
        found += usize::from(has_account);
    }
    assert!(found >= told.len(), "{found} of {}", told.len());
    // All users try again, and get an account: the same one, or a new one.
    for (name, invitation) in &invitations {
        let again = host.register(&text(&invitation["code"]), name).await;
        assert_eq!(again.status, 201, "{name}: {again:?}");
        assert_eq!(host.invitation(&invitation["id"]).await["used_by"], json!(name));
    }
}
