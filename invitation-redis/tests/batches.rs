//! Many concurrent transitions share few scripts, and each has its own result.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;

use invitation_core::{
    Action, Clock, CodeDigest, Criteria, Entropy as _, Event, EventCriteria, EventId, IfVersion,
    InvitationId, Invitations, ManualClock, OsEntropy, Outcome, Paging, Performer, Record,
    RequestContext, Role, RolePair, Scope, Status, Store, StoreError, StoreErrorKind, SystemClock,
    Target, Transition,
    decide::{Call, RedeemCommand, UseSource, decide_redemption},
};
use invitation_redis::{RedisOptions, RedisStore};
use invitation_testkit::{Proxy, Redis};
use support::{admin, newcomer, options, staff};

type Service = Invitations<RedisStore>;

async fn open(url: &str, options: &RedisOptions) -> Service {
    Invitations::new(RedisStore::connect(url, options.clone()).await.unwrap())
}

async fn created(invitations: &Service, uses: u32, number: usize) -> Vec<Record> {
    let draft = staff().for_uses(uses.try_into().unwrap());
    let created = invitations.create_many(&admin(), vec![draft; number]).await.unwrap();
    let mut records = Vec::with_capacity(number);
    for one in &created {
        records.push(stored(invitations, one.invitation().id()).await);
    }
    records
}

async fn stored(invitations: &Service, id: InvitationId) -> Record {
    let found = invitations.store().get(&Target::Id(id), &Scope::All).await;
    found.unwrap().unwrap()
}

/// Returns the transition that the service would build.
fn redeem(invitations: &Service, digest: CodeDigest, name: &str) -> Transition {
    let redeemer = newcomer(name);
    let mut id = [0; 16];
    OsEntropy.fill(&mut id).unwrap();
    let call = Call {
        id: EventId::from_bytes(id),
        now: invitations.now(),
        performer: Performer::Redeemer {
            user: redeemer.user().clone(),
            username: redeemer.username().clone(),
        },
        context: RequestContext::default(),
    };
    let pair =
        RolePair { grantor: Role::new("admin").unwrap(), granted: Role::new("staff").unwrap() };
    let ceiling: Arc<[RolePair]> = [pair].into();
    let command = RedeemCommand::Redeem {
        code: vec![digest],
        redeemer: &redeemer,
        ceiling: &ceiling,
        vouched: None,
        source: UseSource::Free,
    };
    decide_redemption(command, Scope::All, &call)
}

