//! Lists, searches and counts of one division, as it grows.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use invitation::{Actor, Criteria, Division, Invitations, Paging, Role, Status, UserId};
use invitation::{
    PgStore,
    sql::sqlx::{self, AssertSqlSafe},
};
use invitation_testkit::Postgres;

use crate::{Extent, Pool, store};

/// Half of the invitations are used, one in twenty is revoked, the rest have expired or
/// will. Twenty rows contain the word `rarely`, and two the word `unique`.
const MIXED: &str = include_str!("mixed.sql");
/// All invitations but the ten oldest are used, or have expired.
const OLDEST: &str = include_str!("oldest.sql");
/// The invitations, their states and their search terms.
const ROWS: &str = include_str!("rows.sql");

pub(crate) async fn run(server: &Postgres, extent: &Extent) {
    for (name, data) in [("mixed", MIXED), ("only the ten oldest are active", OLDEST)] {
        let mut found: BTreeMap<&str, Vec<Asked>> = BTreeMap::new();
        for rows in &extent.rows {
            let url = server.create_database();
            let store = store(&url, Pool::Untested).await;
            fill(&store, data, *rows).await;
            let invitations = Invitations::new(store);
            for (question, asked) in questions(&invitations, extent.rounds).await {
                found.entry(question).or_default().push(asked);
            }
        }
        println!("\nlists, {name}: p50 (items of the page) by the number of rows in the division");
        let sizes = extent.rows.iter().map(u32::to_string).collect::<Vec<_>>().join(" | ");
        println!("| question | {sizes} | last / first |");
        println!("|---|{}---|", "---|".repeat(extent.rows.len()));
        for (question, asked) in found {
            let cells = asked.iter().map(|asked| format!("{:.2?} ({})", asked.median, asked.items));
            let cells = cells.collect::<Vec<_>>().join(" | ");
            let [first, last] = [asked.first(), asked.last()].map(|asked| asked.unwrap().median);
            println!("| {question} | {cells} | {:.2} |", last.as_secs_f64() / first.as_secs_f64());
        }
    }
}

/// The duration of a query, and the number of items in its answer.
struct Asked {
    median: Duration,
    items: usize,
}

async fn fill(store: &PgStore, data: &str, rows: u32) {
    let data = [data, ROWS].concat().replace("{rows}", &rows.to_string());
    sqlx::raw_sql(AssertSqlSafe(data)).execute(store.pool()).await.unwrap();
    sqlx::raw_sql("VACUUM ANALYZE").execute(store.pool()).await.unwrap();
}

/// Measures each query and counts its results.
async fn questions(
    invitations: &Invitations<PgStore>,
    rounds: usize,
) -> Vec<(&'static str, Asked)> {
    let admin = Actor::across_divisions(UserId::new("ada").unwrap(), Role::new("admin").unwrap());
    let search = |text: &str| Criteria::new().matching(text);
    let of = |status| Criteria::new().with_status(status);
    let asked = [
        ("first page", manager(), Criteria::new()),
        ("first page of all divisions", admin.clone(), Criteria::new()),
        ("active", manager(), of(Status::Active)),
        ("active of all divisions", admin.clone(), of(Status::Active)),
        ("soonest expiry", manager(), Criteria::new().soonest_expiry_first()),
        ("soonest expiry of all divisions", admin.clone(), Criteria::new().soonest_expiry_first()),
        ("soonest expiry: rare", manager(), search("rarely").soonest_expiry_first()),
        ("expired", manager(), of(Status::Expired)),
        ("used", manager(), of(Status::Used)),
        ("revoked", manager(), of(Status::Revoked)),
        ("used of all divisions", admin.clone(), of(Status::Used)),
        ("a rare role", manager(), Criteria::new().with_role(Role::new("manager").unwrap())),
        ("an inviter", manager(), Criteria::new().by_inviter(UserId::new("u-7").unwrap())),
        ("search: rare", manager(), search("rarely")),
        ("search: rare, of all divisions", admin.clone(), search("rarely")),
        ("search: unique", manager(), search("unique")),
        ("search: absent", manager(), search("missing")),
        ("search: common", manager(), search("example")),
        ("search: rare and common", manager(), search("rarely example")),
        ("search: common twice, together rare", manager(), search("anna west")),
        ("search: unique and active", manager(), search("unique").with_status(Status::Active)),
    ];
    let mut medians = Vec::new();
    for (question, actor, criteria) in asked {
        let (mut times, mut items) = (Vec::new(), 0);
        // The first queries warm up.
        for number in 0..10 + 15 * rounds {
            let start = Instant::now();
            let paging = Paging::first(50).unwrap();
            let page = invitations.list(&actor, &criteria, paging).await.unwrap();
            if number >= 10 {
                times.push(start.elapsed());
            }
            items = page.items().len();
        }
        medians.push((question, Asked { median: middle(times), items }));
    }
    medians.push(("page in the middle", pages(invitations, &Criteria::new(), rounds).await));
    let expired = of(Status::Expired);
    medians.push(("expired: page in the middle", pages(invitations, &expired, rounds).await));
    let soonest = Criteria::new().soonest_expiry_first();
    medians
        .push(("soonest expiry: page in the middle", pages(invitations, &soonest, rounds).await));
    let role = |name| Criteria::new().with_role(Role::new(name).unwrap());
    for (question, actor, criteria) in [
        ("counts", manager(), Criteria::new()),
        ("counts of all divisions", admin.clone(), Criteria::new()),
        ("counts: a rare role", manager(), role("manager")),
        ("counts: a common role", manager(), role("staff")),
        ("counts: an inviter", manager(), Criteria::new().by_inviter(UserId::new("u-7").unwrap())),
        ("counts: a rare word", manager(), search("rarely")),
        ("counts: a common word", manager(), search("example")),
    ] {
        let mut times = Vec::new();
        for _ in 0..5 + 3 * rounds {
            let start = Instant::now();
            invitations.counts(&actor, &criteria).await.unwrap();
            times.push(start.elapsed());
        }
        medians.push((question, Asked { median: middle(times), items: 0 }));
    }
    medians
}

/// Returns a page in the middle of a list.
async fn pages(invitations: &Invitations<PgStore>, criteria: &Criteria, rounds: usize) -> Asked {
    let mut page =
        invitations.list(&manager(), criteria, Paging::first(200).unwrap()).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..15 * rounds {
        let Some(next) = page.next() else { break };
        let start = Instant::now();
        let paging = Paging::first(50).unwrap().after(next);
        page = invitations.list(&manager(), criteria, paging).await.unwrap();
        times.push(start.elapsed());
    }
    Asked { median: middle(times), items: page.items().len() }
}

fn manager() -> Actor {
    let (user, role) = (UserId::new("u-1").unwrap(), Role::new("manager").unwrap());
    Actor::in_division(user, role, Division::new("sales").unwrap())
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
