//! A tour on a real database: a manager invites, shares the code and watches its status; a
//! newcomer registers; forbidden actions are refused; the audit trail lists every step.
//!
//! ```text
//! cargo run --example quickstart
//! ```

use std::error::Error as StdError;

use invitation::{
    Actor, Amendment, Criteria, Division, Draft, Email, Error, Expiry, IfVersion, InvitationView,
    Invitations, Paging, Redeemer, Right, Role, SqliteStore, Status, SystemActor, Timestamp,
    UserId, Username, VerifiedEmail,
    audit::{EventCriteria, EventOutcome},
    clock::{Clock, ManualClock, SystemClock},
};
use time::Duration;

type Result<T = ()> = std::result::Result<T, Box<dyn StdError>>;

#[tokio::main]
async fn main() -> Result {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(folder.path().join("invitations.db")).await?;
    // A clock that this program can move forward; a host keeps the default.
    let clock = ManualClock::new(SystemClock.now());
    let invitations = Invitations::new(store).with_clock(clock.clone());

    let sales = Division::new("sales")?;
    let manager = actor("mia", "manager", "sales")?;
    let colleague = actor("omar", "manager", "operations")?;
    let admin = Actor::across_divisions(UserId::new("ada")?, Role::new("admin")?);

    heading("A manager creates codes for staff of her own division");
    let anna = Email::parse("anna@example.com")?;
    let draft = Draft::new().for_email(anna.clone()).expiring(Expiry::InDays(14));
    let for_anna = invitations.create(&manager, draft).await?;
    println!("for anna@example.com  {}", *for_anna.code().reveal());
    let for_ben = invitations.create(&manager, Draft::new()).await?;
    println!("for anyone            {}", *for_ben.code().reveal());
    let soon = Draft::new().expiring(Expiry::InDays(1));
    let for_cleo = invitations.create(&manager, soon).await?;
    println!("for a day             {}", *for_cleo.code().reveal());

    heading("She copies one and shares it; Ben registers with it");
    let code = invitations.copy(&manager, for_ben.invitation().id()).await?.reveal();
    let ben = Redeemer::new(UserId::new("u-2")?, Username::new("ben")?);
    // As people type: lower case, spaces instead of hyphens.
    let redeemed = invitations.redeem(&code.to_lowercase().replace('-', " "), &ben).await?;
    println!("{} joined {} as {}", redeemed.username(), redeemed.division(), redeemed.role());
    let again = invitations.redeem(&code, &ben).await?;
    println!("a double click: replayed = {}, still one use", again.is_replayed());

    heading("Two days later: the list, newest first");
    clock.advance(Duration::days(2));
    let page = invitations.list(&manager, &Criteria::new(), Paging::default()).await?;
    print_table(page.items());
    for status in [Status::Active, Status::Used, Status::Expired] {
        let criteria = Criteria::new().with_status(status);
        let found = invitations.list(&manager, &criteria, Paging::default()).await?;
        println!("Filter Status: {:<8} {} found", label(status), found.items().len());
    }
    for search in ["anna", "ben", &for_cleo.code().reveal()[..9]] {
        let criteria = Criteria::new().matching(search);
        let found = invitations.list(&manager, &criteria, Paging::default()).await?;
        println!("Search: {search:<16} {} found", found.items().len());
    }

    heading("What must not happen");
    let staff_code = for_anna.invitation().id();
    let as_manager = Draft::new().with_role(Role::new("manager")?);
    refused("another role", invitations.create(&manager, as_manager).await);
    let elsewhere = Draft::new().in_division(Division::new("operations")?);
    refused("another division", invitations.create(&manager, elsewhere).await);
    refused("reach into another division", invitations.get(&colleague, staff_code).await);
    let longer = Amendment::new().expiring(Expiry::InDays(30));
    refused("modify", invitations.amend(&manager, staff_code, longer, IfVersion::Any).await);
    refused("delete", invitations.delete(&manager, staff_code, IfVersion::Any).await);
    let code = for_anna.code().reveal();
    refused("no proved address", invitations.redeem(&code, &ben).await);
    let other = VerifiedEmail::vouched_by_host(Email::parse("mallory@example.com")?);
    refused("a wrong address", invitations.redeem(&code, &ben.clone().with_email(other)).await);
    let eve = Redeemer::new(UserId::new("u-9")?, Username::new("eve")?);
    refused("reuse", invitations.redeem(&for_ben.code().reveal(), &eve).await);
    refused("after expiry", invitations.redeem(&for_cleo.code().reveal(), &eve).await);
    refused("a typing mistake", invitations.redeem(&swap_two(&code), &eve).await);

    heading("Anna proves her address and registers");
    let proof = VerifiedEmail::vouched_by_host(anna);
    let anna = Redeemer::new(UserId::new("u-3")?, Username::new("anna")?).with_email(proof);
    let redeemed = invitations.redeem(&code, &anna).await?;
    println!("{} joined {} as {}", redeemed.username(), redeemed.division(), redeemed.role());

    heading("The administrator does what managers may not");
    let draft = Draft::new().with_role(Role::new("manager")?).in_division(sales);
    let extra = invitations.create(&admin, draft.clone()).await?.invitation().id();
    invitations.revoke(&admin, extra, Some("hired elsewhere"), IfVersion::Any).await?;
    println!("created a manager's code, and revoked it");
    invitations.create(&SystemActor::for_bootstrap(), draft).await?;
    println!("the installation itself can create the first code of all");

    heading("The audit trail");
    let trail = invitations.events(&admin, &EventCriteria::new(), Paging::first(200)?).await?;
    for event in trail.items().iter().rev() {
        let who = event.performer.user().map_or("system", UserId::as_str);
        let why = event.reason.map_or("", |reason| reason.as_str());
        let what = format!("{} {}", event.action, event.outcome);
        println!("{}  {who:<6} {what:<18} {why}", minute(event.at));
    }
    let done = EventCriteria::new().with_outcome(EventOutcome::Succeeded);
    let done = invitations.events(&admin, &done, Paging::first(200)?).await?.items().len();
    println!("{done} changes and copies, {} refusals", trail.items().len() - done);
    Ok(())
}

