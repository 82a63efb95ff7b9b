//! Removal of documents with which nothing is left to do.

use std::num::NonZeroU32;

use invitation_core::{
    StoreError, Timestamp,
    documents::{Document, DocumentKind, DocumentState, RemovalEvidence},
};

use super::MAX_NAMES;
use crate::{
    dialect::Dialect,
    list::Index,
    ops::{Session, apply},
    render,
    statement::Statement,
};

/// Removes the oldest documents of a kind and state that are not due, and writes the event of the
/// removal. Returns how many.
pub(crate) async fn remove_documents<DB: Dialect>(
    on: &mut Session<'_, DB>,
    (kind, state): (&DocumentKind, &DocumentState),
    before: Timestamp,
    limit: NonZeroU32,
    evidence: Option<&RemovalEvidence>,
) -> Result<u32, StoreError> {
    let mut step = on.begin().await?;
    let mut s = Statement::new("SELECT i.name FROM ");
    render::by_index(&mut s, step.names, Index::DocumentsState);
    s.sql(" WHERE i.kind = ").text(kind.as_str()).sql(" AND i.state = ").text(state.as_str());
    s.sql(" AND i.at < ").int(before.as_micros()).sql(" AND i.due IS NULL");
    s.sql(" ORDER BY i.at, i.name");
    render::at_most(&mut s, Document::bounded(limit));
    // A document that another call is changing is waited for, and stays if it has become due.
    s.sql(DB::FOR_UPDATE);
    let found = s.all(&mut step, |c| c.in_table("documents").text("name")).await?;
    if found.is_empty() {
        step.rollback().await?;
        return Ok(0);
    }
    let mut removed = 0;
    for found in found.chunks(MAX_NAMES) {
        let delete = format!("DELETE FROM {} WHERE kind = ", step.names.documents);
        let mut s = Statement::new(delete);
        s.one_off();
        s.text(kind.as_str()).sql(" AND name IN ").list(found, |s, name| {
            s.text(name.as_str());
        });
        removed += s.run(&mut step).await?;
    }
    let removed = u32::try_from(removed).unwrap_or(u32::MAX);
    if let Some(evidence) = evidence
        && !apply::write_event(&mut step, &evidence.of(removed)).await?
    {
        // The same call was made before.
        step.rollback().await?;
        return Ok(0);
    }
    step.commit().await?;
    Ok(removed)
}
