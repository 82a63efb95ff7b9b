//! Large inputs, and codes that must not appear in commands.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use invitation_core::{
    Actor, Criteria, Division, Invitations, Limits, Paging, Policy, Right, Rights, Role, Status,
    UserId,
};
use invitation_redis::RedisStore;
use invitation_testkit::Redis;
use support::{admin, newcomer, options, staff};

async fn service() -> Invitations<RedisStore> {
    Invitations::new(RedisStore::connect(&Redis::shared().url(), options()).await.unwrap())
}

/// More values than a Lua script can put on its stack at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_batch_is_created_as_a_whole() {
    let limits = Limits::default().with_batch(5_000.try_into().unwrap());
    let invitations = service().await.with_limits(limits);
    let created = invitations.create_many(&admin(), vec![staff(); 5_000]).await.unwrap();
    let counts = invitations.counts(&admin(), &Criteria::new()).await.unwrap();
    assert_eq!(counts.of(Status::Active), 5_000);
    invitations.redeem(&created[4_999].code().reveal(), &newcomer("anna")).await.unwrap();
}

/// A policy of 100 roles, each of which may grant all of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_policy_can_be_redeemed_under() {
    let all: Vec<_> = (0..100).map(|n| Role::new(format!("role-{n}")).unwrap()).collect();
    let policy = all.iter().fold(Policy::default(), |policy, role| {
        let rights = Rights::none().may([Right::Create]).granting(all.iter().cloned());
        policy.with_role(role.clone(), rights)
    });
    let invitations = service().await.with_policy(policy);
    let host = Actor::in_division(
        UserId::new("mia").unwrap(),
        all[99].clone(),
        Division::new("sales").unwrap(),
    );
    let draft = invitation_core::Draft::new().with_role(all[98].clone());
    let created = invitations.create(&host, draft).await.unwrap();
    invitations.redeem(&created.code().reveal(), &newcomer("anna")).await.unwrap();
}

/// With at most as many invitations as a search examines, its counts are exact. With more, they
/// are lower bounds.
#[tokio::test(flavor = "multi_thread")]
async fn counts_of_a_large_search_are_lower_bounds() {
    let limits = Limits::default().with_batch(5_000.try_into().unwrap());
    let invitations = service().await.with_limits(limits);
    let create = async |from: u32, until: u32| {
        let draft = |n| staff().for_email(format!("person{n}@example.com").parse().unwrap());
        invitations.create_many(&admin(), (from..until).map(draft).collect()).await.unwrap();
    };
    let criteria = Criteria::new().matching("example");
    create(0, 5_000).await;
    create(5_000, 10_000).await;
    let counts = invitations.counts(&admin(), &criteria).await.unwrap();
    assert_eq!((counts.of(Status::Active), counts.is_exact(Status::Active)), (10_000, true));
    create(10_000, 10_600).await;
    let criteria = criteria.with_status(Status::Active);
    let counts = invitations.counts(&admin(), &criteria).await.unwrap();
    assert_eq!((counts.of(Status::Active), counts.is_exact(Status::Active)), (10_000, false));
    assert!(counts.is_exact(Status::Used), "the criteria exclude it");
}

/// More entries than one call of the store examines: the service calls it again, and no entry is
/// skipped or repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_rare_find_in_a_long_list_is_found_in_the_end() {
    let limits = Limits::default().with_batch(5_000.try_into().unwrap());
    let invitations = service().await.with_limits(limits);
    let rare = invitations.create(&admin(), staff()).await.unwrap();
    invitations.create_many(&admin(), vec![staff(); 5_000]).await.unwrap();
    // No index filters open invitations by the end of their validity.
    let span = invitation_core::TimeRange {
        from: None,
        until: invitation_core::Timestamp::from_micros(
            rare.invitation().expires_at().as_micros() + 1,
        ),
    };
    let criteria = Criteria::new().expiring_within(span);
    let (mut found, mut paging, mut pages) = (Vec::new(), Paging::default(), 0);
    loop {
        let page = invitations.list(&admin(), &criteria, paging).await.unwrap();
        found.extend(page.items().iter().map(|view| view.invitation().id()));
        pages += 1;
        match page.next() {
            Some(cursor) => paging = Paging::default().after(cursor),
            None => break,
        }
    }
    assert_eq!(found, [rare.invitation().id()]);
    assert_eq!(pages, 1, "the service calls the store again for the rest of the page");
}

/// No command for redeeming, refusing or listing contains a code. (Records that a script
/// writes contain it, as long as codes are stored readable.)
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_redeemed_is_not_sent() {
    let server = Redis::start().unwrap();
    let store = RedisStore::connect(&server.url(), options()).await.unwrap();
    let invitations = Invitations::new(store);
    let created = invitations.create(&admin(), staff()).await.unwrap();
    let code = created.code().reveal();
    let mut watching = Command::new("redis-cli")
        .args(["-p", &server.port().to_string(), "monitor"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = BufReader::new(watching.stdout.take().unwrap());
    let mut line = String::new();
    seen.read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "OK", "it watches");

    invitations.redeem(&code, &newcomer("anna")).await.unwrap();
    invitations.redeem(&code, &newcomer("ben")).await.unwrap_err();
    invitations.list(&admin(), &Criteria::new(), Paging::default()).await.unwrap();
    let mut text = String::new();
    server.ask(&["ECHO", "the end"]).unwrap();
    while !line.contains("the end") {
        line.clear();
        seen.read_line(&mut line).unwrap();
        if !line.contains(" lua] ") {
            text.push_str(&line);
        }
    }
    watching.kill().unwrap();
    watching.wait().unwrap();
    assert!(text.contains("EVALSHA"), "something was seen");
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    assert!(!text.contains(&**code) && !text.contains(&plain));
}
