//! Lists: newest first, filtered, within the scope, page by page.

use std::cmp::Reverse;

use invitation_core::{
    InvitationId, Scope,
    documents::{Document, DocumentFilter},
};

use super::{
    DocumentsFixture,
    samples::{add, all, kind, mails, state},
};
use crate::support::samples::{division, later, start};

/// Returns documents of two kinds, several states, divisions and invitations, many of the same
/// time.
fn mixed() -> Vec<Document> {
    let divisions = [Some("sales"), None, Some("Sales"), Some("hr")];
    let mut documents = mails(120);
    for (n, document) in documents.iter_mut().enumerate() {
        document.at = later(start(), i64::try_from(n * 7 % 20).expect("a few"));
        document.state = state(["queued", "sent", "failed"][n % 3]);
        document.division = divisions[(n / 3) % 4].map(division);
        document.invitation =
            (n % 5 > 1).then(|| InvitationId::from_bytes([u8::try_from(n % 5).expect("few"); 16]));
        document.due = (n % 2 == 0).then(start);
        document.body = vec![u8::try_from(n).expect("few"); n];
        if n % 11 == 0 {
            document.key.kind = kind("webhook");
        }
    }
    documents
}

/// Documents are returned newest first, ties broken by name, each once, in pages of any length.
/// Each filter matches what [`DocumentFilter::matches`] matches. A division's scope contains only
/// the documents of that division.
pub async fn every_document_filter_matches_the_specification(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let mut mixed = mixed();
    add(documents, &mixed).await;
    mixed.sort_by_key(|document| Reverse((document.at, document.key.name.clone())));
    let divisions = ["sales", "Sales", "hr", "nowhere"].map(|name| Scope::Division(division(name)));
    let mut filters = Vec::new();
    for name in ["mail", "webhook", "Mail"] {
        for one in [None, Some("queued"), Some("failed"), Some("fail")] {
            for id in [None, Some(2), Some(4), Some(9)] {
                filters.push(DocumentFilter {
                    kind: kind(name),
                    state: one.map(state),
                    invitation: id.map(|id| InvitationId::from_bytes([id; 16])),
                });
            }
        }
    }
    for scope in [Scope::All].iter().chain(&divisions) {
        for filter in &filters {
            let shown = |one: &&Document| one.is_within(scope) && filter.matches(one);
            let expected: Vec<_> = mixed.iter().filter(shown).cloned().collect();
            let limits = if filter.invitation.is_none() { &[7, 200][..] } else { &[3] };
            for limit in limits {
                let found = all(documents, scope, filter, *limit).await;
                assert_eq!(found, expected, "{scope:?}, {filter:?} in pages of {limit}");
            }
        }
    }
    let every = DocumentFilter::all(kind("mail"));
    let expected: Vec<_> = mixed.iter().filter(|one| every.matches(one)).cloned().collect();
    for limit in [1, 2, u32::MAX] {
        let found = all(documents, &Scope::All, &every, limit).await;
        assert_eq!(found, expected, "in pages of {limit}");
    }
}

/// Documents that are added between pages neither repeat nor hide the others.
pub async fn addition_between_pages_neither_repeats_nor_hides_documents(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let all = mails(30);
    add(documents, &all[..20]).await;
    let filter = DocumentFilter::all(kind("mail"));
    let mut page = invitation_core::PageRequest { after: None, limit: 3 };
    let (mut seen, mut new) = (Vec::new(), all[20..].iter());
    loop {
        let listing = documents.list_documents(&Scope::All, &filter, &page).await;
        let listing = listing.expect("the store lists");
        seen.extend(listing.items);
        page.after = listing.next;
        if page.after.is_none() {
            break;
        }
        add(documents, new.next().map(std::slice::from_ref).unwrap_or_default()).await;
    }
    let expected: Vec<_> = all[..20].iter().rev().cloned().collect();
    assert_eq!(seen, expected, "those of the beginning, each once, in order");
}

/// A few matches among many documents that the other conditions select are all found.
pub async fn rare_document_among_many_is_found(fixture: DocumentsFixture) {
    let documents = &*fixture.documents;
    let mut many = mails(2_500);
    let mut rare = Vec::new();
    for (n, document) in many.iter_mut().enumerate() {
        let is_rare = n % 1_100 == 3;
        document.division = Some(division(if is_rare { "hr" } else { "sales" }));
        if is_rare {
            rare.insert(0, document.clone());
        }
    }
    for many in many.chunks(1_000) {
        add(documents, many).await;
    }
    let filter =
        DocumentFilter { state: Some(state("queued")), ..DocumentFilter::all(kind("mail")) };
    let scope = Scope::Division(division("hr"));
    for limit in [1, 2, 50] {
        assert_eq!(all(documents, &scope, &filter, limit).await, rare, "in pages of {limit}");
    }
}
