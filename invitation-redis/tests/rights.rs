//! A user with few rights on the server: the documented rights are enough, and a missing
//! right is found before anything is written.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{num::NonZeroU32, time::Duration};

use invitation_core::{
    Criteria, Error, IfVersion, Invitations, PageRequest, Paging, Scope, StoreErrorKind, Timestamp,
    documents::{Document, DocumentFilter, DocumentKey, DocumentKind, DocumentState, Documents},
};
use invitation_redis::{OpenError, Persistence, RedisOptions, RedisStore};
use invitation_testkit::{Redis, RedisCluster};
use support::{admin, in_namespace, newcomer, snapshot, staff};

const NAMESPACE: &str = "invitation";

/// Returns the documented commands that create the user: the first one, and those for
/// options.
fn documented() -> Vec<Vec<&'static str>> {
    let page = include_str!("../src/lib.rs");
    let commands = page.lines().filter_map(|line| line.strip_prefix("//! ACL SETUSER "));
    commands.map(|command| command.split(' ').collect()).collect()
}

fn allow(server: &Redis, rules: &[&str]) {
    let command: Vec<&str> = ["ACL", "SETUSER"].iter().chain(rules).copied().collect();
    server.ask(&command).unwrap();
}

fn url(server: &Redis) -> String {
    format!("redis://invitation:PASSWORD@127.0.0.1:{}", server.port())
}

/// Returns the missing rights that opening a store reports.
async fn missing(server: &Redis, options: RedisOptions) -> Vec<String> {
    let before = snapshot(server);
    let opened = RedisStore::connect(&url(server), options).await;
    let Err(OpenError::Permission { missing, .. }) = opened else { panic!("{opened:?}") };
    assert_eq!(snapshot(server), before, "nothing was written");
    missing
}

fn confirmed() -> RedisOptions {
    in_namespace(NAMESPACE).wait_replicas(NonZeroU32::MIN, Duration::from_secs(5))
}

/// Creates, redeems, revokes, deletes, lists and purges.
async fn can_do_all(store: RedisStore) {
    let invitations = Invitations::new(store);
    let created = invitations.create(&admin(), staff()).await.unwrap();
    invitations.redeem(&created.code().reveal(), &newcomer("anna")).await.unwrap();
    let held = invitations.create(&admin(), staff()).await.unwrap();
    let _open = invitations.reserve(&held.code().reveal(), &newcomer("ben")).await.unwrap();
    invitations.revoke(&admin(), held.invitation().id(), None, IfVersion::default()).await.unwrap();
    invitations.delete(&admin(), held.invitation().id(), IfVersion::default()).await.unwrap();
    let criteria = Criteria::new().matching("anna");
    let page = invitations.list(&admin(), &criteria, Paging::default()).await.unwrap();
    assert_eq!(page.items().len(), 1);
    let age = time::Duration::days(365);
    invitations.purge(&admin(), age, NonZeroU32::MIN).await.unwrap();

    let (store, [first, next]) = (invitations.store(), versions());
    store.add_documents(std::slice::from_ref(&first)).await.unwrap();
    assert!(store.replace_documents(std::slice::from_ref(&next), &[]).await.unwrap());
    assert_eq!(store.document(&next.key).await.unwrap(), Some(next.clone()));
    let (kind, now) = (&next.key.kind, Timestamp::MAX);
    assert_eq!(store.due_documents(kind, now, NonZeroU32::MIN).await.unwrap(), []);
    let (filter, page) = (DocumentFilter::all(kind.clone()), PageRequest { after: None, limit: 2 });
    let page = store.list_documents(&Scope::All, &filter, &page).await.unwrap();
    assert_eq!(page.items, std::slice::from_ref(&next));
    let removed = store.remove_documents(kind, &next.state, now, NonZeroU32::MIN, None).await;
    assert_eq!(removed.unwrap(), 1);
}

