//! The query strings of pages: what cannot be read is refused, and what is not valid is named.

use std::sync::Arc;

use invitation_core::{EventCriteria, EventOutcome, MemoryStore, Paging};

use crate::support::{Harness, MOUNT, person};

/// Returns a host whose dashboard has the pages about mails and the funnel.
fn host() -> Harness {
    let store = Arc::new(MemoryStore::new());
    let harness = Harness::on(MOUNT, Arc::<MemoryStore>::clone(&store));
    let harness = harness.with_web(|web| web.with_deliveries(Arc::<MemoryStore>::clone(&store)));
    harness.with_web(|web| web.with_funnel(Arc::<MemoryStore>::clone(&store), store))
}

#[tokio::test]
async fn query_that_is_not_utf8_is_refused() {
    let harness = host();
    let id = harness.invite().await.invitation().id();
    let detail = format!("/{id}");
    for path in ["", "/events", "/funnel", "/deliveries", &detail] {
        for query in ["search=M%FCller", "actor=M%FCller", "%c3=1&cursor=%a4"] {
            let page = harness.get("admin", &format!("{path}?{query}")).await.is(400);
            page.says("<p>The query string is not UTF-8</p>");
        }
        // The replacement character itself is a character like any other.
        harness.get("admin", &format!("{path}?note=%EF%BF%BD")).await.is(200);
    }
    // A right that is missing is said first, and recorded once.
    harness.get("sales-staff", "?search=M%FCller").await.is(403);
    let denied = EventCriteria::new().with_outcome(EventOutcome::Denied);
    let admin = person("admin").expect("a person");
    let events = harness.service().events(&admin, &denied, Paging::default()).await;
    assert_eq!(events.expect("events").items().len(), 1);
}