fn actor(user: &str, role: &str, division: &str) -> Result<Actor> {
    Ok(Actor::in_division(UserId::new(user)?, Role::new(role)?, Division::new(division)?))
}

fn heading(text: &str) {
    println!("\n== {text}");
}

/// Prints why an action was refused, and fails if it was not.
fn refused<T>(what: &str, outcome: std::result::Result<T, Error>) {
    match outcome {
        Ok(_) => panic!("{what} must be refused"),
        Err(why) => println!("{what:<28} {why}"),
    }
}

fn print_table(rows: &[InvitationView]) {
    println!(
        "{:<29}  {:<16}  {:<6}  {:<7}  {:<16}  {:<7}  Actions",
        "Code", "Email", "Role", "Status", "Expires", "Used By"
    );
    for row in rows {
        let facts = row.invitation();
        let email = match &facts.binding() {
            invitation::Binding::Address(email) => email.as_str(),
            _ => "",
        };
        let used_by = facts.used_by().map_or_else(String::new, |used| used.to_string());
        let code = row.code().map(|code| code.reveal().to_string()).unwrap_or_default();
        let actions: Vec<_> = row
            .actions()
            .iter()
            .map(|action| if *action == Right::Copy { "Copy" } else { "…" })
            .collect();
        println!(
            "{code:<29}  {email:<16}  {:<6}  {:<7}  {:<16}  {used_by:<7}  {}",
            facts.role(),
            label(row.status()),
            minute(facts.expires_at()),
            actions.join(" ")
        );
    }
}

/// Returns a status as the dashboard shows it.
fn label(status: Status) -> &'static str {
    match status {
        Status::Active => "Active",
        Status::Used => "Used",
        Status::Expired => "Expired",
        Status::Revoked => "Revoked",
    }
}

fn minute(t: Timestamp) -> String {
    t.to_string().chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// Returns the code with two different neighbouring symbols swapped.
fn swap_two(code: &str) -> String {
    let mut symbols: Vec<char> = code.chars().collect();
    let differ = |pair: &[char]| pair[0] != pair[1] && !pair.contains(&'-');
    if let Some(at) = symbols.windows(2).position(differ) {
        symbols.swap(at, at + 1);
    }
    symbols.into_iter().collect()
}
