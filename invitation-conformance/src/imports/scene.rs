//! The scene of a test: imports of an administrator on the store under test.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use invitation_core::{
    Action, BatchId, Binding, Cap, Criteria, Event, EventCriteria, IdempotencyKey, Intercept,
    Invitations, Limits, ManualClock, Paging,
    import::{
        ImportMode, OutcomeKind,
        file::FileFormat,
        jobs::{ImportError, ImportJob, ImportOrder, ImportRun, Imports, ResultRow, Submitted},
    },
};
use time::Duration;

use super::{
    AnyInvitations, ImportsFixture,
    spool::{Files, InterruptedSpool},
};
use crate::{
    people::admin,
    support::{interrupt::Interrupt, samples::start},
};

/// The number of rows of a part.
pub(super) const PART: usize = 4;

/// More points than a worker passes in any of the tests.
pub(super) const MAX_POINTS: usize = 200;

pub(super) struct Scene {
    pub(super) fixture: ImportsFixture,
    pub(super) invitations: AnyInvitations,
    pub(super) clock: ManualClock,
    /// The imports as users see them, and as a worker that is never interrupted does.
    pub(super) imports: Imports,
    files: Arc<Files>,
}

/// Returns the order of a CSV file, of which as many rows as possible are created.
pub(super) fn csv() -> ImportOrder {
    ImportOrder::new(FileFormat::Csv)
}

pub(super) fn atomic() -> ImportOrder {
    csv().with_mode(ImportMode::AllOrNone)
}

/// Returns the address of a row in the file with this tag.
pub(super) fn address(n: usize, tag: &str) -> String {
    format!("p{n}.{tag}@example.com")
}

/// Returns a file with this number of good rows, and a bad one behind every `bad_after` of them.
pub(super) fn file(good: usize, tag: &str, bad_after: Option<usize>) -> String {
    let mut text = String::from("E-Mail;Role;Division\n");
    for n in 0..good {
        writeln!(text, "{};staff;sales", address(n, tag)).expect("a string takes all");
        if bad_after.is_some_and(|after| n % after == after - 1) {
            text.push_str("nobody;staff;sales\n");
        }
    }
    text
}

fn number(n: usize) -> NonZeroU32 {
    u32::try_from(n).ok().and_then(NonZeroU32::new).expect("a small number")
}

impl Scene {
    pub(super) fn new(fixture: ImportsFixture) -> Self {
        let clock = ManualClock::new(start());
        let invitations = Invitations::new(fixture.fixture.store())
            .with_limits(Limits::default().with_batch(number(PART)))
            .with_clock(clock.clone());
        let files = Arc::new(Files::default());
        let imports = imports_on(&fixture, &files, &Interrupt::default());
        Self { fixture, invitations, clock, imports, files }
    }

    /// Allows at most this number of pending invitations of a division.
    pub(super) fn allow_pending(&mut self, max: usize) {
        let limits = Limits::default().with_batch(number(PART));
        let limits = limits.with_pending_per_division(Cap::AtMost(number(max)));
        self.invitations = self.invitations.clone().with_limits(limits);
    }

    pub(super) async fn submit(
        &self,
        order: ImportOrder,
        text: &str,
        key: Option<&str>,
    ) -> Result<Submitted, ImportError> {
        let key = key.map(|key| IdempotencyKey::new(key).expect("a key"));
        let upload = self.imports.upload(&self.invitations, &admin(), order).await?;
        let mut upload = upload.named("people.csv");
        upload.write(text.as_bytes()).await?;
        upload.submit(&self.invitations, key.as_ref()).await
    }

    pub(super) async fn order(&self, order: ImportOrder, text: &str) -> BatchId {
        let submitted = self.submit(order, text, None).await.expect("an import");
        submitted.job.id()
    }

    /// Runs the worker of the store until nothing is due.
    pub(super) async fn run(&self) {
        let _ = self.run_with(&Interrupt::default()).await.expect("the worker succeeds");
    }

    /// Runs a worker that stops at a point.
    pub(super) async fn run_with(&self, interrupt: &Interrupt) -> Result<ImportRun, ImportError> {
        let imports = imports_on(&self.fixture, &self.files, interrupt);
        self.fixture.worker.run(&imports, &self.invitations).await
    }

