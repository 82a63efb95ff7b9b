//! Many callers at the same moment.

use std::sync::Arc;

use invitation_core::{
    Action, EventFilter, Scope,
    documents::{Document, Documents},
};

use super::{
    DocumentsFixture,
    samples::{add, all_mails, key, kind, limit, mail, mails, replace, state, stored},
};
use crate::support::{
    concurrent::run_concurrently,
    factory::Factory,
    reads::all_events,
    samples::{later, start},
};

const CALLERS: u8 = 16;

/// Of many callers that replace one version at the same moment, exactly one succeeds. That holds
/// for the first version too. Only the winner's event is written.
pub async fn concurrent_replacements_of_one_version_succeed_once(fixture: DocumentsFixture) {
    let factory = Factory::new();
    let mut before: Option<Document> = None;
    for round in 1..=5 {
        let jobs = (0..CALLERS).map(|n| {
            let documents = Arc::clone(&fixture.documents);
            let next = before.as_ref().map_or_else(|| mail("a"), |one| one.next(state("sent")));
            let next = Document { body: vec![n], ..next };
            let event = factory.event(Action::View, start());
            async move { replace(&*documents, &[next], &[event]).await }
        });
        let answers = run_concurrently(jobs.collect()).await;
        assert_eq!(answers.iter().filter(|won| **won).count(), 1, "round {round}");
        before = stored(&*fixture.documents, &key("a")).await;
        assert_eq!(before.as_ref().map(|one| one.version), Some(round));
        let events = all_events(&*fixture.store(), &Scope::All, &EventFilter::default(), 50).await;
        assert_eq!(u64::try_from(events.len()), Ok(round), "one event for each winner");
    }
}

/// Callers that replace the same documents in different orders neither fail nor share the
/// documents: one of them replaces all.
pub async fn concurrent_replacements_in_different_orders_succeed_once(fixture: DocumentsFixture) {
    add(&*fixture.documents, &mails(8)).await;
    for round in 1..=3 {
        let before = all_mails(&*fixture.documents).await;
        let jobs = (0..CALLERS).map(|n| {
            let documents = Arc::clone(&fixture.documents);
            let next = |one: &Document| Document { body: vec![n], ..one.next(state("sent")) };
            let mut next: Vec<_> = before.iter().map(next).collect();
            next.rotate_left(usize::from(n % 8));
            if n % 2 == 0 {
                next.reverse();
            }
            async move { replace(&*documents, &next, &[]).await }
        });
        let answers = run_concurrently(jobs.collect()).await;
        assert_eq!(answers.iter().filter(|won| **won).count(), 1, "round {round}");
        let after = all_mails(&*fixture.documents).await;
        assert!(after.iter().all(|one| one.body == after[0].body), "all of one caller");
        assert!(after.iter().all(|one| one.version == round + 1));
    }
}

/// Callers that add overlapping documents at the same moment store each of them once.
pub async fn concurrent_additions_store_each_document_once(fixture: DocumentsFixture) {
    let all = mails(60);
    let jobs = (0..CALLERS).map(|n| {
        let documents = Arc::clone(&fixture.documents);
        let mut own: Vec<_> = all[usize::from(n) * 2..][..30]
            .iter()
            .map(|one| Document { body: vec![n], ..one.clone() })
            .collect();
        if n % 2 == 0 {
            own.reverse();
        }
        async move { add(&*documents, &own).await }
    });
    run_concurrently(jobs.collect()).await;
    let stored = all_mails(&*fixture.documents).await;
    let names: Vec<_> = stored.iter().rev().map(|one| one.key.clone()).collect();
    assert_eq!(names, all.iter().map(|one| one.key.clone()).collect::<Vec<_>>());
    assert!(stored.iter().all(|one| one.version == 1 && one.body.len() == 1));
}

/// Claims one due document after the other until none is due, and marks each as sent. Returns the
/// names of those that it has worked on.
async fn work(documents: Arc<dyn Documents>, worker: u8) -> Vec<String> {
    let mut done = Vec::new();
    loop {
        let due = documents.due_documents(&kind("mail"), start(), limit(4)).await;
        let due = due.expect("the store answers");
        // Workers begin at different documents, so that they rarely compete for one.
        let Some(one) = due.get(usize::from(worker) % due.len().max(1)) else { return done };
        let lease_end = later(start(), 1);
        let claim = one.next(state("sending")).due_at(lease_end);
        let claim = Document { body: vec![worker], ..claim };
        if replace(&*documents, std::slice::from_ref(&claim), &[]).await {
            done.push(claim.key.name.to_string());
            let sent = claim.next(state("sent")).never_due();
            assert!(replace(&*documents, &[sent], &[]).await, "the lease has not ended");
        }
    }
}

/// Workers that claim due documents together work on each of them once.
pub async fn workers_work_on_each_due_document_once(fixture: DocumentsFixture) {
    let due: Vec<_> = mails(60).into_iter().map(|one| one.due_at(start())).collect();
    add(&*fixture.documents, &due).await;
    let jobs = (0..8).map(|worker| work(Arc::clone(&fixture.documents), worker));
    let mut done = run_concurrently(jobs.collect()).await.concat();
    done.sort();
    let names: Vec<_> = due.iter().map(|one| one.key.name.to_string()).collect();
    assert_eq!(done, names, "each once");
    assert!(all_mails(&*fixture.documents).await.iter().all(|one| one.version == 3));
}
