//! New versions of documents, together with events.

use invitation_core::{
    Action, Event, InvitationId, Scope,
    documents::{Document, DocumentFilter},
};

use super::{
    DocumentsFixture,
    samples::{add, all, all_mails, events, key, kind, limit, mail, replace, state, stored},
};
use crate::support::{
    factory::Factory,
    samples::{division, later, start},
};

/// A document is replaced by the version after the stored one only. Without a stored one, that is
/// version 1. A refused replacement changes nothing.
pub async fn document_is_replaced_at_its_known_version_only(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    for version in [0, 2, Document::MAX_VERSION] {
        let unknown = Document { version, ..mail("a") };
        assert!(!replace(documents, &[unknown], &[]).await, "none is stored: {version}");
    }
    assert!(replace(documents, &[mail("a")], &[]).await, "the first version");
    let second = mail("a").next(state("sent"));
    assert!(replace(documents, std::slice::from_ref(&second), &[]).await);
    for version in [0, 1, 2, 4, Document::MAX_VERSION] {
        let wrong = Document { version, body: vec![9], ..second.clone() };
        assert!(!replace(documents, &[wrong], &[]).await, "{version}");
    }
    assert_eq!(stored(documents, &key("a")).await, Some(second.clone()));
    let third = Document {
        division: Some(division("sales")),
        invitation: Some(InvitationId::from_bytes([3; 16])),
        due: Some(start()),
        body: vec![3],
        ..second.next(state("queued"))
    };
    assert!(replace(documents, std::slice::from_ref(&third), &[]).await);
    assert_eq!(all_mails(documents).await, [third]);
    assert!(replace(documents, &[], &[]).await, "nothing to do");
}

/// A caller that does not know whether its call succeeded repeats it and succeeds. The document and
/// the event exist once.
pub async fn repeated_replacement_succeeds_and_changes_nothing(fixture: DocumentsFixture) {
    let (documents, factory) = (&*fixture.documents, Factory::new());
    let first = Document { body: vec![1], ..mail("a") };
    let created = factory.event(Action::View, start());
    let sent = factory.event(Action::Copy, start());
    let second = Document { due: Some(start()), ..first.next(state("sent")) };
    let calls = [(first.clone(), created), (second.clone(), sent)];
    for (n, (document, event)) in calls.iter().enumerate() {
        for _ in 0..3 {
            let again =
                replace(documents, std::slice::from_ref(document), std::slice::from_ref(event))
                    .await;
            assert!(again, "version {}", document.version);
            assert_eq!(stored(documents, &key("a")).await.as_ref(), Some(document));
            assert_eq!(events(&fixture).await.len(), n + 1, "each event once");
        }
    }
    assert!(!replace(documents, &[first], &[]).await, "it was replaced since");
    for other in [
        Document { body: vec![2], ..second.clone() },
        Document { due: None, ..second.clone() },
        Document { state: state("Sent"), ..second.clone() },
        Document { at: later(start(), 1), ..second.clone() },
        Document { division: Some(division("sales")), ..second.clone() },
        Document { invitation: Some(InvitationId::from_bytes([0; 16])), ..second.clone() },
    ] {
        assert!(!replace(documents, std::slice::from_ref(&other), &[]).await, "{other:?}");
    }
    // A document that is stored already may stand beside one that is not.
    assert!(replace(documents, &[mail("b"), second.clone()], &[]).await);
    assert_eq!(all_mails(documents).await, [mail("b"), second]);
}

