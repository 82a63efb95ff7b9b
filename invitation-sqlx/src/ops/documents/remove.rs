//! Removal of documents with which nothing is left to do.

use std::num::NonZeroU32;

use invitation_core::{
    StoreError, Timestamp,
    documents::{Document, DocumentKind, DocumentState, RemovalEvidence},
};

use super::MAX_NAMES;
use crate::{
    dialect::Dialect,
    error::{commit_error, store_error},
    list::Index,
    names::Names,
    ops::{Begin, Step, apply},
    render, row,
    statement::Statement,
};

/// Removes the oldest documents of a kind and state that are not due, and writes the event of the
/// removal. Returns how many.
pub(crate) async fn remove_documents<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    (kind, state): (&DocumentKind, &DocumentState),
    before: Timestamp,
    limit: NonZeroU32,
    evidence: Option<&RemovalEvidence>,
) -> Result<u32, StoreError> {
    let failed = |error| store_error::<DB>("remove_documents", error);
    let mut step = Step::<DB>::begin(conn, Begin::Own).await.map_err(failed)?;
    let mut s = Statement::<DB>::new("SELECT i.name FROM ");
    render::by_index(&mut s, names, Index::DocumentsState);
    s.sql(" WHERE i.kind = ").text(kind.as_str()).sql(" AND i.state = ").text(state.as_str());
    s.sql(" AND i.at < ").int(before.as_micros()).sql(" AND i.due IS NULL");
    s.sql(" ORDER BY i.at, i.name");
    render::at_most(&mut s, Document::bounded(limit));
    // A document that another call is changing is waited for, and stays if it has become due.
    s.sql(DB::FOR_UPDATE);
    let found = s.all(step.conn()).await.map_err(failed)?;
    let found = found.iter().map(row::document_name::<DB>).collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() {
        step.rollback().await.map_err(failed)?;
        return Ok(0);
    }
    let mut removed = 0;
    for found in found.chunks(MAX_NAMES) {
        let delete = format!("DELETE FROM {} WHERE kind = ", names.documents);
        let mut s = Statement::<DB>::new(delete);
        s.one_off();
        s.text(kind.as_str()).sql(" AND name IN ").list(found, |s, name| {
            s.text(name.as_str());
        });
        removed += s.run(step.conn()).await.map_err(failed)?;
    }
    let removed = u32::try_from(removed).unwrap_or(u32::MAX);
    if let Some(evidence) = evidence {
        let is_new = apply::write_event::<DB>(step.conn(), names, &evidence.of(removed)).await;
        if !is_new.map_err(failed)? {
            // The same call was made before.
            step.rollback().await.map_err(failed)?;
            return Ok(0);
        }
    }
    step.commit().await.map_err(|error| commit_error::<DB>("remove_documents", error))?;
    Ok(removed)
}