/// Returns the first two versions of a document, of which the first is due.
fn versions() -> [Document; 2] {
    let key = DocumentKey::new(DocumentKind::new("mail").unwrap(), "a").unwrap();
    let state = |name| DocumentState::new(name).unwrap();
    let first = Document::new(key, state("queued"), Timestamp::MIN).due_at(Timestamp::MIN);
    let next = first.next(state("sent")).never_due();
    [first, next]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_user_can_do_all_in_its_namespace_and_nothing_elsewhere() {
    let server = Redis::start().unwrap();
    allow(&server, &documented()[0]);
    can_do_all(RedisStore::connect(&url(&server), in_namespace(NAMESPACE)).await.unwrap()).await;
    let keys = server.ask(&["KEYS", "*"]).unwrap();
    assert_eq!(keys.lines().count(), 13);
    assert!(keys.lines().all(|key| key.starts_with("{invitation}:")), "{keys}");

    let elsewhere = missing(&server, in_namespace("another-tenant")).await;
    assert!(elsewhere.contains(&"HSET {another-tenant}:codes".to_owned()), "{elsewhere:?}");
}

#[tokio::test]
async fn without_config_get_the_setting_is_unknown() {
    let server = Redis::with(&[("appendonly", "yes"), ("appendfsync", "always")]).unwrap();
    allow(&server, &documented()[0]);
    let told = async || {
        let options = in_namespace(NAMESPACE).expecting(Persistence::EveryWrite);
        let store = RedisStore::connect(&url(&server), options).await.unwrap();
        let told = store.warnings().iter().map(|one| (one.setting, one.found.clone()));
        told.collect::<Vec<_>>()
    };
    let unknown = || "unknown".to_owned();
    let expected = [("appendfsync", unknown()), ("no-appendfsync-on-rewrite", unknown())];
    assert_eq!(told().await, expected);
    allow(&server, &documented()[3]);
    assert_eq!(told().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_user_can_wait_for_replicas() {
    let server = Redis::start().unwrap();
    let _replica = Redis::replica_of(&server).unwrap();
    allow(&server, &documented()[0]);
    assert_eq!(missing(&server, confirmed()).await, ["WAIT"]);
    allow(&server, &documented()[1]);
    can_do_all(RedisStore::connect(&url(&server), confirmed()).await.unwrap()).await;
}

/// An error of WAIT does not mean that no replica has the change.
#[tokio::test(flavor = "multi_thread")]
async fn when_wait_is_refused_the_outcome_is_unknown_and_the_reason_is_told() {
    let server = Redis::start().unwrap();
    let _replica = Redis::replica_of(&server).unwrap();
    allow(&server, &documented()[0]);
    allow(&server, &documented()[1]);
    let store = RedisStore::connect(&url(&server), confirmed()).await.unwrap();
    let invitations = Invitations::new(store);
    allow(&server, &["invitation", "-wait"]);
    let Err(Error::Store(error)) = invitations.create(&admin(), staff()).await else {
        panic!("no server can confirm it")
    };
    assert_eq!(error.kind(), StoreErrorKind::OutcomeUnknown);
    let text = format!("{:?}", std::error::Error::source(&error).unwrap());
    assert!(text.contains("wait"), "{text}");
}

/// Each command of the documented rule is needed, and opening a store names a missing one.
#[tokio::test]
async fn each_missing_command_is_named_when_the_store_opens() {
    let server = Redis::start().unwrap();
    let rule = &documented()[0];
    let commands = rule.iter().filter_map(|word| word.strip_prefix('+'));
    let mut tried = 0;
    for command in commands {
        allow(&server, rule);
        allow(&server, &["invitation", &format!("-{command}")]);
        let missing = missing(&server, in_namespace(NAMESPACE)).await;
        let command = command.to_uppercase();
        let is_it = |one: &String| one.split(' ').next() == Some(&command);
        assert!(!missing.is_empty() && missing.iter().all(is_it), "{command}: {missing:?}");
        tried += 1;
    }
    assert_eq!(tried, 20);
    allow(&server, rule);
    RedisStore::connect(&url(&server), in_namespace(NAMESPACE)).await.unwrap();
    assert_eq!(server.ask(&["DBSIZE"]).unwrap(), "13");
}

/// A right may be missing for one key, or for writing only.
#[tokio::test]
async fn a_missing_key_is_named_when_the_store_opens() {
    let server = Redis::start().unwrap();
    let rule = &documented()[0];
    let words = [
        "codes",
        "events",
        "index",
        "trail",
        "redemptions",
        "leases",
        "requests",
        "feed",
        "cursors",
        "documents",
        "document_index",
        "budgets",
    ];
    let others = |without: &str| {
        let words = ["invitations"].into_iter().chain(words).filter(move |word| *word != without);
        words.map(|word| format!("~{{invitation}}:{word}")).collect::<Vec<_>>()
    };
    for word in words {
        allow(&server, rule);
        let keys = others(word);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        allow(&server, &[["invitation", "resetkeys"].as_slice(), &keys].concat());
        let key = format!("{{invitation}}:{word}");
        let none = missing(&server, in_namespace(NAMESPACE)).await;
        assert!(none.iter().all(|one| one.ends_with(&key)), "{word}: {none:?}");

        allow(&server, &["invitation", &format!("%R~{key}")]);
        let read_only = missing(&server, in_namespace(NAMESPACE)).await;
        let writes = ["HSET", "HDEL", "ZADD", "ZREM", "RPUSH", "LTRIM"];
        let is_write = |one: &String| writes.contains(&one.split(' ').next().unwrap());
        assert!(read_only.iter().all(is_write), "{word}: {read_only:?}");
    }
}

/// A later change of a batch reads redemptions after an earlier one has written.
#[tokio::test]
async fn missing_right_to_read_one_redemption_is_named_when_the_store_opens() {
    let server = Redis::start().unwrap();
    allow(&server, &documented()[0]);
    allow(&server, &["invitation", "-hget"]);
    let missing = missing(&server, in_namespace(NAMESPACE)).await;
    let expected = "HGET {invitation}:redemptions".to_owned();
    assert!(missing.contains(&expected), "{missing:?}");
}

/// An operator may have renamed a command.
#[tokio::test]
async fn a_renamed_command_is_named_when_the_store_opens() {
    let server = Redis::with(&[("rename-command", "zrangebylex hidden")]).unwrap();
    allow(&server, &["invitation", "on", ">PASSWORD", "~*", "+@all"]);
    let missing = missing(&server, in_namespace(NAMESPACE)).await;
    let expected =
        ["index", "document_index"].map(|key| format!("ZRANGEBYLEX {{invitation}}:{key}"));
    assert_eq!(missing, expected);
}

/// Rights are removed while the host runs: a change that cannot be completed does not
/// begin.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_later_leaves_no_half_made_change() {
    let server = Redis::start().unwrap();
    let rule = &documented()[0];
    for command in ["hset", "hdel", "zadd", "zrem", "hget", "rpush", "zrangebylex", "evalsha"] {
        server.ask(&["FLUSHALL"]).unwrap();
        allow(&server, rule);
        let store = RedisStore::connect(&url(&server), in_namespace(NAMESPACE)).await.unwrap();
        let invitations = Invitations::new(store);
        let created = invitations.create_many(&admin(), vec![staff(); 3]).await.unwrap();
        let code = |n: usize| created[n].code().reveal();
        let _open = invitations.reserve(&code(1), &newcomer("ben")).await.unwrap();
        let before = snapshot(&server);
        allow(&server, &["invitation", &format!("-{command}")]);

        let is_known = |error: Error| match error {
            Error::Store(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Other, "{command}: {error:?}");
            }
            other => panic!("{command}: {other:?}"),
        };
        is_known(invitations.redeem(&code(0), &newcomer("anna")).await.unwrap_err());
        is_known(invitations.redeem(&code(1), &newcomer("ben")).await.unwrap_err());
        is_known(invitations.create(&admin(), staff()).await.unwrap_err());
        let id = created[2].invitation().id();
        is_known(invitations.revoke(&admin(), id, None, IfVersion::default()).await.unwrap_err());
        assert_eq!(snapshot(&server), before, "{command}");

        allow(&server, rule);
        invitations.redeem(&code(0), &newcomer("anna")).await.unwrap();
        invitations.redeem(&code(1), &newcomer("ben")).await.unwrap();
    }
}

/// The same holds for documents.
#[tokio::test(flavor = "multi_thread")]
async fn right_taken_away_later_leaves_no_half_made_change_of_documents() {
    let server = Redis::start().unwrap();
    let (rule, [first, next]) = (&documented()[0], versions());
    for (command, key) in [
        ("hset", ""),
        ("hget", ""),
        ("hset", "documents"),
        ("hdel", "documents"),
        ("zadd", "document_index"),
        ("zrem", "document_index"),
    ] {
        server.ask(&["FLUSHALL"]).unwrap();
        allow(&server, rule);
        let store = RedisStore::connect(&url(&server), in_namespace(NAMESPACE)).await.unwrap();
        store.add_documents(std::slice::from_ref(&first)).await.unwrap();
        let before = snapshot(&server);
        if key.is_empty() {
            allow(&server, &["invitation", &format!("-{command}")]);
        } else {
            // The user keeps the right to read the key.
            let others = [
                "invitations",
                "codes",
                "events",
                "index",
                "trail",
                "redemptions",
                "leases",
                "requests",
                "feed",
                "cursors",
                "documents",
                "document_index",
                "budgets",
            ];
            let pattern = |name: &&str| format!("~{{invitation}}:{name}");
            let others: Vec<_> = others.iter().filter(|name| **name != key).map(pattern).collect();
            let others: Vec<&str> = others.iter().map(String::as_str).collect();
            allow(&server, &[["invitation", "resetkeys"].as_slice(), &others].concat());
            allow(&server, &["invitation", &format!("%R~{{invitation}}:{key}")]);
        }
        let replaced = store.replace_documents(std::slice::from_ref(&next), &[]).await;
        assert_eq!(replaced.unwrap_err().kind(), StoreErrorKind::Other, "{command} {key}");
        assert_eq!(snapshot(&server), before, "{command} {key}");
        allow(&server, &["invitation", "resetkeys"]);
        allow(&server, rule);
        assert!(store.replace_documents(std::slice::from_ref(&next), &[]).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_cluster_every_primary_is_asked() {
    let cluster = RedisCluster::start().unwrap();
    let urls: Vec<String> = cluster.nodes().iter().map(url).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let open = || RedisStore::connect_cluster(&urls, in_namespace(NAMESPACE));
    for node in cluster.nodes() {
        allow(node, &documented()[0]);
        allow(node, &documented()[2]);
    }
    can_do_all(open().await.unwrap()).await;

    // A primary without the slot of the namespace, as long as no slot moves.
    let elsewhere = (cluster.primary_of("{invitation}:codes").unwrap() + 1) % 3;
    let node = &cluster.nodes()[elsewhere];
    allow(node, &["invitation", "-zadd", "-asking"]);
    let opened = open().await;
    let Err(OpenError::Permission { node: named, missing }) = opened else { panic!("{opened:?}") };
    assert!(named.ends_with(&node.port().to_string()), "{named}");
    let expected = [
        "ASKING",
        "ZADD {invitation}:index",
        "ZADD {invitation}:trail",
        "ZADD {invitation}:document_index",
    ];
    assert_eq!(missing, expected);
}
