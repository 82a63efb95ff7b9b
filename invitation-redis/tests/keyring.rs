//! With a keyring, nothing that the store leaves behind contains a code or a key: no key of its
//! namespace, no file of the server, and no command that the server sees.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/dump.rs"]
mod dump;
mod support;

use std::{fs, io};

use dump::{append, dump};
use invitation_conformance::secrets::use_codes;
use invitation_core::{
    Criteria, Entropy, Invitations, OsEntropy, Paging, Sealing,
    code::keyring::{KeyId, KeySecret, Keyring},
};
use invitation_redis::{
    RedisStore,
    redis::{self, Value},
};
use invitation_testkit::{Canaries, Canary, Redis};
use support::{admin, in_namespace, newcomer, staff};

/// Returns the bytes of all commands of the server's slow log, which takes every command.
async fn slow_log(url: &str) -> Vec<u8> {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut contents = Vec::new();
    let all: Value =
        redis::cmd("SLOWLOG").arg("GET").arg(-1).query_async(&mut connection).await.unwrap();
    append(&mut contents, all);
    contents
}

fn key(id: &str) -> (KeyId, KeySecret, Canary) {
    let mut bytes = [0; KeySecret::BYTES];
    OsEntropy.fill(&mut bytes).unwrap();
    (KeyId::new(id).unwrap(), KeySecret::from_bytes(bytes).unwrap(), Canary::of_key(&bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_files_and_commands_contain_no_code() {
    let server = Redis::with(&[
        ("appendonly", "yes"),
        ("rdbcompression", "no"),
        ("loglevel", "debug"),
        ("slowlog-log-slower-than", "0"),
        ("slowlog-max-len", "1000000"),
    ])
    .unwrap();
    let (url, namespace) = (server.url(), "canaries");
    let monitor = server.monitor().unwrap();
    let store = RedisStore::connect(&url, in_namespace(namespace)).await.unwrap();
    let invitations = Invitations::new(store);

    // Without a keyring, the search finds a code wherever it is stored.
    let readable = invitations.create(&admin(), staff()).await.unwrap();
    let code = readable.code().reveal();
    let readable = Canary::new(&code);
    assert_eq!(readable.trace_in(&dump(&url, namespace).await), Some("symbols upper"));
    let created = monitor.seen().unwrap();
    assert!(readable.trace_in(&created).is_some(), "creating sends it to be stored");
    for text in [&code[..4], &code[..9], &code[..]] {
        let criteria = Criteria::new().matching(text);
        let found = invitations.list(&admin(), &criteria, Paging::default()).await.unwrap();
        assert_eq!(found.items().len(), 1);
    }
    invitations.check(&code, &newcomer("anna"), None).await.unwrap();
    invitations.redeem(&code, &newcomer("anna")).await.unwrap();
    invitations.redeem(&code, &newcomer("late")).await.unwrap_err();
    let later = monitor.seen().unwrap().split_off(created.len());
    // Without a keyring, a script writes the record with the code again.
    let is_sent = |line: &&[u8]| !line.windows(5).any(|part| part == b" lua]");
    let sent: Vec<_> = later.split(|byte| *byte == b'\n').filter(is_sent).collect();
    assert!(sent.len() > 5, "the store has sent commands");
    assert_eq!(readable.trace_in(&sent.join(&b'\n')), None, "later calls send its digest");

    let (first_id, first, first_canary) = key("k1");
    let (second_id, second, second_canary) = key("k2");
    let ring = Keyring::new(first_id.clone(), &first);
    let invitations = invitations.with_sealing(Sealing::keyring(ring));
    let page = invitations.reseal(&admin(), Paging::default()).await.unwrap();
    assert_eq!(page.resealed(), 1);
    let mut codes = use_codes(&invitations, "a").await.unwrap();
    let ring = Keyring::new(second_id, &second).with_older(first_id, &first).unwrap();
    let invitations = invitations.with_sealing(Sealing::keyring(ring));
    codes.extend(use_codes(&invitations, "b").await.unwrap());
    let codes = codes.iter().map(|code| Canary::new(code));
    let sealed = Canaries::new(codes.chain([first_canary, second_canary]));

    let contents = dump(&url, namespace).await;
    for id in [b"k1", b"k2"] {
        assert!(contents.windows(2).any(|bytes| bytes == id), "records name their key");
    }
    assert_eq!(sealed.trace_in(&contents), None);
    assert_eq!(readable.trace_in(&contents), None, "it was re-sealed");
    let commands = slow_log(&url).await;
    assert!(commands.windows(4).any(|bytes| bytes == b"EVAL"), "the slow log has all commands");
    assert_eq!(sealed.trace_in(&commands), None, "the slow log");
    let seen = monitor.seen().unwrap();
    assert!(seen.len() > commands.len() / 2, "the monitor sees every command");
    assert_eq!(sealed.trace_in(&seen), None, "the commands");
    let with_readable = files_without(&server, &sealed, &readable);
    assert!(with_readable > 0, "the append-only file is among the files");
    server.ask(&["BGREWRITEAOF"]).unwrap();
    files_without(&server, &sealed, &readable);
}

/// Requires that no file of the server has a sealed code or a key, and returns the number of files
/// with the readable code.
fn files_without(server: &Redis, sealed: &Canaries, readable: &Canary) -> usize {
    let mut with_readable = 0;
    for file in server.files().unwrap() {
        let contents = match fs::read(&file) {
            // The server's rewriting of the append-only file ends meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            contents => contents.unwrap(),
        };
        assert_eq!(sealed.trace_in(&contents), None, "{}", file.display());
        with_readable += usize::from(readable.trace_in(&contents).is_some());
    }
    with_readable
}
