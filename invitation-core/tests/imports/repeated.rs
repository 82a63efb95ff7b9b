//! Parts that an earlier worker has stored. Their invitations exist, whatever the present rights and
//! keys are.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use invitation_core::{
    Intercept, Interceptor, MemoryStore, Operation, Policy, Rights, Role, StoreCall, StoreError,
    StoreErrorKind,
    code::Sealing,
    hooks::{Hooks, Intent, Veto},
    import::{
        ImportMode, OutcomeKind,
        file::FileFormat,
        jobs::{ImportError, ImportOrder, ImportState, Imports},
    },
};

use crate::{FILE, GOOD, Scene, weak::Weak};

/// Fails one of the replacements of documents, counted from 1, before it takes effect.
#[derive(Debug)]
struct FailingReplacement {
    failing: NonZeroU32,
    calls: AtomicU32,
}

#[async_trait]
impl Interceptor for FailingReplacement {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        let is_counted = operation == Operation::ReplaceDocuments;
        if is_counted && self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.failing.get() {
            return Err(StoreError::new(StoreErrorKind::Unavailable, operation.as_str()));
        }
        let _ = call.await;
        Ok(())
    }
}

/// Returns a scene whose worker stores a part and then fails to say so: its replacement with this
/// number fails.
fn failing(n: u32, sealing: Sealing) -> Scene<Arc<MemoryStore>> {
    let spool = Weak::default();
    let mut scene = Scene::new(spool.clone());
    scene.invitations = scene.invitations.with_sealing(sealing);
    let failing = NonZeroU32::new(n).expect("a number");
    let failing = FailingReplacement { failing, calls: AtomicU32::new(0) };
    let documents = Intercept::new(Arc::clone(&scene.documents), failing);
    scene.imports = Imports::new(documents, spool);
    scene
}

/// The order is the first replacement of a document, the claim the second one.
const AFTER_CLAIM: u32 = 3;

#[tokio::test]
async fn stored_part_whose_codes_are_not_kept_is_no_failure() {
    let scene = failing(AFTER_CLAIM, Sealing::hash_only());
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    assert!(scene.run().await.is_err());
    assert_eq!((scene.stored().await, scene.job(id).await.progress().created), (2, 0));
    let _ = scene.pause().await;
    let _ = scene.run().await.expect("a run");
    let job = scene.job(id).await;
    assert_eq!((job.state(), job.reason()), (ImportState::Done, None));
    assert_eq!((scene.stored().await, job.progress().created), (4, 4));
    let rows = scene.rows(id).await;
    let created = rows.iter().filter(|row| row.outcome == OutcomeKind::Created);
    assert!(created.clone().all(|row| row.invitation.is_some() && row.code.is_none()));
    assert_eq!(created.count(), 4);
}

#[tokio::test]
async fn stored_atomic_import_is_done_although_its_codes_are_not_kept_and_its_user_lost_the_right()
{
    // The check of the rows and the change to writing come before.
    for (n, loses_right) in [(5, false), (5, true)] {
        let mut scene = failing(n, Sealing::hash_only());
        let atomic = ImportOrder::new(FileFormat::Csv).with_mode(ImportMode::AllOrNone);
        let submitted = scene.submit(atomic, GOOD.as_bytes(), None).await.expect("an order");
        let id = submitted.job.id();
        assert!(scene.run().await.is_err());
        assert_eq!(scene.stored().await, 2, "they are created");
        assert_eq!(scene.job(id).await.state(), ImportState::Writing);
        let _ = scene.pause().await;
        let before = scene.invitations.clone();
        if loses_right {
            let none = Policy::default().with_role(admin_role(), Rights::none());
            scene.invitations = scene.invitations.with_policy(none);
        }
        let _ = scene.run().await.expect("a run");
        scene.invitations = before;
        let job = scene.job(id).await;
        assert_eq!((job.state(), job.reason()), (ImportState::Done, None));
        assert_eq!((scene.stored().await, job.progress().created), (2, 2));
    }
}

#[tokio::test]
async fn stored_part_counts_although_its_user_lost_the_right_since() {
    let mut scene = failing(AFTER_CLAIM, Sealing::readable());
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    assert!(scene.run().await.is_err());
    let _ = scene.pause().await;
    let before = scene.invitations.clone();
    let none = Policy::default().with_role(admin_role(), Rights::none());
    scene.invitations = scene.invitations.with_policy(none);
    let _ = scene.run().await.expect("a run");
    scene.invitations = before;
    let job = scene.job(id).await;
    assert_eq!(job.state(), ImportState::Failed);
    assert_eq!((scene.stored().await, job.progress().created), (2, 2));
}

fn admin_role() -> Role {
    Role::new("admin").expect("a role")
}

/// Fails at the second question.
#[derive(Default, Debug)]
struct Lapsing(AtomicU32);

#[async_trait]
impl Hooks for Lapsing {
    async fn before(&self, _: &Intent) -> Result<(), Veto> {
        if self.0.fetch_add(1, Ordering::SeqCst) == 1 {
            return Err(std::io::Error::other("the host's directory is down").into());
        }
        Ok(())
    }

    async fn sleep(&self, _: std::time::Duration) {
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn import_goes_on_later_when_the_host_did_not_say_whether_it_is_allowed() {
    let mut scene = Scene::new(Weak::default());
    scene.invitations = scene.invitations.with_hooks(Lapsing::default());
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    let run = scene.run().await;
    assert!(matches!(run, Err(ImportError::Service(_))), "{run:?}");
    assert_eq!(scene.job(id).await.state(), ImportState::Queued);
    let _ = scene.pause().await;
    let _ = scene.run().await.expect("a run");
    let job = scene.job(id).await;
    assert_eq!((job.state(), job.progress().created), (ImportState::Done, 4));
}
