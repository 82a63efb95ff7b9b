//! Uploads: their maximum size, their keys, and orders that fail.

use std::sync::Arc;

use async_trait::async_trait;
use invitation_core::{
    Actor, Division, Error, Intercept, Interceptor, Invitations, MemoryStore, Operation, Paging,
    Policy, Refusal, Right, Rights, Role, StoreCall, StoreError, StoreErrorKind, UserId,
    import::{
        Duplicates, ImportMode,
        file::FileFormat,
        jobs::{ImportError, ImportJob, ImportOrder, ImportState, Imports},
    },
};

use crate::{GOOD, Scene, admin, weak::Weak};

fn csv() -> ImportOrder {
    ImportOrder::new(FileFormat::Csv)
}

#[tokio::test]
async fn file_of_the_maximum_size_is_accepted_and_no_larger_one() {
    let spool = Weak::default();
    let mut scene = Scene::new(spool.clone());
    // Larger than what is written to the spool at a time.
    scene.imports = scene.imports.with_max_bytes(300_000);
    let order = csv().started_later();
    let submitted = scene.submit(order, &vec![b'x'; 300_000], None).await.expect("an order");
    assert_eq!(submitted.job.bytes(), 300_000);
    let mut upload =
        scene.imports.upload(&scene.invitations, &admin(), order).await.expect("an upload");
    for _ in 0..3 {
        upload.write(&vec![b'x'; 100_000]).await.expect("room");
    }
    let refused = upload.write(b"x").await;
    assert!(matches!(refused, Err(ImportError::TooLarge { max: 300_000 })), "{refused:?}");
    upload.discard().await.expect("it is removed");
    assert_eq!(spool.names().len(), 1);
}

#[tokio::test]
async fn file_without_a_byte_orders_nothing() {
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let refused = scene.submit(csv(), b"", Some("k")).await;
    let Err(ImportError::Service(Error::Invalid(invalid))) = refused else { panic!("{refused:?}") };
    assert_eq!(invalid.errors()[0].field(), "file");
    assert_eq!(spool.names(), [""; 0]);
    let page = scene.imports.list(&scene.invitations, &admin(), Paging::default()).await;
    assert!(page.expect("a page").items().is_empty());
    // The key is free for the file that the user chooses then.
    scene.submit(csv(), GOOD.as_bytes(), Some("k")).await.expect("an order");
}

#[tokio::test]
async fn key_belongs_to_its_user_and_to_one_file_with_its_options() {
    let scene = Scene::new(Weak::default());
    let order = csv().started_later();
    let first = scene.submit(order, GOOD.as_bytes(), Some("k")).await.expect("an order");
    let other_options = [
        order.with_duplicates(Duplicates::Create),
        order.with_mode(ImportMode::AllOrNone),
        ImportOrder::new(FileFormat::JsonLines),
    ];
    for (order, file) in other_options
        .map(|order| (order, GOOD.to_owned()))
        .into_iter()
        .chain([(order, format!("{GOOD}\n"))])
    {
        let refused = scene.submit(order, file.as_bytes(), Some("k")).await;
        let Err(ImportError::Service(Error::Refused(refused))) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(refused.refusal(), &Refusal::IdempotencyKeyReused);
    }
    let other = Actor::across_divisions(
        UserId::new("u-1").expect("an id"),
        Role::new("admin").expect("a role"),
    );
    let theirs = scene.submit_as(&other, order, GOOD.as_bytes(), Some("k")).await;
    let theirs = theirs.expect("a key of their own");
    assert!(!theirs.is_replayed && theirs.job.id() != first.job.id());
}

#[tokio::test]
async fn key_of_an_import_in_a_division_that_the_user_has_left_is_refused() {
    let mut scene = Scene::new(Weak::default());
    let role = || Role::new("manager").expect("a role");
    let policy = Policy::default().with_added_rights(role(), Rights::none().may([Right::Bulk]));
    scene.invitations = scene.invitations.with_policy(policy);
    let user = |division: &str| {
        let division = Division::new(division).expect("a division");
        Actor::in_division(UserId::new("u-1").expect("an id"), role(), division)
    };
    let order = async |actor| scene.submit_as(&actor, csv(), b"role\nstaff\n", Some("k")).await;
    let first = order(user("sales")).await.expect("an order");
    let refused = order(user("operations")).await;
    let Err(ImportError::Service(Error::Refused(refused))) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.refusal(), &Refusal::IdempotencyKeyReused);
    let again = order(user("sales")).await.expect("the user has moved back");
    assert!(again.is_replayed && again.job.id() == first.job.id());
}

/// Fails when the order is stored: before or after it is.
#[derive(Debug)]
struct FailingOrders {
    is_lost_reply: bool,
}

#[async_trait]
impl Interceptor for FailingOrders {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        let fails = operation == Operation::ReplaceDocuments;
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

#[tokio::test]
async fn file_of_an_order_with_an_unknown_outcome_stays_and_that_of_a_failed_one_goes() {
    for is_lost_reply in [false, true] {
        let (store, spool) = (Arc::new(MemoryStore::new()), Weak::default());
        let documents = Intercept::new(Arc::clone(&store), FailingOrders { is_lost_reply });
        let invitations = Invitations::new(Arc::clone(&store));
        let orders = Imports::new(documents, spool.clone());
        let mut upload = orders.upload(&invitations, &admin(), csv()).await.expect("an upload");
        upload.write(GOOD.as_bytes()).await.expect("it is written");
        let submitted = upload.submit(&invitations, None).await;
        assert!(matches!(submitted, Err(ImportError::Service(Error::Store(_)))), "{submitted:?}");
        assert_eq!(spool.names().len(), usize::from(is_lost_reply));
        // The import that is stored can be worked on.
        let imports = Imports::new(store, spool);
        let _ = imports.run(&invitations).await.expect("a run");
        let page = imports.list(&invitations, &admin(), Paging::default()).await.expect("a page");
        let states: Vec<_> = page.items().iter().map(ImportJob::state).collect();
        assert_eq!(states, vec![ImportState::Done; usize::from(is_lost_reply)]);
    }
}

#[tokio::test]
async fn bytes_that_could_not_be_written_are_written_by_the_next_call() {
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let mut file = String::from("role,division\n");
    while file.len() < 600_000 {
        file.push_str("nobody,sales\n");
    }
    let mut upload =
        scene.imports.upload(&scene.invitations, &admin(), csv()).await.expect("an upload");
    spool.fail_rows(2);
    let mut failures = 0;
    for piece in file.as_bytes().chunks(100_000) {
        failures += u32::from(upload.write(piece).await.is_err());
    }
    assert!(failures > 0);
    spool.fail_rows(0);
    let job = upload.submit(&scene.invitations, None).await.expect("an order").job;
    assert_eq!(job.bytes(), file.len() as u64);
    let _ = scene.run().await.expect("a run");
    let (rows, lines) = (scene.job(job.id()).await.progress().rows, file.lines().count() - 1);
    assert_eq!(rows, lines as u64);
}
