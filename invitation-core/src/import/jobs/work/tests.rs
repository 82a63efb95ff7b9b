//! Tests of the worker, on the memory store.

use std::{
    fmt::Write,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;

use super::*;
use crate::{
    Action, Actor, Criteria, Division, EventCriteria, EventOutcome, IdempotencyKey, Intercept,
    Interceptor, Invitation, Limits, ManualClock, MemoryStore, Operation, Paging, Reason, Refusal,
    Role, StoreCall, StoreErrorKind, UserId,
    documents::Documents,
    id::BatchId,
    import::{
        OutcomeKind,
        file::FileFormat,
        jobs::{ImportOrder, MemorySpool, ResultRow},
    },
};

/// Fails the `n`th replacement of documents, counted from 1: before or after it took effect.
#[derive(Debug)]
struct FailingReplacement {
    replacements: AtomicU32,
    failing: u32,
    is_lost_reply: bool,
}

#[async_trait]
impl Interceptor for FailingReplacement {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        let fails = operation == Operation::ReplaceDocuments
            && self.replacements.fetch_add(1, Ordering::Relaxed) + 1 == self.failing;
        if fails && !self.is_lost_reply {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "replace"));
        }
        let _ = call.await;
        if fails {
            return Err(StoreError::new(StoreErrorKind::OutcomeUnknown, "replace"));
        }
        Ok(())
    }
}

struct Bench {
    store: Arc<MemoryStore>,
    invitations: Invitations<Arc<MemoryStore>>,
    imports: Imports,
    clock: ManualClock,
}

const PART: u32 = 4;

impl Bench {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        Self::on(Arc::clone(&store), store)
    }

    fn on(store: Arc<MemoryStore>, documents: impl Documents + 'static) -> Self {
        let clock = ManualClock::new(Timestamp::from_micros(1_800_000_000_000_000).unwrap());
        let limits = Limits::default().with_batch(NonZeroU32::new(PART).unwrap());
        let invitations =
            Invitations::new(Arc::clone(&store)).with_limits(limits).with_clock(clock.clone());
        let imports = Imports::new(documents, MemorySpool::new());
        Self { store, invitations, imports, clock }
    }

    async fn order(&self, order: ImportOrder, file: &str) -> BatchId {
        self.submit(order, file, None).await.unwrap().job.id()
    }

    async fn submit(
        &self,
        order: ImportOrder,
        file: &str,
        key: Option<&str>,
    ) -> Result<super::super::Submitted, ImportError> {
        let key = key.map(|key| IdempotencyKey::new(key).unwrap());
        let mut upload = self.imports.upload(&self.invitations, &admin(), order).await?;
        for piece in file.as_bytes().chunks(7) {
            upload.write(piece).await?;
        }
        upload.submit(&self.invitations, key.as_ref()).await
    }

    async fn run(&self) -> Result<ImportRun, ImportError> {
        self.imports.run(&self.invitations).await
    }

    async fn job(&self, id: BatchId) -> ImportJob {
        self.imports.get(&self.invitations, &admin(), id).await.unwrap()
    }

    async fn results(&self, id: BatchId) -> Vec<ResultRow> {
        let mut results = self.imports.results(&self.invitations, &admin(), id).await.unwrap();
        let mut rows = Vec::new();
        loop {
            let page = results.next_page(&self.invitations).await.unwrap();
            if page.is_empty() {
                return rows;
            }
            rows.extend(page);
        }
    }

    async fn creations(&self) -> Vec<crate::Event> {
        let criteria = EventCriteria::new().of_action(Action::Create);
        let page = self.invitations.events(&admin(), &criteria, Paging::default()).await;
        page.unwrap().items
    }

    async fn stored(&self) -> usize {
        let paging = Paging::first(200).unwrap();
        self.invitations.list(&admin(), &Criteria::new(), paging).await.unwrap().items().len()
    }
}

fn admin() -> Actor {
    Actor::across_divisions(UserId::new("u-0").unwrap(), Role::new("admin").unwrap())
}

