//! A real Prometheus scrapes this program while it works, and evaluates every query of the
//! dashboard and every alert of the guide.

use std::{
    future,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use axum::{Router, routing::get};
use invitation::{
    Actor, Criteria, Division, Draft, Invitations, MemoryStore, Paging, PgStore, Redeemer, Role,
    StoreError, StoreErrorKind, Timestamp, UserId, Username,
    audit::{RequestContext, Source},
    clock::ManualClock,
    code::{
        OsEntropy,
        throttle::{GuessBudgets, GuessThrottle},
    },
    delivery::Deliveries,
    observe::{self, Observed, Observer},
    store::{
        Intercept, Interceptor, Operation, StoreCall,
        documents::{Document, DocumentKey, DocumentKind, DocumentState, Documents},
    },
};
use invitation_testkit::{Postgres, Prometheus};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

use super::{alerts, queries};

/// What stands for Grafana's `$__rate_interval`: some scrapes of the test's Prometheus.
const RATE_INTERVAL: &str = "10s";

/// The longest time until Prometheus has scraped what it is asked about.
const PATIENCE: Duration = Duration::from_mins(1);

/// Installs the exporter, and serves its text on a port of its own.
async fn exported() -> u16 {
    let buckets = [0.000_1, 0.001, 0.01, 0.1, 1.0, 10.0];
    let exporter =
        PrometheusBuilder::new().set_buckets(&buckets).unwrap().install_recorder().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = Router::new().route("/metrics", get(move || future::ready(exporter.render())));
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

/// Returns the values of an answer. A query that Prometheus refuses is a failure of the test.
fn values(query: &str, answer: &str) -> Vec<f64> {
    let answer: Value = serde_json::from_str(answer).unwrap();
    assert_eq!(answer["status"], "success", "{query}: {answer}");
    let samples = answer["data"]["result"].as_array().unwrap();
    samples.iter().map(|one| one["value"][1].as_str().unwrap().parse().unwrap()).collect()
}

/// Works until each query has a value above zero, and fails with the queries that have none.
async fn wait_for_values(prometheus: &Prometheus, queries: &[String], work: impl AsyncFn()) {
    let begun = Instant::now();
    let mut missing: Vec<_> =
        queries.iter().map(|query| query.replace("$__rate_interval", RATE_INTERVAL)).collect();
    while !missing.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "without a value: {missing:#?}");
        work().await;
        missing.retain(|query| {
            let found = values(query, &prometheus.query(query).unwrap());
            !found.iter().any(|value| value.is_finite() && *value > 0.0)
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Answers each call with the next kind of error.
#[derive(Debug, Default)]
struct Failing(AtomicUsize);

#[async_trait]
impl Interceptor for Failing {
    async fn intercept(&self, operation: Operation, _: StoreCall<'_>) -> Result<(), StoreError> {
        use StoreErrorKind::{Conflict, Corrupt, NotMigrated, Other, OutcomeUnknown, Unavailable};
        let kinds = [OutcomeUnknown, Unavailable, Conflict, NotMigrated, Corrupt, Other];
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        Err(StoreError::new(kinds[n % kinds.len()], operation.as_str()))
    }
}

/// A host of which everything happens that the dashboard shows.
struct Host {
    invitations: Arc<Invitations<Observed<Arc<PgStore>>>>,
    without_store: Invitations<Observed<Intercept<MemoryStore, Failing>>>,
    guessed: Invitations<MemoryStore>,
    with_damage: Deliveries<Arc<MemoryStore>>,
    clock: ManualClock,
    admin: Actor,
}

fn newcomer(n: usize) -> Redeemer {
    let name = format!("newcomer-{n}");
    Redeemer::new(UserId::new(&name).unwrap(), Username::new(&name).unwrap())
}

/// Returns deliveries, one of which cannot be read.
async fn with_damage() -> Deliveries<Arc<MemoryStore>> {
    let (store, now) = (Arc::new(MemoryStore::new()), Timestamp::from_micros(0).unwrap());
    let key = DocumentKey::new(DocumentKind::new("mail").unwrap(), "damaged").unwrap();
    let document = Document::new(key, DocumentState::new("queued").unwrap(), now).due_at(now);
    store.add_documents(&[document]).await.unwrap();
    Deliveries::new(Invitations::new(Arc::clone(&store)), store)
}

impl Host {
    async fn new() -> Self {
        let store = PgStore::connect(&Postgres::shared().create_database()).await.unwrap();
        let failing = Intercept::new(MemoryStore::new(), Failing::default());
        let clock = ManualClock::new(Timestamp::from_micros(0).unwrap());
        let budgets = GuessBudgets::default().with_overall(40.try_into().unwrap());
        let admin =
            Actor::across_divisions(UserId::new("ada").unwrap(), Role::new("admin").unwrap());
        Self {
            invitations: Arc::new(Invitations::new(Observed::new(
                Arc::new(store),
                Observer::default(),
            ))),
            without_store: Invitations::new(Observed::new(failing, Observer::default())),
            guessed: Invitations::new(MemoryStore::new())
                .with_clock(clock.clone())
                .with_throttle(GuessThrottle::in_process().with_budgets(budgets)),
            with_damage: with_damage().await,
            clock,
            admin: admin.based_in(Division::new("sales").unwrap()),
        }
    }

    /// Eight newcomers redeem a code together, and a ninth is refused.
    async fn redeem(&self) {
        let draft = Draft::new().with_role(Role::new("staff").unwrap());
        let draft = draft.for_uses(NonZeroU32::new(8).unwrap());
        let created = self.invitations.create(&self.admin, draft).await.unwrap();
        let mut calls = JoinSet::new();
        for n in 0..9 {
            let (invitations, code) = (Arc::clone(&self.invitations), created.code().reveal());
            calls.spawn(async move { invitations.redeem(&code, &newcomer(n)).await.is_ok() });
        }
        let redeemed = calls.join_all().await.into_iter().filter(|redeemed| *redeemed).count();
        assert_eq!(redeemed, 8);
        // A conflict that a SQL store reports needs luck. This is its report.
        observe::retry("apply");
    }

    /// A call that fails.
    async fn fail(&self) {
        let criteria = Criteria::new();
        let listed = self.without_store.list(&self.admin, &criteria, Paging::default()).await;
        listed.unwrap_err();
        assert_eq!(self.with_damage.due(NonZeroU32::MIN).await.unwrap(), []);
    }

    /// A minute in which a crowd guesses codes from three addresses.
    async fn be_guessed(&self) {
        for n in 0..100 {
            let source = Some(Source::new(format!("192.0.2.{}", n % 3)).unwrap());
            let guesser = newcomer(n).with_context(RequestContext { correlation: None, source });
            let code = self.guessed.code_format().generate(&OsEntropy).unwrap().reveal();
            self.guessed.redeem(&code, &guesser).await.unwrap_err();
        }
        self.clock.advance(time::Duration::MINUTE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_and_alert_returns_data_from_a_real_prometheus() {
    let prometheus = Prometheus::scraping(exported().await).unwrap();
    let host = Host::new().await;

    // The first failure of a kind begins a series, whose increase Prometheus does not see.
    host.fail().await;
    host.be_guessed().await;
    let rare = |query: &&String| {
        query.contains("outcome_unknown") || query.contains("invitation_guess_alarms_total")
    };
    let by_first_failure: Vec<_> =
        queries().iter().chain(&alerts()).filter(rare).cloned().collect();
    assert_eq!(by_first_failure.len(), 2, "{by_first_failure:?}");
    wait_for_values(&prometheus, &by_first_failure, async || ()).await;

    let all = [queries(), alerts()].concat();
    wait_for_values(&prometheus, &all, async || {
        host.redeem().await;
        host.be_guessed().await;
        for _ in 0..6 {
            host.fail().await;
        }
    })
    .await;
}
