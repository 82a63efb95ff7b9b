//! The log after a failure of the store: it names the cause once, and no secret.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::{body::Body, http::Method};
use invitation_core::{
    BatchId, Division, Draft, Intercept, Interceptor, MemoryStore, Operation, Role, StoreCall,
    StoreError, StoreErrorKind,
};
use invitation_testkit::Log;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;

use crate::support::{Harness, MOUNT, person};

const CAUSE: &str = "no route to the database";

/// The operation that fails, and the number of its calls that succeed before. By default, no
/// operation fails.
#[derive(Debug, Default)]
struct Fault(Mutex<Option<(Operation, usize)>>);

#[async_trait]
impl Interceptor for Fault {
    async fn intercept(&self, of: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        let fails = match &mut *self.0.lock().expect("it is there") {
            Some((failing, 0)) => *failing == of,
            Some((failing, successes)) => {
                *successes -= usize::from(*failing == of);
                false
            }
            None => false,
        };
        if fails {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "try").because(CAUSE));
        }
        _ = call.await;
        Ok(())
    }
}

type Failing = Intercept<MemoryStore, Fault>;

fn host() -> (Arc<Failing>, Harness) {
    let store = Arc::new(Intercept::new(MemoryStore::new(), Fault::default()));
    let harness = Harness::on(MOUNT, Arc::<Failing>::clone(&store)).with_web(|web| {
        web.with_funnel(Arc::<Failing>::clone(&store), Arc::<Failing>::clone(&store))
    });
    (store, harness)
}

/// Creates invitations of one batch.
async fn batch_of(harness: &Harness, number: usize) -> BatchId {
    let draft = Draft::new().with_role(Role::new("staff").expect("a role"));
    let draft = draft.in_division(Division::new("sales").expect("a division"));
    let admin = person("admin").expect("a person");
    let created = harness.service().create_many(&admin, vec![draft; number]).await;
    created.expect("an administrator may")[0].invitation().batch().expect("a batch")
}

/// Captures what this thread logs until the guard is dropped.
fn capture(log: &Log) -> DefaultGuard {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(log.writer())
        .with_ansi(false)
        .finish();
    tracing::subscriber::set_default(subscriber)
}

#[tokio::test]
async fn failure_of_the_store_is_logged_once_with_its_cause_and_without_secrets() {
    let (store, harness) = host();
    let created = harness.invite().await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let batch = batch_of(&harness, 2).await;
    let post = Method::POST;
    let bound = "version=1&role=staff&division=sales&key=once&email=canary%40example.com";
    let reason = format!("version=1&reason=canary+{}", code.as_str());
    let typed = format!("search={}&division=sales", code.as_str());
    for (operation, method, path, form) in [
        (Operation::List, Method::GET, "?search=canary".to_owned(), ""),
        (Operation::List, post.clone(), "/search".to_owned(), &*typed),
        (Operation::Count, Method::GET, String::new(), ""),
        (Operation::Events, Method::GET, "/events?actor=canary".to_owned(), ""),
        (Operation::Document, Method::GET, "/funnel?division=canary".to_owned(), ""),
        (Operation::Insert, post.clone(), "/new".to_owned(), bound),
        (Operation::Apply, post.clone(), format!("/{id}/edit"), bound),
        (Operation::Apply, post.clone(), format!("/{id}/revoke"), &reason),
        (Operation::Apply, post.clone(), format!("/{id}/rotate"), &reason),
        (Operation::Apply, post.clone(), format!("/batches/{batch}/revoke"), &reason),
    ] {
        *store.interceptor().0.lock().unwrap() = Some((operation, 0));
        let log = Log::default();
        let guard = capture(&log);
        let request = harness
            .request(method, "admin", &path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        let page = harness.send(request.unwrap()).await.is(503);
        drop(guard);
        page.says("Please try again").says_nothing_of(CAUSE);
        let logged = log.text();
        assert_eq!(logged.matches(CAUSE).count(), 1, "{operation:?} {path}: {logged}");
        for secret in ["canary", code.as_str(), &code.replace('-', "")] {
            assert!(!logged.contains(secret), "{secret} is in {logged}");
        }
    }
}

#[tokio::test]
async fn failure_between_the_steps_of_a_revocation_is_logged() {
    let (store, harness) = host();
    let batch = batch_of(&harness, 250).await;
    // The second page of the batch cannot be listed.
    *store.interceptor().0.lock().unwrap() = Some((Operation::List, 1));
    let log = Log::default();
    let guard = capture(&log);
    let page = harness.post_form("admin", &format!("/batches/{batch}/revoke"), &[]).await.is(200);
    drop(guard);
    page.says("<dd class=\"inv-long\">200</dd>").says(">Go on</button>");
    assert_eq!(log.text().matches(CAUSE).count(), 1, "{}", log.text());
}
