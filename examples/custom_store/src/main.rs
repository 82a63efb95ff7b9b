//! A custom store: invitations in an append-only file.
//!
//! It is written from the documentation of [`invitation::Store`], and tested like every
//! store: by the conformance suite and the model (`cargo test -p custom_store`). Its
//! modules:
//!
//! - `codec`: encoding and decoding of values;
//! - `journal`: the file, its checksums, and recovery after a crash;
//! - `state`: the data in memory;
//! - `steps`: the answers and changes of the port's writing calls;
//! - `queries`: the port's reading calls;
//! - `store`: the port itself: lock, plan, write, then change the memory.

mod codec;
mod journal;
mod queries;
mod state;
mod steps;
mod store;
#[cfg(test)]
mod tests;

use std::{error::Error, fs::OpenOptions, io::Write as _};

use invitation::{
    Actor, Division, Draft, Invitations, Paging, Redeemer, Role, UserId, Username,
    audit::{Event, EventCriteria},
};

use crate::store::JournalStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let sales = Division::new("sales")?;
    let manager = Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, sales);
    let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
    let ben = Redeemer::new(UserId::new("u-3")?, Username::new("ben")?);

    let store = JournalStore::open(folder.path()).await?;
    let invitations = Invitations::new(store.clone());
    println!("opened an empty folder");

    let created = invitations.create(&manager, Draft::new()).await?;
    let code = created.code().reveal();
    println!("a manager of sales created a code for one person");

    let redeemed = invitations.redeem(&code, &anna).await?;
    println!("anna redeemed it and is {} of {}", redeemed.role(), redeemed.division());

    match invitations.redeem(&code, &ben).await {
        Ok(_) => return Err("ben was let in as well".into()),
        Err(refused) => println!("ben was refused: {refused}"),
    }

    if let Err(refused) = JournalStore::open(folder.path()).await {
        let why = refused.source().map(ToString::to_string).unwrap_or_default();
        println!("a second store on the folder was refused: {why}");
    }
    store.close().await?;

    let store = JournalStore::open(folder.path()).await?;
    let invitations = Invitations::new(store.clone());
    println!("reopened: on record are {}", trail(&invitations).await?);
    let again = invitations.redeem(&code, &anna).await?;
    println!("anna clicked once more: the same redemption is {}", again.is_replayed());
    store.close().await?;

    // Simulates a crash in the middle of a write: the line has no end.
    let mut journal = OpenOptions::new().append(true).open(folder.path().join("journal"))?;
    journal.write_all(br#"00000000 [{"op":"invitation","is":{"#)?;

    let invitations = Invitations::new(JournalStore::open(folder.path()).await?);
    println!("reopened after a torn write: on record are {}", trail(&invitations).await?);
    invitations.create(&manager, Draft::new()).await?;
    println!("went on behind it: on record are {}", trail(&invitations).await?);
    Ok(())
}

/// Returns the events so far, in order.
async fn trail(invitations: &Invitations<JournalStore>) -> Result<String, Box<dyn Error>> {
    let auditor = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?);
    let page = invitations.events(&auditor, &EventCriteria::new(), Paging::default()).await?;
    let told = |event: &Event| format!("{} {}", event.action.as_str(), event.outcome.as_str());
    Ok(page.items().iter().rev().map(told).collect::<Vec<_>>().join(", "))
}