fn csv() -> ImportOrder {
    ImportOrder::new(FileFormat::Csv)
}

fn atomic() -> ImportOrder {
    csv().with_mode(ImportMode::AllOrNone)
}

/// A file with this many good rows, and a bad one after each fifth.
fn file(good: usize) -> String {
    let mut text = String::from("E-Mail;Role;Division\n");
    for n in 0..good {
        writeln!(text, "p{n}@example.com;staff;sales").unwrap();
        if n % 5 == 4 {
            text.push_str("nobody;staff;sales\n");
        }
    }
    text
}

fn kinds(rows: &[ResultRow]) -> Vec<OutcomeKind> {
    rows.iter().map(|row| row.outcome).collect()
}

#[tokio::test]
async fn file_of_several_parts_is_created_with_the_outcome_of_each_row() {
    let bench = Bench::new();
    let id = bench.order(csv(), &file(10)).await;
    assert_eq!(bench.job(id).await.state(), ImportState::Queued);
    assert_eq!(bench.run().await.unwrap(), ImportRun::Worked);
    assert_eq!(bench.run().await.unwrap(), ImportRun::Idle);
    let job = bench.job(id).await;
    assert_eq!((job.state(), job.reason()), (ImportState::Done, None));
    let progress = job.progress();
    assert_eq!((progress.rows, progress.created, progress.invalid), (12, 10, 2));
    assert_eq!(progress.bytes, job.bytes());

    let rows = bench.results(id).await;
    let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, (2..=13).collect::<Vec<_>>());
    for row in &rows {
        let is_good = row.outcome == OutcomeKind::Created;
        assert_eq!(row.code.is_some(), is_good);
        assert_eq!(row.errors.is_empty(), is_good);
        assert!(row.errors.iter().all(|error| error.starts_with("E-Mail: must be")));
        let batch = row.invitation.as_ref().map(Invitation::batch);
        assert!(batch.is_none_or(|batch| batch == Some(id)));
    }
    let copies = EventCriteria::new().of_action(Action::Copy);
    let copies = bench.invitations.events(&admin(), &copies, Paging::default()).await.unwrap();
    let [copy] = copies.items() else { panic!("{copies:?}") };
    assert_eq!(copy.detail.get("batch"), Some(&*id.to_string()));
    assert_eq!(copy.detail.get("invitations"), Some("10"));
}

#[tokio::test]
async fn worker_that_fails_at_any_write_continues_and_creates_nothing_twice() {
    for is_lost_reply in [false, true] {
        // The first replacement stores the order.
        for failing in 2..=7 {
            let store = Arc::new(MemoryStore::new());
            let fails =
                FailingReplacement { replacements: AtomicU32::new(0), failing, is_lost_reply };
            let bench = Bench::on(Arc::clone(&store), Intercept::new(store, fails));
            let id = bench.order(csv(), &file(10)).await;
            let mut failures = 0;
            while !bench.job(id).await.state().is_final() {
                failures += u32::from(bench.run().await.is_err());
                bench.clock.advance(Duration::hours(1));
            }
            // A lost reply to the last write leaves nothing to do.
            assert!(failures >= 1 || failing > 6, "{failing}");
            let job = bench.job(id).await;
            assert_eq!(job.state(), ImportState::Done, "{failing}: {:?}", job.reason());
            assert_eq!((job.progress().rows, job.progress().created), (12, 10), "{failing}");
            assert_eq!(bench.stored().await, 10);
            let rows = bench.results(id).await;
            assert_eq!(rows.len(), 12);
            assert_eq!(rows.iter().filter(|row| row.code.is_some()).count(), 10);
        }
    }
}

