//! With a keyring, nothing that a store leaves behind contains a code or a key.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(all(feature = "mysql", feature = "postgres", feature = "sqlite"))]

#[path = "../support/dump.rs"]
mod dump;
mod rows;
mod servers;
#[path = "../support/mod.rs"]
mod support;

use std::sync::OnceLock;

use invitation_conformance::secrets::use_codes;
use invitation_core::{
    Draft, Entropy, Invitations, OsEntropy, Paging, Sealing,
    code::keyring::{KeyId, KeySecret, Keyring},
};
use invitation_sqlx::{Dialect, SqlStore};
use invitation_testkit::{Canaries, Canary, Log};
use support::{admin, manager};

/// Returns everything that the program logs at every level. The tests of this program share it.
fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_writer(log.writer())
            .with_ansi(false)
            .init();
        log
    })
}

/// The secrets of one store.
struct Secrets {
    /// A code that was first stored without a key.
    readable: Canaries,
    /// All codes that were created under a key, and the keys.
    sealed: Canaries,
}

fn key(id: &str) -> (KeyId, KeySecret, Canary) {
    let mut bytes = [0; KeySecret::BYTES];
    OsEntropy.fill(&mut bytes).unwrap();
    (KeyId::new(id).unwrap(), KeySecret::from_bytes(bytes).unwrap(), Canary::of_key(&bytes))
}

/// Creates a code without a key, gives the store a keyring, uses codes in every way, replaces the
/// key, and does so again. `without_a_key` is called before the keyring.
async fn live<DB: Dialect>(
    store: &SqlStore<DB>,
    without_a_key: impl AsyncFnOnce(&Invitations<SqlStore<DB>>, &str, &Canaries),
) -> Secrets {
    log();
    let invitations = Invitations::new(store.clone());
    let created = invitations.create(&manager(), Draft::new()).await.unwrap();
    let code = created.code().reveal();
    let readable = Canaries::new([Canary::new(&code)]);
    without_a_key(&invitations, &code, &readable).await;

    let (first_id, first, first_canary) = key("k1");
    let (second_id, second, second_canary) = key("k2");
    let mut codes = Vec::new();
    let ring = Keyring::new(first_id.clone(), &first);
    let invitations = invitations.with_sealing(Sealing::keyring(ring));
    let page = invitations.reseal(&admin(), Paging::default()).await.unwrap();
    assert!(page.resealed() > 0);
    codes.extend(use_codes(&invitations, "a").await.unwrap());
    let ring = Keyring::new(second_id, &second).with_older(first_id, &first).unwrap();
    let invitations = invitations.with_sealing(Sealing::keyring(ring));
    codes.extend(use_codes(&invitations, "b").await.unwrap());
    let codes = codes.iter().map(|code| Canary::new(code));
    let sealed = Canaries::new(codes.chain([first_canary, second_canary]));
    Secrets { readable, sealed }
}