    /// Runs a worker that stops at a point, and holds nothing of the store between two calls.
    pub(super) async fn run_in_calls(
        &self,
        interrupt: &Interrupt,
    ) -> Result<ImportRun, ImportError> {
        imports_on(&self.fixture, &self.files, interrupt).run(&self.invitations).await
    }

    /// Runs a worker that is suspended at a point for a while, and returns whether it came to the
    /// point.
    pub(super) async fn run_with_pause(&self, interrupt: &Interrupt, pause: Duration) -> bool {
        let was_at_point = AtomicBool::new(false);
        let suspended = async {
            interrupt.reached().await;
            was_at_point.store(true, Ordering::SeqCst);
            self.clock.advance(pause);
            interrupt.release();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            run = self.run_with(interrupt) => {
                let _ = run.expect("the worker succeeds");
            }
            () = suspended => {}
        }
        was_at_point.load(Ordering::SeqCst)
    }

    /// Crashes the machine: the spool loses what is not synced.
    pub(super) async fn crash(&self) {
        self.files.crash().await;
    }

    /// Advances the clock beyond the lease of any worker.
    pub(super) fn end_leases(&self) {
        self.clock.advance(Duration::hours(1));
    }

    pub(super) async fn job(&self, id: BatchId) -> ImportJob {
        self.imports.get(&self.invitations, &admin(), id).await.expect("an import")
    }

    pub(super) async fn results(&self, id: BatchId) -> Vec<ResultRow> {
        let results = self.imports.results(&self.invitations, &admin(), id).await;
        let (mut results, mut rows) = (results.expect("results"), Vec::new());
        loop {
            let page = results.next_page(&self.invitations).await.expect("a page");
            if page.is_empty() {
                return rows;
            }
            rows.extend(page);
        }
    }

    /// Returns the addresses of the invitations of an import, in their order.
    pub(super) async fn stored(&self, id: BatchId) -> Vec<String> {
        let (criteria, paging) = (Criteria::new().in_batch(id), Paging::first(200));
        let page = self.invitations.list(&admin(), &criteria, paging.expect("a page")).await;
        let page = page.expect("a list");
        assert!(page.next().is_none(), "more invitations than rows");
        let address = |binding: &Binding| match binding {
            Binding::Address(email) => email.as_str().to_owned(),
            other => panic!("{other:?}"),
        };
        let addresses = page.items().iter().map(|one| address(one.invitation().binding()));
        let mut addresses: Vec<_> = addresses.collect();
        addresses.sort();
        addresses
    }

    /// Requires that each of the good rows is created once, with a code of its own, and that the
    /// results have each row of the file once and in its order.
    pub(super) async fn has_each_row_once(&self, id: BatchId, text: &str, good: usize, tag: &str) {
        let mut expected: Vec<_> = (0..good).map(|n| address(n, tag)).collect();
        expected.sort();
        assert_eq!(self.stored(id).await, expected);
        let rows = self.results(id).await;
        let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, (2..=text.lines().count()).collect::<Vec<_>>());
        let mut codes = BTreeSet::new();
        for (row, line) in rows.iter().zip(text.lines().skip(1)) {
            let is_good = !line.starts_with("nobody");
            let expected = if is_good { OutcomeKind::Created } else { OutcomeKind::Invalid };
            assert_eq!(row.outcome, expected, "line {}: {:?}", row.line, row.errors);
            codes.extend(row.code.as_ref().map(|code| code.reveal().to_string()));
        }
        assert_eq!(codes.len(), good);
        let progress = *self.job(id).await.progress();
        assert_eq!(progress.created, good as u64);
        assert_eq!(progress.rows, rows.len() as u64);
    }

    /// Returns the events of an action, oldest first.
    pub(super) async fn events(&self, action: Action) -> Vec<Event> {
        let (criteria, paging) = (EventCriteria::new().of_action(action), Paging::first(200));
        let page = self.invitations.events(&admin(), &criteria, paging.expect("a page")).await;
        let page = page.expect("events");
        page.items().iter().rev().cloned().collect()
    }
}

fn imports_on(fixture: &ImportsFixture, files: &Arc<Files>, interrupt: &Interrupt) -> Imports {
    let documents = Intercept::new(Arc::clone(&fixture.documents), interrupt.clone());
    let spool = InterruptedSpool { files: Arc::clone(files), interrupt: interrupt.clone() };
    Imports::new(documents, spool)
}
