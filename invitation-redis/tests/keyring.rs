//! With a keyring, no key of the namespace contains a code.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use invitation_core::{
    Criteria, Draft, IfVersion, Invitations, OsEntropy, Paging, Reserved, Sealing,
    code::keyring::{KeyId, KeySecret, Keyring},
};
use invitation_redis::{
    RedisStore,
    redis::{self, Value},
};
use invitation_testkit::{Canary, Redis};
use support::{admin, in_namespace, newcomer};

/// Appends the bytes of an answer.
fn append(contents: &mut Vec<u8>, answer: Value) {
    match answer {
        Value::BulkString(bytes) => contents.extend(bytes),
        Value::SimpleString(text) => contents.extend(text.into_bytes()),
        Value::Array(answers) => answers.into_iter().for_each(|one| append(contents, one)),
        other => contents.extend(format!("{other:?}").into_bytes()),
    }
    contents.push(b'\n');
}

/// Returns the bytes of all keys and their contents.
async fn dump(url: &str, namespace: &str) -> Vec<u8> {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("*{namespace}*"))
        .query_async(&mut connection)
        .await
        .unwrap();
    assert!(keys.len() > 4, "{keys:?}");
    let mut contents = Vec::new();
    for key in keys {
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut connection).await.unwrap();
        let mut read = match kind.as_str() {
            "hash" => redis::cmd("HGETALL"),
            "zset" => redis::cmd("ZRANGE"),
            "list" => redis::cmd("LRANGE"),
            other => panic!("{key} is a {other}"),
        };
        read.arg(&key);
        if kind != "hash" {
            read.arg(0).arg(-1);
        }
        contents.extend(key.into_bytes());
        append(&mut contents, read.query_async(&mut connection).await.unwrap());
    }
    contents
}

#[tokio::test(flavor = "multi_thread")]
async fn dump_contains_no_code() {
    let (url, namespace) = (Redis::shared().url(), format!("keyring-{}", std::process::id()));
    let store = RedisStore::connect(&url, in_namespace(&namespace)).await.unwrap();
    let invitations = Invitations::new(store);
    let draft = || {
        let role = invitation_core::Role::new("staff").unwrap();
        let division = invitation_core::Division::new("sales").unwrap();
        Draft::new().with_role(role).in_division(division)
    };

    // The dump would show a code: without a keyring it does.
    let readable = invitations.create(&admin(), draft()).await.unwrap();
    let readable = Canary::new(&readable.code().reveal());
    assert_eq!(readable.trace_in(&dump(&url, &namespace).await), Some("symbols upper"));

    let secret = KeySecret::generate(&OsEntropy).unwrap();
    let ring = Keyring::new(KeyId::new("k1").unwrap(), &secret);
    let invitations = invitations.with_sealing(Sealing::keyring(ring));
    let page = invitations.reseal(&admin(), Paging::default()).await.unwrap();
    assert_eq!(page.resealed(), 1);
    let mut codes = vec![readable];
    for n in 0..3 {
        let created = invitations.create(&admin(), draft()).await.unwrap();
        let (id, code) = (created.invitation().id(), created.code().reveal());
        invitations.copy(&admin(), id).await.unwrap();
        for text in [&code[..4], &code[..9], &code[..]] {
            let criteria = Criteria::new().matching(text);
            let found = invitations.list(&admin(), &criteria, Paging::default()).await.unwrap();
            assert_eq!(found.items().len(), 1);
        }
        let reserved = invitations.reserve(&code, &newcomer(&format!("r{n}"))).await.unwrap();
        assert!(matches!(reserved, Reserved::Open(_)));
        let rotated = invitations.rotate(&admin(), id, IfVersion::Any).await.unwrap();
        let new = rotated.code().reveal();
        invitations.redeem(&new, &newcomer(&format!("n{n}"))).await.unwrap();
        invitations.redeem(&code, &newcomer("late")).await.unwrap_err();
        codes.extend([Canary::new(&code), Canary::new(&new)]);
    }
    let unused = invitations.create(&admin(), draft()).await.unwrap();
    codes.push(Canary::new(&unused.code().reveal()));

    let contents = dump(&url, &namespace).await;
    assert!(contents.windows(2).any(|bytes| bytes == b"k1"), "rows name their key");
    for (n, code) in codes.iter().enumerate() {
        assert_eq!(code.trace_in(&contents), None, "code {n}");
    }
}
