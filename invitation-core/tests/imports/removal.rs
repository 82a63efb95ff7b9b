//! Removing imports that have ended.

use invitation_core::{
    Action, Actor, BatchId, Division, EventCriteria, Paging, Role, UserId,
    documents::{Document, DocumentKey, DocumentKind, Documents},
    import::{
        ImportMode,
        file::FileFormat,
        jobs::{ImportError, ImportOrder, ImportRun, ImportState},
    },
};
use time::Duration;

use crate::{FILE, GOOD, Scene, admin, weak::Weak};

#[tokio::test]
async fn only_imports_that_ended_before_lose_their_files() {
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let atomic = ImportOrder::new(FileFormat::Csv).with_mode(ImportMode::AllOrNone);
    let done = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    let failed = scene.submit(atomic, FILE.as_bytes(), None).await.expect("an order").job.id();
    let held = scene.submit(atomic.started_later(), GOOD.as_bytes(), None).await;
    let cancelled = held.expect("an order").job.id();
    let _ = scene.run().await.expect("a run");
    let _ = scene.imports.cancel(&scene.invitations, &admin(), cancelled).await.expect("cancelled");
    scene.clock.advance(Duration::DAY);
    let later = scene.order(FileFormat::Csv, b"role,division\nstaff,sales\n").await;
    let _ = scene.run().await.expect("a run");
    let waiting = scene.order(FileFormat::Csv, GOOD.as_bytes()).await;
    assert_eq!(scene.job(failed).await.state(), ImportState::Failed);
    assert_eq!(spool.names().len(), 5 + 3, "files of rows and of results");

    let before = scene.job(later).await.ordered_at();
    let removed = scene.imports.remove_ended(&scene.invitations, &admin(), before).await;
    assert_eq!(removed.expect("a number"), 3);
    let purges = EventCriteria::new().of_action(Action::Purge);
    let paging = Paging::first(10).expect("a page");
    let events = scene.invitations.events(&admin(), &purges, paging).await.expect("events");
    let details = events.items().iter().map(|event| event.detail.get("imports"));
    assert_eq!(details.collect::<Vec<_>>(), [Some("1"); 3]);
    for id in [done, failed, cancelled] {
        let gone = scene.imports.get(&scene.invitations, &admin(), id).await;
        assert!(matches!(gone, Err(ImportError::NotFound)), "{gone:?}");
    }
    assert_eq!(spool.names().len(), 3);
    assert_eq!(scene.rows(later).await.len(), 1);
    assert_eq!(scene.run().await.expect("a run"), ImportRun::Worked);
    assert_eq!(scene.job(waiting).await.state(), ImportState::Done);
}

#[tokio::test]
async fn check_that_is_repeated_leaves_one_file_of_results() {
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let atomic = ImportOrder::new(FileFormat::Csv).with_mode(ImportMode::AllOrNone);
    let id = scene.submit(atomic, FILE.as_bytes(), None).await.expect("an order").job.id();
    for _ in 0..3 {
        // The outcomes of the first part are written, and those of the second one are not.
        spool.fail_results(2);
        assert!(scene.run().await.is_err());
        assert_eq!(scene.job(id).await.state(), ImportState::Queued);
        let _ = scene.pause().await;
    }
    spool.fail_results(0);
    let _ = scene.run().await.expect("a run");
    assert_eq!(scene.job(id).await.state(), ImportState::Failed);
    assert_eq!(scene.rows(id).await.len(), 4);
    assert_eq!(spool.names().len(), 2, "{:?}", spool.names());
}

#[tokio::test]
async fn any_number_of_ended_imports_is_removed() {
    const MANY: usize = 20_400;
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let id = scene.order(FileFormat::Csv, GOOD.as_bytes()).await;
    let _ = scene.run().await.expect("a run");
    let kind = DocumentKind::new("import").expect("a kind");
    let key = |name: BatchId| DocumentKey::new(kind.clone(), name.to_string()).expect("a key");
    let ended = scene.documents.document(&key(id)).await.expect("an answer").expect("a document");
    let others: Vec<_> = (0..MANY)
        .map(|_| Document {
            key: key(scene.invitations.new_batch().expect("an id")),
            version: 1,
            at: ended.at.checked_add(Duration::SECOND).expect("a time"),
            ..ended.clone()
        })
        .collect();
    for some in others.chunks(Document::MAX_BATCH) {
        scene.documents.add_documents(some).await.expect("they are added");
    }
    let later = ended.at.checked_add(Duration::MINUTE).expect("a time");
    let removed =
        scene.imports.remove_ended(&scene.invitations, &admin(), later).await.expect("a number");
    assert_eq!(usize::try_from(removed), Ok(MANY + 1));
    assert_eq!(spool.names(), [""; 0]);
}

#[tokio::test]
async fn removal_that_stopped_is_completed_by_the_next_one() {
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let id = scene.order(FileFormat::Csv, GOOD.as_bytes()).await;
    let _ = scene.run().await.expect("a run");
    scene.clock.advance(Duration::DAY);
    let now = scene.invitations.now();
    spool.fail_removals(1);
    let failed = scene.imports.remove_ended(&scene.invitations, &admin(), now).await;
    assert!(matches!(failed, Err(ImportError::Spool(_))), "{failed:?}");
    // It is in no list any more, and its files are there.
    let gone = scene.imports.get(&scene.invitations, &admin(), id).await;
    assert!(matches!(gone, Err(ImportError::NotFound)), "{gone:?}");
    let paging = Paging::first(10).expect("a page");
    let listed = scene.imports.list(&scene.invitations, &admin(), paging).await.expect("a list");
    assert!(listed.items().is_empty());
    assert_eq!(spool.names().len(), 2);

    spool.fail_removals(0);
    let removed = scene.imports.remove_ended(&scene.invitations, &admin(), now).await;
    assert_eq!(removed.expect("a number"), 0, "it was counted before");
    assert_eq!(spool.names(), [""; 0]);
}

#[tokio::test]
async fn only_who_may_purge_everything_removes_imports() {
    let scene = Scene::new(Weak::default());
    let id = scene.order(FileFormat::Csv, GOOD.as_bytes()).await;
    let _ = scene.run().await.expect("a run");
    scene.clock.advance(Duration::DAY);
    let (user, role) = (UserId::new("u-1").expect("an id"), Role::new("admin").expect("a role"));
    let sales = Division::new("sales").expect("a division");
    let own = Actor::in_division(user.clone(), role, sales);
    let manager = Actor::across_divisions(user, Role::new("manager").expect("a role"));
    for actor in [own, manager] {
        let now = scene.invitations.now();
        let refused = scene.imports.remove_ended(&scene.invitations, &actor, now).await;
        assert!(matches!(refused, Err(ImportError::Service(_))), "{refused:?}");
    }
    assert!(scene.job(id).await.state().is_final());
}
