//! Rows of documents.

use invitation_core::{
    Division, InvitationId, Scope, Timestamp,
    documents::{Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState},
};

use super::{ColumnReader, Result};
use crate::{
    dialect::Dialect,
    values::{InputRow, Value},
};

/// The columns of a document before its body.
pub(crate) const DOCUMENT_HEAD: &str = "kind, name, version, division, invitation, state, at, due";

/// The columns of a document, in the order in which [`document`] reads and [`InputRow`] writes
/// them.
pub(crate) const DOCUMENT: &str = "kind, name, version, division, invitation, state, at, due, body";

pub(crate) fn document<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Document> {
    let head = read_head(c)?;
    Ok(Document { body: c.blob("body")?, ..head })
}

/// Reads a candidate of a list. A candidate that the list does not show has no body.
pub(crate) fn listed_document<DB: Dialect>(
    c: &mut ColumnReader<'_, DB>,
    scope: &Scope,
    filter: &DocumentFilter,
) -> Result<Document> {
    let head = read_head(c)?;
    match c.opt_blob("body")? {
        Some(body) => Ok(Document { body, ..head }),
        None if head.is_within(scope) && filter.matches(&head) => Err(c.corrupt("body")),
        None => Ok(head),
    }
}

/// Reads the columns before the body. The body stays empty.
fn read_head<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<Document> {
    let kind = c.in_table("documents").text("kind").map(DocumentKind::from_stored)?;
    let name = c.text("name").map(DocumentName::from_stored)?;
    Ok(Document {
        key: DocumentKey { kind, name },
        version: c.count("version")?,
        division: c.opt_text("division")?.map(Division::from_stored),
        invitation: c.opt_bytes("invitation")?.map(InvitationId::from_bytes),
        state: c.text("state").map(DocumentState::from_stored)?,
        at: c.time("at")?,
        due: c.opt_time("due")?,
        body: Vec::new(),
    })
}

impl InputRow for Document {
    fn values(&self) -> Vec<Value<'_>> {
        let Self { key, version, division, invitation, state, at, due, body } = self;
        vec![
            Value::text(key.kind.as_str()),
            Value::text(key.name.as_str()),
            // `Document::check_call` refuses a greater version.
            Value::int(i64::try_from(*version).unwrap_or(i64::MAX)),
            Value::text(division.as_ref().map(Division::as_str)),
            Value::blob(invitation.as_ref().map(|id| id.as_bytes().as_slice())),
            Value::text(state.as_str()),
            Value::int(at.as_micros()),
            Value::int(due.map(Timestamp::as_micros)),
            Value::blob(body.as_slice()),
        ]
    }
}