#[tokio::test]
async fn worker_that_has_lost_its_import_changes_nothing_more() {
    let bench = Bench::new();
    let id = bench.order(csv(), &file(10)).await;
    let claimed = bench.imports.claim(&bench.invitations).await.unwrap().unwrap();
    let (invitations, imports) = (&bench.invitations, &bench.imports);
    let cancelled = imports.cancel(invitations, &admin(), id).await.unwrap();
    assert_eq!(cancelled.state(), ImportState::Cancelled);
    imports.work(invitations, claimed, &InOneCall).await.unwrap();
    let job = bench.job(id).await;
    assert_eq!((job.state(), job.progress().rows), (ImportState::Cancelled, 0));
    // The part that was being created is created, and the batch has it.
    assert_eq!(bench.stored().await, usize::try_from(PART).unwrap());
    assert!(bench.results(id).await.is_empty());
    assert!(imports.cancel(invitations, &admin(), id).await.is_ok());
}

#[tokio::test]
async fn atomic_import_with_a_bad_row_creates_nothing() {
    let bench = Bench::new();
    for (text, kind) in [
        ("email,role,division\na@example.com,staff,sales\nben,staff,sales\n", OutcomeKind::Invalid),
        ("role,division\nstaff,sales\nroot,sales\n", OutcomeKind::Forbidden),
        ("role,division,max_uses\nstaff,sales,1\nstaff,sales,200000\n", OutcomeKind::Invalid),
    ] {
        let id = bench.order(atomic(), text).await;
        let _ = bench.run().await.unwrap();
        let job = bench.job(id).await;
        let reason = "one row has mistakes, so nothing was created";
        assert_eq!((job.state(), job.reason()), (ImportState::Failed, Some(reason)));
        assert_eq!(kinds(&bench.results(id).await), [OutcomeKind::Valid, kind]);
    }
    assert_eq!(bench.stored().await, 0);
    let events = bench.creations().await;
    let [denied] = &events[..] else { panic!("{events:?}") };
    assert_eq!(denied.outcome, EventOutcome::Denied);
    assert_eq!(denied.reason, Some(Reason::RoleNotGrantable));
}

#[tokio::test]
async fn atomic_import_of_forbidden_rows_leaves_evidence_of_the_first_one() {
    let bench = Bench::new();
    let rows = "root,sales\n".repeat(3);
    bench.order(atomic(), &format!("role,division\nstaff,sales\n{rows}")).await;
    let _ = bench.run().await.unwrap();
    assert_eq!(bench.creations().await.len(), 1);
}

#[tokio::test]
async fn atomic_import_fits_into_one_call_or_needs_transactions() {
    let bench = Bench::new();
    let rows = |n: usize| {
        let row = |n: usize| format!("p{n}@example.com,staff,sales\n");
        format!("email,role,division\n{}", (0..n).map(row).collect::<String>())
    };
    let id = bench.order(atomic(), &rows(5)).await;
    let _ = bench.run().await.unwrap();
    let job = bench.job(id).await;
    assert_eq!(job.state(), ImportState::Failed);
    assert!(job.reason().unwrap().contains("at most 4 invitations in one step"));
    assert_eq!(bench.stored().await, 0);

    let id = bench.order(atomic(), &rows(4)).await;
    let _ = bench.run().await.unwrap();
    assert_eq!(bench.job(id).await.state(), ImportState::Done);
    assert_eq!(kinds(&bench.results(id).await), [OutcomeKind::Created; 4]);
}

#[tokio::test]
async fn file_that_breaks_off_keeps_what_was_created_and_names_the_line() {
    let bench = Bench::new();
    let text = format!("{}\"open", file(9));
    let id = bench.order(csv(), &text).await;
    let _ = bench.run().await.unwrap();
    let job = bench.job(id).await;
    assert_eq!(job.state(), ImportState::Failed);
    assert_eq!(job.reason(), Some("line 12: a quotation mark is not closed"));
    assert_eq!(job.progress().created, 9);
    assert_eq!(bench.results(id).await.len(), 10);
    for text in ["\n", "email\n", "email,email\n"] {
        let id = bench.order(csv(), text).await;
        let _ = bench.run().await.unwrap();
        assert_eq!(bench.job(id).await.state(), ImportState::Failed, "{text}");
    }
}

