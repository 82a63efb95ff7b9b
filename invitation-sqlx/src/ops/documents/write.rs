//! New documents, and new versions of documents.

use std::{collections::HashMap, iter};

use invitation_core::{
    Event, StoreError, StoreErrorKind,
    documents::{Document, DocumentKey},
};

use super::MAX_NAMES;
use crate::{
    dialect::Dialect,
    error::is_taken,
    list::Index,
    ops::{Session, write_rows},
    render, row,
    statement::Statement,
};

/// The maximum length of all bodies in one statement, unless it has only one. It keeps a statement
/// within MariaDB's default `max_allowed_packet`, 16 MB.
const MAX_BODIES: usize = 1024 * 1024;

/// The columns of the key.
const KEY: &str = "kind, name";

/// Stores those of the documents whose key is not stored yet.
pub(crate) async fn add_documents<DB: Dialect>(
    on: &mut Session<'_, DB>,
    documents: &[Document],
) -> Result<(), StoreError> {
    if documents.is_empty() {
        return Ok(());
    }
    // In the order of the keys, so that concurrent calls do not wait for each other's keys in a
    // circle. Of two documents with one key, the first stays first.
    let mut documents: Vec<_> = documents.iter().collect();
    documents.sort_by(|a, b| a.key.cmp(&b.key));
    let mut step = on.begin().await?;
    insert(&mut step, &documents, &DB::skip_existing(KEY)).await?;
    step.commit().await
}

/// Stores documents in place of the versions before, together with events. Returns whether it did.
pub(crate) async fn replace_documents<DB: Dialect>(
    on: &mut Session<'_, DB>,
    documents: &[Document],
    events: &[Event],
) -> Result<bool, StoreError> {
    let mut step = on.begin().await?;
    let stored = lock(&mut step, documents).await?;
    if !Document::all_replace(documents, |key| stored.get(key)) {
        step.rollback().await?;
        return Ok(false);
    }
    let changed = documents.iter().filter(|document| stored.get(&document.key) != Some(*document));
    let (mut next, mut new): (Vec<_>, Vec<_>) =
        changed.partition(|document| stored.contains_key(&document.key));
    next.sort_by(|a, b| a.key.cmp(&b.key));
    new.sort_by(|a, b| a.key.cmp(&b.key));
    match insert(&mut step, &new, "").await {
        // Another call has stored the document since this one has looked. A repetition sees it.
        Err(error) if is_taken(&error) => {
            let conflict = StoreError::new(StoreErrorKind::Conflict, "replace_documents");
            return Err(conflict.because(error));
        }
        inserted => inserted?,
    }
    // These rows are locked, so each of them exists.
    let replace = DB::replace_existing(KEY, row::DOCUMENT);
    insert(&mut step, &next, &replace).await?;
    let (table, skip) = (&step.names.events, DB::skip_existing("id"));
    write_rows(&mut step, table, row::EVENT, events, &skip).await?;
    step.commit().await?;
    Ok(true)
}

/// Returns the stored documents with the keys of these ones, and locks them against changes until
/// the transaction ends.
async fn lock<DB: Dialect>(
    on: &mut Session<'_, DB>,
    documents: &[Document],
) -> Result<HashMap<DocumentKey, Document>, StoreError> {
    // In the order of the keys, so that concurrent calls do not lock in a circle.
    let mut keys: Vec<_> = documents.iter().map(|document| &document.key).collect();
    keys.sort_unstable();
    let mut stored = HashMap::with_capacity(keys.len());
    for keys in keys.chunk_by(|a, b| a.kind == b.kind).flat_map(|keys| keys.chunks(MAX_NAMES)) {
        let [first, others @ ..] = keys else { continue };
        let mut s = Statement::new(format!("SELECT {} FROM ", row::DOCUMENT));
        if !others.is_empty() {
            s.one_off();
        }
        render::by_index(&mut s, on.names, Index::DocumentsKey);
        s.sql(" WHERE i.kind = ").text(first.kind.as_str()).sql(" AND i.name IN ");
        s.list(keys, |s, key| {
            s.text(key.name.as_str());
        });
        s.sql(" ORDER BY i.name").sql(DB::FOR_UPDATE);
        let found = s.all(on, row::document).await?;
        stored.extend(found.into_iter().map(|document| (document.key.clone(), document)));
    }
    Ok(stored)
}

/// Writes rows. The clause `end` decides what happens to rows that exist.
async fn insert<DB: Dialect>(
    on: &mut Session<'_, DB>,
    documents: &[&Document],
    end: &str,
) -> Result<(), StoreError> {
    let table = &on.names.documents;
    for documents in by_size(documents) {
        write_rows(on, table, row::DOCUMENT, documents, end).await?;
    }
    Ok(())
}

/// Returns the documents in groups whose bodies fit one statement.
fn by_size<'s, 'd>(mut rest: &'s [&'d Document]) -> impl Iterator<Item = &'s [&'d Document]> {
    iter::from_fn(move || {
        let mut size = 0_usize;
        let fits = |document: &&&Document| {
            size = size.saturating_add(document.body.len());
            size <= MAX_BODIES
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (group, others) = rest.split_at_checked(count)?;
        rest = others;
        Some(group)
    })
}

#[cfg(test)]
mod tests {
    use invitation_core::{
        Timestamp,
        documents::{DocumentKind, DocumentState},
    };

    use super::*;

    #[test]
    fn groups_of_documents_have_bounded_bodies_and_miss_none() {
        let document = |n: usize, size: usize| {
            let key = DocumentKey::new(DocumentKind::new("mail").unwrap(), n.to_string()).unwrap();
            let state = DocumentState::new("queued").unwrap();
            Document { body: vec![0; size], ..Document::new(key, state, Timestamp::MIN) }
        };
        for (sizes, expected) in [
            (vec![], vec![]),
            (vec![0, 0, 0], vec![3]),
            (vec![MAX_BODIES], vec![1]),
            (vec![MAX_BODIES, 0, 1], vec![2, 1]),
            (vec![1, MAX_BODIES], vec![1, 1]),
            (vec![MAX_BODIES / 2; 5], vec![2, 2, 1]),
        ] {
            let documents: Vec<_> =
                sizes.iter().enumerate().map(|(n, size)| document(n, *size)).collect();
            let documents: Vec<_> = documents.iter().collect();
            let groups: Vec<_> = by_size(&documents).collect();
            assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), expected);
            assert_eq!(groups.concat(), documents);
        }
    }
}
