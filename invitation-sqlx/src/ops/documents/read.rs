//! Queries for documents, each one statement.

use std::num::NonZeroU32;

use invitation_core::{
    PageRequest, Position, Scope, StoreError, StorePage, Timestamp,
    documents::{Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName},
};

use crate::{dialect::Dialect, list::Index, ops::Session, render, row, statement::Statement};

pub(crate) async fn document<DB: Dialect>(
    on: &mut Session<'_, DB>,
    key: &DocumentKey,
) -> Result<Option<Document>, StoreError> {
    let mut s = Statement::new(format!("SELECT {} FROM {}", row::DOCUMENT, on.names.documents));
    s.sql(" WHERE kind = ").text(key.kind.as_str()).sql(" AND name = ").text(key.name.as_str());
    s.first(on, row::document).await
}

pub(crate) async fn due_documents<DB: Dialect>(
    on: &mut Session<'_, DB>,
    kind: &DocumentKind,
    now: Timestamp,
    limit: NonZeroU32,
) -> Result<Vec<Document>, StoreError> {
    let mut s = Statement::new(format!("SELECT {} FROM ", row::DOCUMENT));
    render::by_index(&mut s, on.names, Index::DocumentsDue);
    s.sql(" WHERE i.kind = ").text(kind.as_str()).sql(" AND i.due <= ").int(now.as_micros());
    s.sql(" ORDER BY i.due, i.name");
    render::at_most(&mut s, Document::bounded(limit));
    s.all(on, row::document).await
}

/// Reads the candidates of an index in the order of the list. The bodies of those that the list
/// does not show are not read.
pub(crate) async fn list_documents<DB: Dialect>(
    on: &mut Session<'_, DB>,
    scope: &Scope,
    filter: &DocumentFilter,
    page: &PageRequest<DocumentName>,
) -> Result<StorePage<Document, DocumentName>, StoreError> {
    let (index, is_exact) = index(scope, filter);
    let max = DocumentFilter::candidates(page.limit, is_exact);
    let mut s = Statement::new(format!("SELECT {}, CASE WHEN 1 = 1", row::DOCUMENT_HEAD));
    restrict(&mut s, scope, filter, |column| !index.columns().contains(&column));
    s.sql(" THEN i.body END FROM ");
    render::by_index(&mut s, on.names, index);
    s.sql(" WHERE i.kind = ").text(filter.kind.as_str());
    restrict(&mut s, scope, filter, |column| index.columns().contains(&column));
    if let Some(Position { at, id }) = &page.after {
        // MySQL and MariaDB find the beginning in an index by the first comparison only.
        s.sql(" AND i.at <= ").int(at.as_micros());
        s.sql(" AND (i.at, i.name) < (").int(at.as_micros());
        s.sql(", ").text(id.as_str()).sql(")");
    }
    s.sql(" ORDER BY i.at DESC, i.name DESC");
    render::at_most(&mut s, max.saturating_add(1));
    let candidates = s.all(on, |c| row::listed_document(c, scope, filter)).await?;
    Ok(filter.page(scope, candidates, max, page.limit))
}

/// Returns the index whose entries are the candidates of a list, and whether all of them match.
///
/// The state comes before the division: few documents are in a state that someone looks for, such
/// as failed deliveries.
fn index(scope: &Scope, filter: &DocumentFilter) -> (Index, bool) {
    let is_everywhere = *scope == Scope::All;
    match (&filter.invitation, &filter.state) {
        (Some(_), state) => (Index::DocumentsInvitation, is_everywhere && state.is_none()),
        (None, Some(_)) => (Index::DocumentsState, is_everywhere),
        (None, None) if is_everywhere => (Index::DocumentsNewest, true),
        (None, None) => (Index::DocumentsDivision, true),
    }
}

/// Writes the conditions of the scope and the filter on some of the columns.
fn restrict<DB: Dialect>(
    s: &mut Statement<DB>,
    scope: &Scope,
    filter: &DocumentFilter,
    is_wanted: impl Fn(&str) -> bool,
) {
    if let Some(id) = filter.invitation.filter(|_| is_wanted("invitation")) {
        s.sql(" AND i.invitation = ").blob(id.as_bytes());
    }
    if let Some(state) = filter.state.as_ref().filter(|_| is_wanted("state")) {
        s.sql(" AND i.state = ").text(state.as_str());
    }
    if is_wanted("division") {
        render::scope(s, scope);
    }
}
