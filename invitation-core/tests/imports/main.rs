//! Imports of files as jobs, on the memory store: malformed files, and spools that fail.

mod actors;
mod lost;
mod malformed;
mod previews;
mod quotas;
mod removal;
mod repeated;
mod spools;
mod uploads;
mod weak;
mod workers;

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Actor, BatchId, Criteria, IdempotencyKey, Invitations, Limits, ManualClock, MemoryStore,
    Paging, Role, Store, Timestamp, UserId,
    documents::{DocumentKind, Documents},
    import::{
        file::FileFormat,
        jobs::{
            ImportError, ImportJob, ImportOrder, ImportResults, ImportRun, Imports, ResultRow,
            Spool, Submitted,
        },
    },
};
use time::Duration;

const HEADER: &str = "email,role,division\n";

const FILE: &str = "email,role,division\na@example.com,staff,sales\nb@example.com,staff,sales\n\
                    c@example.com,staff,sales\nnobody,staff,sales\ne@example.com,staff,sales\n";

/// A file of one part.
const GOOD: &str = "email,role,division\na@example.com,staff,sales\nb@example.com,staff,sales\n";

/// Imports on a store. A part has two rows.
struct Scene<S> {
    invitations: Invitations<S>,
    imports: Imports,
    documents: Arc<MemoryStore>,
    clock: ManualClock,
}

impl Scene<Arc<MemoryStore>> {
    fn new(spool: impl Spool + 'static) -> Self {
        let store = Arc::new(MemoryStore::new());
        Self::on(Arc::clone(&store), store, spool)
    }
}

impl<S: Store> Scene<S> {
    fn on(store: S, documents: Arc<MemoryStore>, spool: impl Spool + 'static) -> Self {
        let clock =
            ManualClock::new(Timestamp::from_micros(1_800_000_000_000_000).expect("a time"));
        let limits = Limits::default().with_batch(NonZeroU32::MIN.saturating_add(1));
        let invitations = Invitations::new(store).with_limits(limits).with_clock(clock.clone());
        let imports = Imports::new(Arc::clone(&documents), spool);
        Self { invitations, imports, documents, clock }
    }

    async fn order(&self, format: FileFormat, bytes: &[u8]) -> BatchId {
        let submitted = self.submit(ImportOrder::new(format), bytes, None).await;
        submitted.expect("an order").job.id()
    }

    async fn submit(
        &self,
        order: ImportOrder,
        bytes: &[u8],
        key: Option<&str>,
    ) -> Result<Submitted, ImportError> {
        self.submit_as(&admin(), order, bytes, key).await
    }

    async fn submit_as(
        &self,
        actor: &Actor,
        order: ImportOrder,
        bytes: &[u8],
        key: Option<&str>,
    ) -> Result<Submitted, ImportError> {
        let key = key.map(|key| IdempotencyKey::new(key).expect("a key"));
        let mut upload = self.imports.upload(&self.invitations, actor, order).await?;
        for piece in bytes.chunks(100_000) {
            upload.write(piece).await?;
        }
        upload.submit(&self.invitations, key.as_ref()).await
    }

    /// Advances the clock to the time at which the only import is due, and returns the pause in
    /// seconds.
    async fn pause(&self) -> i64 {
        let due = self.due().await.expect("it is due again");
        let pause = due.as_micros() - self.invitations.now().as_micros();
        self.clock.advance(Duration::microseconds(pause));
        pause / 1_000_000
    }

    /// Returns the number of stored invitations.
    async fn stored(&self) -> usize {
        let paging = Paging::first(200).expect("a page");
        let page = self.invitations.list(&admin(), &Criteria::new(), paging).await;
        page.expect("a list").items().len()
    }

    async fn run(&self) -> Result<ImportRun, ImportError> {
        self.imports.run(&self.invitations).await
    }

    async fn job(&self, id: BatchId) -> ImportJob {
        self.imports.get(&self.invitations, &admin(), id).await.expect("an import")
    }

    /// Returns the time from which a worker may work on the only import.
    async fn due(&self) -> Option<Timestamp> {
        let kind = DocumentKind::new("import").expect("a kind");
        let due = self.documents.due_documents(&kind, Timestamp::MAX, NonZeroU32::MIN).await;
        due.expect("a list").first().and_then(|document| document.due)
    }

    async fn results(&self, id: BatchId) -> Result<ImportResults, ImportError> {
        self.imports.results(&self.invitations, &admin(), id).await
    }

    async fn rows(&self, id: BatchId) -> Vec<ResultRow> {
        let mut results = self.results(id).await.expect("results");
        let mut rows = Vec::new();
        loop {
            let page = results.next_page(&self.invitations).await.expect("a page");
            if page.is_empty() {
                return rows;
            }
            rows.extend(page);
        }
    }
}

fn admin() -> Actor {
    let (user, role) = (UserId::new("u-0").expect("an id"), Role::new("admin").expect("a role"));
    Actor::across_divisions(user, role)
}