/// If one of the documents cannot be replaced, none is, and no event is written.
pub async fn documents_and_events_are_replaced_all_or_none(fixture: DocumentsFixture) {
    let (documents, factory) = (&*fixture.documents, Factory::new());
    let (a, b) = (mail("a"), mail("b"));
    add(documents, &[a.clone(), b.clone()]).await;
    let event = factory.event(Action::View, start());
    let next = |one: &Document| one.next(state("sent"));
    let stale = Document { body: vec![1], ..b.clone() };
    for refused in [
        vec![next(&a), stale.clone()],
        vec![stale, next(&a)],
        vec![next(&a), next(&mail("missing"))],
        vec![mail("new"), next(&next(&a))],
        vec![next(&a), next(&b), next(&a)],
        vec![mail("new"), mail("new")],
    ] {
        assert!(!replace(documents, &refused, std::slice::from_ref(&event)).await, "{refused:?}");
        assert_eq!(all_mails(documents).await, [b.clone(), a.clone()], "nothing changed");
        assert_eq!(events(&fixture).await, [], "no event");
    }
    let both = [next(&b), mail("new"), next(&a)];
    assert!(replace(documents, &both, std::slice::from_ref(&event)).await);
    assert_eq!(all_mails(documents).await, [mail("new"), next(&b), next(&a)]);
    assert_eq!(events(&fixture).await, [event]);
}

/// An event whose id is stored stays as it is, and the others of the call are written.
pub async fn stored_event_of_a_replacement_stays_unchanged(fixture: DocumentsFixture) {
    let (documents, factory) = (&*fixture.documents, Factory::new());
    let known = factory.event(Action::View, start());
    fixture.store().record(std::slice::from_ref(&known)).await.expect("the store records");
    let changed = Event { action: Action::Copy, at: later(start(), 9), ..known.clone() };
    let new = factory.event(Action::Copy, later(start(), 1));
    assert!(replace(documents, &[mail("a")], &[changed, new.clone()]).await);
    assert_eq!(events(&fixture).await, [new.clone(), known.clone()]);
    assert!(replace(documents, &[], &[known.clone(), new.clone()]).await);
    assert_eq!(events(&fixture).await, [new, known]);
}

/// After a replacement, each list and the due documents have the new version, and no old one.
pub async fn replaced_document_is_listed_by_its_new_version_only(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let versions = [
        (Some("sales"), Some([1; 16]), "queued", Some(later(start(), 5))),
        (Some("hr"), Some([2; 16]), "sent", Some(later(start(), 7))),
        (None, None, "failed", None),
        (Some("sales"), Some([1; 16]), "queued", Some(later(start(), 3))),
    ];
    let mut document = mail("a");
    for (n, (within, invitation, name, due)) in versions.into_iter().enumerate() {
        let invitation = invitation.map(InvitationId::from_bytes);
        let division = within.map(division);
        document = Document { division, invitation, state: state(name), due, ..document };
        assert!(replace(documents, std::slice::from_ref(&document), &[]).await, "{n}");
        let expected = |is_it: bool| if is_it { vec![document.clone()] } else { vec![] };
        for name in ["queued", "sent", "failed"] {
            let filter =
                DocumentFilter { state: Some(state(name)), ..DocumentFilter::all(kind("mail")) };
            let found = all(documents, &Scope::All, &filter, 9).await;
            assert_eq!(found, expected(document.state == state(name)), "{n}: {name}");
        }
        for id in [1, 2].map(|n| InvitationId::from_bytes([n; 16])) {
            let filter =
                DocumentFilter { invitation: Some(id), ..DocumentFilter::all(kind("mail")) };
            let found = all(documents, &Scope::All, &filter, 9).await;
            assert_eq!(found, expected(document.invitation == Some(id)), "{n}: {id:?}");
        }
        for name in ["sales", "hr"] {
            let scope = Scope::Division(crate::support::samples::division(name));
            let found = all(documents, &scope, &DocumentFilter::all(kind("mail")), 9).await;
            assert_eq!(found, expected(within == Some(name)), "{n}: {name}");
        }
        for micros in [3, 5, 7] {
            let now = later(start(), micros);
            let found = documents.due_documents(&kind("mail"), now, limit(9)).await;
            let is_due = due.is_some_and(|due| due <= now);
            assert_eq!(found.expect("the store answers"), expected(is_due), "{n}: {micros}");
        }
        document.version += 1;
    }
}
