//! What a host can observe: numbers and events of each step, and no secret among them.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    collections::BTreeMap,
    io,
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use invitation_core::{
    Actor, Criteria, Division, Draft, IfVersion, Invitations, ManualClock, MemoryStore, OsEntropy,
    Paging, Redeemer, RequestContext, Role, Source, Timestamp, UserId, Username,
    delivery::Deliveries,
    documents::{Document, DocumentKey, DocumentKind, DocumentState, Documents},
    observe,
    throttle::{GuessBudgets, GuessThrottle},
};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// Runs `work` with a recorder and a subscriber of its own. Returns the numbers by metric and
/// labels, and what was written for `tracing`.
fn observed(work: impl AsyncFnOnce()) -> (BTreeMap<String, u64>, String) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || written.clone())
        .with_ansi(false)
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        tracing::subscriber::with_default(subscriber, || runtime.block_on(work()));
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (numbers(&snapshotter), log)
}

fn numbers(snapshotter: &Snapshotter) -> BTreeMap<String, u64> {
    let mut numbers = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
        let labels: Vec<_> = key.labels().map(metrics::Label::value).collect();
        let name = format!("{} {}", key.name(), labels.join(" ")).trim_end().to_owned();
        let number = match value {
            DebugValue::Counter(number) => number,
            DebugValue::Histogram(values) => values.len() as u64,
            DebugValue::Gauge(_) => panic!("{name} is a gauge"),
        };
        numbers.insert(name, number);
    }
    numbers
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn each_step_is_counted_by_action_and_outcome_and_shows_no_code() {
    let secret = Mutex::new(String::new());
    let (numbers, log) = observed(async || {
        let invitations = Invitations::new(MemoryStore::new());
        let sales = Division::new("sales").unwrap();
        let role = Role::new("manager").unwrap();
        let manager = Actor::in_division(UserId::new("u-1").unwrap(), role, sales);
        let created = invitations.create(&manager, Draft::new()).await.unwrap();
        let code = created.code().reveal().to_string();
        invitations.copy(&manager, created.invitation().id()).await.unwrap();
        let anna = Redeemer::new(UserId::new("u-2").unwrap(), Username::new("anna").unwrap());
        invitations.redeem(&code, &anna).await.unwrap();
        invitations.redeem(&code, &anna).await.unwrap();
        let ben = Redeemer::new(UserId::new("u-3").unwrap(), Username::new("ben").unwrap());
        invitations.redeem(&code, &ben).await.unwrap_err();
        invitations
            .revoke(&manager, created.invitation().id(), None, IfVersion::Any)
            .await
            .unwrap_err();
        *secret.lock().unwrap() = code;
    });
    let step = |labels: &str| numbers.get(&format!("invitation_steps_total {labels}")).copied();
    assert_eq!(step("create succeeded"), Some(1), "{numbers:?}");
    assert_eq!(step("copy succeeded"), Some(1));
    assert_eq!(step("redeem succeeded"), Some(1));
    assert_eq!(step("redeem replayed"), Some(1));
    assert_eq!(step("redeem refused"), Some(1));
    assert_eq!(step("revoke denied"), Some(1));
    for told in ["create", "copy", "redeem", "succeeded", "refused", "denied"] {
        assert!(log.contains(told), "{told}: {log}");
    }
    let secret = secret.lock().unwrap();
    let (code, first) = (secret.as_str(), secret.split('-').next().unwrap());
    assert!(!log.contains(code) && !log.contains(first), "{log}");
    assert!(!format!("{numbers:?}").contains(first), "{numbers:?}");
}

