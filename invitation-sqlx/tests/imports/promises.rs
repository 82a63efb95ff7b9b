//! What an import of all rows or none promises on every SQL database.

use std::{
    error::Error as StdError,
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use invitation_core::{
    Action, BatchId, Binding, Cap, Criteria, EventCriteria, EventOutcome, Invitations, Limits,
    MemoryStore, Paging, Reason, Status,
    documents::{DocumentFilter, DocumentKind, DocumentState, Documents},
    hooks::{CommandKind, Done, Hooks, Intent, Veto},
    import::{
        ImportMode, OutcomeKind,
        file::FileFormat,
        jobs::{ImportOrder, ImportState, Imports, MemorySpool},
    },
    store::{PageRequest, Scope},
};
use invitation_sqlx::SqlStore;

use crate::support::{
    admin,
    host::{Host, Kind},
};

/// Creates a test of each promise on a database.
macro_rules! promises {
    ($database:ty) => {
        $crate::support::host::tests!($database, promises:
            atomic_import_of_several_parts_creates_all_rows
            atomic_import_that_fails_in_its_last_part_creates_nothing
            atomic_import_whose_commit_was_not_noticed_creates_nothing_more
            part_that_is_sent_again_creates_nothing_more
            atomic_import_notifies_the_hooks_of_each_invitation_once
        );
    };
}

pub(crate) use promises;

/// The number of rows of a part.
const PART: u32 = 4;

/// Imports on a database, with the documents in memory.
struct Scene<DB: Kind> {
    host: Host<DB>,
    invitations: Invitations<SqlStore<DB>>,
    documents: Arc<MemoryStore>,
    imports: Imports,
}

impl<DB: Kind> Scene<DB> {
    async fn new(limits: Limits) -> Self {
        let host = Host::<DB>::new().await;
        let limits = limits.with_batch(NonZeroU32::new(PART).unwrap());
        let invitations = host.invitations.clone().with_limits(limits);
        let documents = Arc::new(MemoryStore::new());
        let imports = Imports::new(Arc::clone(&documents), MemorySpool::new());
        Self { host, invitations, documents, imports }
    }

    async fn order(&self, rows: usize) -> BatchId {
        let order = ImportOrder::new(FileFormat::Csv).with_mode(ImportMode::AllOrNone);
        let mut upload = self.imports.upload(&self.invitations, &admin(), order).await.unwrap();
        upload.write(b"email,role,division\n").await.unwrap();
        for n in 0..rows {
            let row = format!("p{n}@example.com,staff,sales\n");
            upload.write(row.as_bytes()).await.unwrap();
        }
        upload.submit(&self.invitations, None).await.unwrap().job.id()
    }

    async fn run(&self, id: BatchId) -> (ImportState, Option<String>, u64) {
        let _ = self.imports.run_in_transactions(&self.invitations).await.unwrap();
        let job = self.imports.get(&self.invitations, &admin(), id).await.unwrap();
        (job.state(), job.reason().map(str::to_owned), job.progress().created)
    }

    async fn stored(&self, id: BatchId) -> u32 {
        let counts = self.invitations.counts(&admin(), &Criteria::new().in_batch(id)).await;
        counts.unwrap().of(Status::Active)
    }

    async fn codes(&self, id: BatchId) -> Vec<String> {
        let mut results = self.imports.results(&self.invitations, &admin(), id).await.unwrap();
        let mut codes = Vec::new();
        loop {
            let page = results.next_page(&self.invitations).await.unwrap();
            if page.is_empty() {
                return codes;
            }
            for row in page {
                assert_eq!(row.outcome, OutcomeKind::Created);
                codes.push(row.code.unwrap().reveal().to_string());
            }
        }
    }
}

pub(crate) async fn atomic_import_of_several_parts_creates_all_rows<DB: Kind>() {
    let scene = Scene::<DB>::new(Limits::default()).await;
    let id = scene.order(11).await;
    assert_eq!(scene.run(id).await, (ImportState::Done, None, 11));
    assert_eq!(scene.stored(id).await, 11);
    assert_eq!(scene.codes(id).await.len(), 11);
    assert_eq!(scene.host.users().await, 0);
}

/// Hooks that keep the addresses of created invitations.
#[derive(Clone, Default, Debug)]
struct Heard(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Hooks for Heard {
    async fn before(&self, _: &Intent) -> Result<(), Veto> {
        Ok(())
    }

    async fn after(&self, done: &Done) -> Result<(), Box<dyn StdError + Send + Sync>> {
        assert_eq!(done.kind, CommandKind::CreateMany);
        for terms in &done.invitations {
            let Binding::Address(email) = &terms.binding else { panic!("{terms:?}") };
            self.0.lock().unwrap().push(email.as_str().to_owned());
        }
        Ok(())
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

pub(crate) async fn atomic_import_notifies_the_hooks_of_each_invitation_once<DB: Kind>() {
    let scene = Scene::<DB>::new(Limits::default()).await;
    let heard = Heard::default();
    let scene = Scene { invitations: scene.invitations.clone().with_hooks(heard.clone()), ..scene };
    let id = scene.order(11).await;
    assert_eq!(scene.run(id).await, (ImportState::Done, None, 11));
    let mut addresses = std::mem::take(&mut *heard.0.lock().unwrap());
    addresses.sort_unstable();
    let mut expected: Vec<_> = (0..11).map(|n| format!("p{n}@example.com")).collect();
    expected.sort_unstable();
    assert_eq!(addresses, expected);
}

pub(crate) async fn atomic_import_that_fails_in_its_last_part_creates_nothing<DB: Kind>() {
    // The check looks at no quota, so the third part fails inside the transaction.
    let cap = Cap::AtMost(NonZeroU32::new(9).unwrap());
    let scene = Scene::<DB>::new(Limits::default().with_pending_per_division(cap)).await;
    let id = scene.order(11).await;
    let (state, reason, created) = scene.run(id).await;
    assert_eq!((state, created), (ImportState::Failed, 0));
    assert!(reason.unwrap().contains("pending"));
    assert_eq!(scene.stored(id).await, 0);
    // The refusal is on record although its transaction was rolled back.
    let creations = EventCriteria::new().of_action(Action::Create);
    let events = scene.invitations.events(&admin(), &creations, Paging::default()).await.unwrap();
    let [refused] = events.items() else { panic!("{events:?}") };
    assert_eq!(refused.outcome, EventOutcome::Refused);
    assert_eq!(refused.reason, Some(Reason::QuotaExceeded));

    // Nine rows fit.
    let id = scene.order(9).await;
    assert_eq!(scene.run(id).await, (ImportState::Done, None, 9));
}

pub(crate) async fn atomic_import_whose_commit_was_not_noticed_creates_nothing_more<DB: Kind>() {
    let scene = Scene::<DB>::new(Limits::default()).await;
    let id = scene.order(11).await;
    assert_eq!(scene.run(id).await, (ImportState::Done, None, 11));
    let codes = scene.codes(id).await;
    // The worker was killed between the commit and the note that the import is done.
    let filter = DocumentFilter::all(DocumentKind::new("import").unwrap());
    let page = PageRequest { after: None, limit: 1 };
    let listed = scene.documents.list_documents(&Scope::All, &filter, &page).await.unwrap();
    let writing = listed.items[0].next(DocumentState::new("writing").unwrap());
    let writing = writing.due_at(scene.invitations.now());
    assert!(scene.documents.replace_documents(&[writing], &[]).await.unwrap());

    assert_eq!(scene.run(id).await, (ImportState::Done, None, 11));
    assert_eq!(scene.stored(id).await, 11);
    assert_eq!(scene.codes(id).await, codes);
}

pub(crate) async fn part_that_is_sent_again_creates_nothing_more<DB: Kind>() {
    use invitation_core::import::{ImportRow, PartedImport};

    let scene = Scene::<DB>::new(Limits::default()).await;
    let id = scene.invitations.new_batch().unwrap();
    let rows = || vec![ImportRow::Draft(invitation_conformance::people::staff()); 3];
    let mut created = Vec::new();
    for _ in 0..2 {
        let mut import = PartedImport::new(id);
        for _ in 0..2 {
            let part = scene.invitations.import_part(&admin(), &mut import, rows()).await.unwrap();
            created.extend(part.created().map(|one| one.invitation().id()));
        }
    }
    assert_eq!(created[..6], created[6..]);
    assert_eq!(scene.stored(id).await, 6);
}