#[tokio::test]
async fn import_whose_file_is_elsewhere_is_left_to_others() {
    let bench = Bench::new();
    bench.order(csv(), &file(1)).await;
    let elsewhere = Imports::new(Arc::clone(&bench.store), MemorySpool::new());
    assert_eq!(elsewhere.run(&bench.invitations).await.unwrap(), ImportRun::Idle);
    assert_eq!(bench.run().await.unwrap(), ImportRun::Worked);
}

#[tokio::test]
async fn request_under_the_same_key_orders_the_import_once() {
    let bench = Bench::new();
    let first = bench.submit(csv(), &file(3), Some("k")).await.unwrap();
    let again = bench.submit(csv(), &file(3), Some("k")).await.unwrap();
    assert!(!first.is_replayed && again.is_replayed);
    assert_eq!(first.job.id(), again.job.id());
    for (order, text) in [(csv(), file(4)), (atomic(), file(3))] {
        let refused = bench.submit(order, &text, Some("k")).await.unwrap_err();
        let ImportError::Service(error) = refused else { panic!("{refused}") };
        assert_eq!(error.refusal(), Some(&Refusal::IdempotencyKeyReused));
    }
    let _ = bench.run().await.unwrap();
    assert_eq!(bench.stored().await, 3);
    let paging = Paging::first(1).unwrap();
    let page = bench.imports.list(&bench.invitations, &admin(), paging).await.unwrap();
    assert_eq!((page.items().len(), page.next()), (1, None));
}

#[tokio::test]
async fn imports_of_another_division_do_not_exist() {
    let bench = Bench::new();
    let policy = crate::Policy::default().with_added_rights(
        Role::new("manager").unwrap(),
        crate::Rights::none().may([crate::Right::Bulk]),
    );
    let invitations = bench.invitations.clone().with_policy(policy);
    let manager = |division: &str| {
        let (user, role) = (UserId::new(division).unwrap(), Role::new("manager").unwrap());
        Actor::in_division(user, role, Division::new(division).unwrap())
    };
    let mut upload = bench.imports.upload(&invitations, &manager("sales"), csv()).await.unwrap();
    upload.write(file(1).as_bytes()).await.unwrap();
    let id = upload.submit(&invitations, None).await.unwrap().job.id();
    let imports = &bench.imports;
    assert!(imports.get(&invitations, &manager("sales"), id).await.is_ok());
    let foreign = manager("operations");
    let denied = imports.get(&invitations, &foreign, id).await;
    assert!(matches!(denied, Err(ImportError::NotFound)));
    let denied = imports.cancel(&invitations, &foreign, id).await;
    assert!(matches!(denied, Err(ImportError::NotFound)));
    let page = imports.list(&invitations, &foreign, Paging::default()).await.unwrap();
    assert!(page.items().is_empty());
    // Without the right, the import is not shown.
    let denied = imports.get(&bench.invitations, &manager("sales"), id).await.unwrap_err();
    let ImportError::Service(error) = denied else { panic!("{denied}") };
    assert!(matches!(error.refusal(), Some(Refusal::Forbidden { .. })));
}

#[tokio::test]
async fn ended_imports_are_removed_with_their_files() {
    let bench = Bench::new();
    let ended = bench.order(csv(), &file(3)).await;
    let _ = bench.run().await.unwrap();
    bench.clock.advance(Duration::DAY);
    let waiting = bench.order(csv(), &file(3)).await;
    let file = bench.job(ended).await.kept.file;
    assert_eq!(
        bench
            .imports
            .remove_ended(&bench.invitations, &admin(), bench.invitations.now())
            .await
            .unwrap(),
        1
    );
    let gone = bench.imports.get(&bench.invitations, &admin(), ended).await;
    assert!(matches!(gone, Err(ImportError::NotFound)));
    for file in [SpoolFile::rows(file), SpoolFile::results(file)] {
        let read = bench.imports.spool.read(file, 0, 1).await;
        assert!(matches!(read, Err(SpoolError::Missing)));
    }
    assert_eq!(bench.job(waiting).await.state(), ImportState::Queued);
    assert_eq!(bench.stored().await, 3);
}
