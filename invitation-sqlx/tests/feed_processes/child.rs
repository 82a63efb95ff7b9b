//! The child processes: writers, and consumers of the feed.

use std::{
    io::{Write, stdout},
    num::NonZeroU32,
    thread,
    time::Duration,
};

use invitation_conformance::feed::system_event;
use invitation_core::{
    Clock, EventId, Store, SystemClock,
    feed::{Advance, Claim, ClaimedCursor, CursorHolder, CursorName, Feed, claim},
};
use invitation_sqlx::{
    SqlStore,
    sqlx::{MySql, Postgres, Sqlite, pool::PoolOptions},
};
use tokio::task::JoinSet;

use crate::support::host::Kind;

/// The number of events of each writer.
pub(crate) const CALLS: usize = 10;

/// The lease of a consumer. The next one waits as long after a kill.
const LEASE: time::Duration = time::Duration::milliseconds(500);

pub(crate) async fn run(role: &str, url: &str, number: u8) {
    if url.starts_with("postgres:") {
        act::<Postgres>(role, url, number).await;
    } else if url.starts_with("mysql:") {
        act::<MySql>(role, url, number).await;
    } else {
        act::<Sqlite>(role, url, number).await;
    }
}

async fn act<DB: Kind>(role: &str, url: &str, number: u8) {
    let options = PoolOptions::<DB>::new().max_connections(16);
    let store = SqlStore::new(options.connect_with(DB::unsynced(url)).await.unwrap());
    match role {
        "write" => write(&store, number).await,
        "die" => consume(&store, number, true).await,
        _ => consume(&store, number, false).await,
    }
}

/// Writes with 16 writers at once, and prints the ids.
async fn write<DB: Kind>(store: &SqlStore<DB>, process: u8) {
    let mut writers = JoinSet::new();
    for writer in 0..16 {
        let store = store.clone();
        writers.spawn(async move {
            let mut written = Vec::new();
            for call in 0..u8::try_from(CALLS).unwrap() {
                // Ids in no order.
                let mut id = [call.wrapping_mul(77); 16];
                id[13..].copy_from_slice(&[process, writer, call]);
                let event = system_event(EventId::from_bytes(id), SystemClock.now());
                store.record(std::slice::from_ref(&event)).await.unwrap();
                written.push(event.id);
            }
            written
        });
    }
    for id in writers.join_all().await.concat() {
        println!("{id}");
    }
}

/// Claims the cursor as soon as it is free.
async fn claimed<DB: Kind>(store: &SqlStore<DB>, number: u8) -> ClaimedCursor<&SqlStore<DB>> {
    let name = CursorName::new("mail").unwrap();
    let holder = CursorHolder::new(format!("consumer-{number}")).unwrap();
    loop {
        let claimed = claim(store, &name, &holder, SystemClock.now(), LEASE).await;
        match claimed.unwrap() {
            Claim::Granted(cursor) => return cursor,
            Claim::Taken(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Processes pages by printing their ids, and releases the cursor after each page for others.
/// Ends at the end of the feed, or stops before it advances the cursor.
async fn consume<DB: Kind>(store: &SqlStore<DB>, number: u8, dies: bool) {
    let page = NonZeroU32::new(20).unwrap();
    let mut pages = 0;
    // PostgreSQL may hold the last events back for a moment.
    let mut idle = 0;
    while idle < 50 {
        let mut cursor = claimed(store, number).await;
        let read = store.feed(cursor.position(), page).await.unwrap();
        for one in &read.events {
            println!("{}", one.event.id);
        }
        let Some(last) = read.events.last() else {
            cursor.release().await.unwrap();
            idle += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        idle = 0;
        pages += 1;
        if dies && pages == 3 {
            println!("processed");
            stdout().flush().unwrap();
            // The director kills this process.
            loop {
                thread::park();
            }
        }
        if cursor.advance(last.position, SystemClock.now()).await.unwrap() == Advance::Done {
            cursor.release().await.unwrap();
        }
    }
}