#[test]
fn calls_to_an_observed_store_are_reported_by_operation_and_outcome() {
    let (numbers, log) = observed(async || {
        let store = observe::Observed::new(MemoryStore::new(), observe::Observer::default());
        let invitations = Invitations::new(store);
        let sales = Division::new("sales").unwrap();
        let role = Role::new("manager").unwrap();
        let manager = Actor::in_division(UserId::new("u-1").unwrap(), role, sales);
        invitations.create(&manager, Draft::new()).await.unwrap();
        invitations.list(&manager, &Criteria::new(), Paging::default()).await.unwrap();
    });
    let expected = [
        ("invitation_steps_total create succeeded", 1),
        ("invitation_store_call_seconds insert", 1),
        ("invitation_store_call_seconds list", 1),
        ("invitation_store_calls_total insert ok", 1),
        ("invitation_store_calls_total list ok", 1),
    ];
    let expected = expected.map(|(name, number)| (name.to_owned(), number));
    assert_eq!(numbers, BTreeMap::from(expected));
    assert!(log.contains("store call"), "{log}");
}

#[test]
fn a_store_reports_its_retries_batches_and_connections() {
    let (numbers, log) = observed(async || {
        observe::retry("apply");
        observe::batch(7);
        observe::connection(observe::ConnectionSource::Cache);
        observe::connection(observe::ConnectionSource::Pool);
        observe::pool_wait(std::time::Duration::from_millis(1));
    });
    let expected = [
        ("invitation_batch_size", 1),
        ("invitation_connections_total cache", 1),
        ("invitation_connections_total pool", 1),
        ("invitation_pool_wait_seconds", 1),
        ("invitation_retries_total apply", 1),
    ];
    let expected = expected.map(|(name, number)| (name.to_owned(), number));
    assert_eq!(numbers, BTreeMap::from(expected));
    assert!(log.contains("retry"), "{log}");
}

#[test]
fn throttled_attempts_are_counted_by_budget_and_an_alarm_is_given_once_a_minute() {
    let (numbers, log) = observed(async || {
        let budgets = GuessBudgets::default().with_overall(40.try_into().unwrap());
        let clock = ManualClock::new(Timestamp::from_micros(0).unwrap());
        let invitations = Invitations::new(MemoryStore::new())
            .with_clock(clock.clone())
            .with_throttle(GuessThrottle::in_process().with_budgets(budgets));
        let eve = Redeemer::new(UserId::new("u-2").unwrap(), Username::new("eve").unwrap());
        for _ in 0..2 {
            for n in 0..100 {
                let source = Some(Source::new(format!("192.0.2.{}", n % 3)).unwrap());
                let context = RequestContext { correlation: None, source };
                let code = invitations.code_format().generate(&OsEntropy).unwrap().reveal();
                invitations.redeem(&code, &eve.clone().with_context(context)).await.unwrap_err();
            }
            clock.advance(time::Duration::MINUTE);
        }
    });
    let number = |name: &str| numbers.get(name).copied();
    // Three sources have 30 tokens each.
    assert_eq!(number("invitation_throttled_total source"), Some(20), "{numbers:?}");
    assert_eq!(number("invitation_throttled_total overall"), None);
    assert_eq!(number("invitation_guess_alarms_total"), Some(2), "one in each minute");
    assert_eq!(log.matches("WARN").count(), 2, "{log}");
    assert!(!log.contains("192.0.2"), "{log}");
}

#[test]
fn delivery_that_cannot_be_read_is_counted_and_its_content_is_not_shown() {
    let (numbers, log) = observed(async || {
        let store = Arc::new(MemoryStore::new());
        let now = Timestamp::from_micros(0).unwrap();
        let invitations = Invitations::new(Arc::clone(&store)).with_clock(ManualClock::new(now));
        let key = DocumentKey::new(DocumentKind::new("mail").unwrap(), "damaged").unwrap();
        let document = Document::new(key, DocumentState::new("queued").unwrap(), now).due_at(now);
        let document = document.with_body(b"{\"canary\":1}".to_vec()).unwrap();
        store.add_documents(&[document]).await.unwrap();
        let deliveries = Deliveries::new(invitations, store);
        assert_eq!(deliveries.due(NonZeroU32::MIN).await.unwrap(), []);
    });
    let expected = ("invitation_unreadable_documents_total mail".to_owned(), 1);
    assert_eq!(numbers, BTreeMap::from([expected]));
    assert!(log.contains("WARN") && log.contains("damaged"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}
