//! Workers in other processes are killed all the time, on real databases and a real mail server.
//! A committed invitation is never unsent; one that was rolled back is never sent.
//!
//! `ROUNDS` sets the number of rounds for each database; the default is 30. A round takes about a
//! third of a second on an idle machine:
//!
//! ```text
//! ROUNDS=1000 cargo test -p invitation-delivery --all-features --test kills -- --nocapture
//! ```

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod places;
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    time::{Duration, Instant},
};

use invitation_testkit::{Postgres, Redis, Smtp};

use self::{
    places::{Place, RedisPlace, SqlPlace},
    worker::WorkerProcess,
};

/// The time in which everything must have arrived at the end.
const PATIENCE: Duration = Duration::from_mins(1);

fn rounds() -> usize {
    env::var("ROUNDS").map_or(30, |rounds| rounds.parse().expect("ROUNDS must be a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn committed_invitations_are_sent_and_rolled_back_ones_are_not_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("invitations.db").display());
    killing_workers(SqlPlace::sqlite(&url).await, &url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn committed_invitations_are_sent_and_rolled_back_ones_are_not_on_postgres() {
    let url = Postgres::shared().create_database();
    killing_workers(SqlPlace::postgres(&url).await, &url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn committed_invitations_are_sent_and_refused_ones_are_not_on_redis() {
    let url = Redis::shared().url();
    killing_workers(RedisPlace::new(&url).await, &url).await;
}

async fn killing_workers(place: impl Place, url: &str) {
    let (server, start) = (Smtp::start().unwrap(), Instant::now());
    let mut committed = BTreeSet::new();
    let mut kills = 0;
    for round in 0..rounds() {
        let mut worker = WorkerProcess::start(url, &server.url());
        let seen = server.count().unwrap();
        place.create(&format!("undone{round}@example.com"), false).await;
        let address = format!("kept{round}@example.com");
        place.create(&address, true).await;
        committed.insert(address);
        match round % 3 {
            // Before or while the mail is queued.
            0 => {}
            // As soon as the server has the mail: often before it is marked.
            1 => wait_until(|| server.count().unwrap() > seen),
            // After the mail is marked.
            _ => wait_until(|| worker.has_sent()),
        }
        worker.kill();
        kills += 1;
    }
    let _worker = WorkerProcess::start(url, &server.url());
    let begun = Instant::now();
    while !place.is_done().await {
        assert!(begun.elapsed() < PATIENCE, "unsent: {:?}", missing(&server, &committed));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(missing(&server, &committed), Vec::<&String>::new());
    let mut of_recipient: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mails = server.mails().unwrap();
    for mail in &mails {
        assert!(committed.contains(&mail.recipients), "{} was rolled back", mail.recipients);
        of_recipient.entry(mail.recipients.clone()).or_default().insert(mail.message_id.clone());
    }
    assert!(of_recipient.values().all(|ids| ids.len() == 1), "twice only with the same id");
    let twice = mails.len() - committed.len();
    let (sent, seconds) = (committed.len(), start.elapsed().as_secs());
    println!("{sent} sent, {kills} kills, {twice} mails twice, {seconds} s");
}

fn missing<'a>(server: &Smtp, committed: &'a BTreeSet<String>) -> Vec<&'a String> {
    let mails = server.mails().unwrap();
    let sent: BTreeSet<_> = mails.iter().map(|mail| &mail.recipients).collect();
    committed.iter().filter(|address| !sent.contains(address)).collect()
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "in vain");
        std::thread::sleep(Duration::from_millis(1));
    }
}