fn words(answers: &[Result<Outcome, StoreError>]) -> Vec<String> {
    let word = |answer: &Result<Outcome, StoreError>| match answer {
        Ok(Outcome::Applied(_)) => "applied".to_owned(),
        Ok(Outcome::Replayed(_)) => "replayed".to_owned(),
        Ok(Outcome::Refused(_)) => "refused".to_owned(),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("{:?}", error.kind()),
    };
    answers.iter().map(word).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_many_has_its_own_answer() {
    let server = Redis::start().unwrap();
    let options = options();
    let invitations = open(&server.url(), &options).await;
    let codes = created(&invitations, 1, 130).await;
    let mut all: Vec<_> =
        codes.iter().map(|one| redeem(&invitations, one.digest, "anna")).collect();
    let mut expected = vec!["applied".to_owned(); 130];
    // An unknown code, a repeated operation, and a code that another user has used.
    all[3] = redeem(&invitations, CodeDigest::from_bytes([7; 32]), "anna");
    expected[3] = "Missing".to_owned();
    all[5] = all[4].clone();
    expected[5] = "replayed".to_owned();
    all[7] = redeem(&invitations, codes[6].digest, "ben");
    expected[7] = "refused".to_owned();
    // A corrupt record in each of two scripts: as the first, and in the middle.
    for torn in [0, 100] {
        let key = format!("{{{}}}:invitations", options.namespace());
        let id = format!(
            "redis.call('HSET', KEYS[1], struct.pack('>I4I4I4I4', {}), 'torn')",
            quarters(&codes[torn])
        );
        server.ask(&["EVAL", &id, "1", &key]).unwrap();
        expected[torn] = "Corrupt".to_owned();
    }
    server.ask(&["CONFIG", "RESETSTAT"]).unwrap();
    let answers = invitations.store().apply(&all).await;
    assert_eq!(words(&answers), expected);
    let stats = server.ask(&["INFO", "commandstats"]).unwrap();
    // The server did not know the script, so its source is sent once.
    let scripts = stats.lines().filter(|line| line.starts_with("cmdstat_eval"));
    let calls = scripts.filter_map(|line| line.split("calls=").nth(1)?.split(',').next());
    assert_eq!(calls.filter_map(|calls| calls.parse::<u32>().ok()).sum::<u32>(), 3 + 1);

    for (n, answer) in answers.iter().enumerate() {
        if let Ok(Outcome::Applied(facts)) = answer {
            assert_eq!((facts.invitation.id, facts.invitation.uses), (codes[n].id, 1));
            assert_eq!(facts.mine, facts.invitation.last_use);
        }
    }
    let counts = invitations.counts(&admin(), &Criteria::new()).await.unwrap();
    let used = expected.iter().filter(|word| *word == "applied").count();
    assert_eq!(counts.of(Status::Used), u32::try_from(used).unwrap());
}

/// Returns an id as four numbers.
fn quarters(invitation: &Record) -> String {
    let bytes = invitation.id.as_bytes().chunks(4);
    let quarters = bytes.map(|four| u32::from_be_bytes(four.try_into().unwrap()).to_string());
    quarters.collect::<Vec<_>>().join(", ")
}

/// Each transition sees the changes of the earlier ones in the same script, including the
/// index.
#[tokio::test(flavor = "multi_thread")]
async fn callers_in_one_script_get_exactly_the_free_uses() {
    let options = options();
    let invitations = open(&Redis::shared().url(), &options).await;
    let code = created(&invitations, 20, 1).await.remove(0);
    let all: Vec<_> =
        (0..30).map(|n| redeem(&invitations, code.digest, &format!("name{n}"))).collect();
    let answers = words(&invitations.store().apply(&all).await);
    assert!(answers[..20].iter().all(|word| word == "applied"), "{answers:?}");
    assert!(answers[20..].iter().all(|word| word == "refused"), "{answers:?}");
    let paging = Paging::first(100).unwrap();
    let redemptions = invitations.redemptions(&admin(), code.id, paging).await.unwrap();
    assert_eq!(redemptions.items().len(), 20);
    // A search finds the invitation by the name of each redeemer.
    for name in ["name0", "name7", "name19"] {
        let criteria = Criteria::new().matching(name).with_status(Status::Used);
        let page = invitations.list(&admin(), &criteria, paging).await.unwrap();
        assert_eq!(page.items().len(), 1, "{name}");
    }
    let index = format!("{{{}}}:index", options.namespace());
    let names = Redis::shared().ask(&["ZLEXCOUNT", &index, "[wname", "(wnamf"]).unwrap();
    assert_eq!(names.trim(), "20");
}

/// A code with more redeemers of the same name than one script reads is found by the last of
/// them. Deleting and purging the code leaves no entry in the index.
#[tokio::test(flavor = "multi_thread")]
async fn purge_removes_the_terms_of_all_redeemers() {
    let options = options();
    let clock = ManualClock::new(SystemClock.now());
    let store = RedisStore::connect(&Redis::shared().url(), options.clone()).await.unwrap();
    let invitations = Invitations::new(store).with_clock(clock.clone());
    let code = created(&invitations, 200, 1).await.remove(0);
    let names = (0..150).map(|n| format!("common first{n}"));
    let all: Vec<_> = names.map(|name| redeem(&invitations, code.digest, &name)).collect();
    let answers = words(&invitations.store().apply(&all).await);
    assert!(answers.iter().all(|word| word == "applied"), "{answers:?}");
    for (search, expected) in [("common first149", 1), ("common first150", 0), ("first0 first1", 0)]
    {
        let criteria = Criteria::new().matching(search);
        let page = invitations.list(&admin(), &criteria, Paging::default()).await.unwrap();
        assert_eq!(page.items().len(), expected, "{search}");
    }
    invitations.delete(&admin(), code.id, IfVersion::Any).await.unwrap();
    clock.advance(time::Duration::days(40));
    let age = time::Duration::days(30);
    let max = 10.try_into().unwrap();
    assert_eq!(invitations.purge(&admin(), age, max).await.unwrap().removed, 1);
    let index = format!("{{{}}}:index", options.namespace());
    let left = Redis::shared().ask(&["ZRANGE", &index, "0", "-1"]).unwrap();
    assert_eq!(left.trim(), "", "only the entry that keeps the key");
}

/// One purge removes at most about 5,000 redemptions, in however few invitations they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purge_stops_after_enough_redemptions() {
    const CODES: usize = 7;
    const USES: u32 = 1_000;
    let clock = ManualClock::new(SystemClock.now());
    let invitations = open(&Redis::shared().url(), &options()).await.with_clock(clock.clone());
    let codes = created(&invitations, USES, CODES).await;
    for code in &codes {
        let all: Vec<_> =
            (0..USES).map(|n| redeem(&invitations, code.digest, &format!("user{n}"))).collect();
        let answers = words(&invitations.store().apply(&all).await);
        assert!(answers.iter().all(|word| word == "applied"));
    }
    clock.advance(time::Duration::days(40));
    let (age, max) = (time::Duration::days(30), 500.try_into().unwrap());
    let mut calls = Vec::new();
    for _ in 0..CODES {
        let purged = invitations.purge(&admin(), age, max).await.unwrap();
        calls.push((purged.removed, purged.more));
        if !purged.more {
            break;
        }
    }
    assert_eq!(calls, [(5, true), (2, false)]);
    let criteria = EventCriteria::new().of_action(Action::Purge);
    let events = invitations.events(&admin(), &criteria, Paging::default()).await.unwrap();
    let number = |event: &Event| event.detail.get("removed").map(str::to_owned);
    let numbers: Vec<_> = events.items().iter().filter_map(number).collect();
    assert_eq!(numbers, ["2", "5"], "each event has its number");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_answer_is_lost_the_outcome_of_each_is_unknown() {
    let (server, options) = (Redis::shared(), options());
    let proxy = Proxy::to(server.port()).unwrap();
    let sound = open(&server.url(), &options).await;
    let broken = open(&format!("redis://127.0.0.1:{}", proxy.port()), &options).await;
    let codes = created(&sound, 1, 4).await;
    // The first call on a server without the script would take an additional round trip.
    sound.store().apply(&[redeem(&sound, codes[3].digest, "anna")]).await;
    let all: Vec<_> = codes[..3].iter().map(|one| redeem(&sound, one.digest, "anna")).collect();
    proxy.lose_answer_after(0);
    let answers = words(&broken.store().apply(&all).await);
    assert_eq!(answers, ["OutcomeUnknown"; 3]);
    assert_eq!(words(&sound.store().apply(&all).await), ["replayed"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_memory_makes_none_of_them() {
    let server = Redis::start().unwrap();
    let invitations = open(&server.url(), &options()).await;
    let codes = created(&invitations, 1, 3).await;
    let all: Vec<_> = codes.iter().map(|one| redeem(&invitations, one.digest, "anna")).collect();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    let answers = invitations.store().apply(&all).await;
    let is_unavailable = |answer: &Result<_, StoreError>| matches!(answer, Err(error) if error.kind() == StoreErrorKind::Unavailable);
    assert!(answers.iter().all(is_unavailable), "{answers:?}");
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    assert_eq!(words(&invitations.store().apply(&all).await), ["applied"; 3]);
}

/// Another client replaces a key by a text. The server then refuses the reads of a
/// transition, or the index entries that the transitions before it have left to write.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_refused_after_a_write_of_the_script_leaves_the_outcome_unknown() {
    for (key, expected) in
        [("leases", ["applied", "OutcomeUnknown"]), ("index", ["OutcomeUnknown"; 2])]
    {
        let (server, options) = (Redis::start().unwrap(), options());
        let invitations = open(&server.url(), &options).await;
        let single = created(&invitations, 1, 1).await.remove(0);
        let draft = staff().for_uses(3.try_into().unwrap());
        let held = invitations.create(&admin(), draft).await.unwrap();
        let digest = stored(&invitations, held.invitation().id()).await.digest;
        let ben = newcomer("ben");
        drop(invitations.reserve(&held.code().reveal(), &ben).await.unwrap());
        let key = format!("{{{}}}:{key}", options.namespace());
        server.ask(&["SET", &key, "foreign"]).unwrap();
        let all =
            [redeem(&invitations, single.digest, "anna"), redeem(&invitations, digest, "carl")];
        let answers = invitations.store().apply(&all).await;
        assert_eq!(words(&answers), expected, "{key}: {answers:?}");
    }
}
