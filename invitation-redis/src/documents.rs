//! The documents of a namespace.

use std::num::NonZeroU32;

use async_trait::async_trait;
use invitation_core::{
    Division, Event, InvitationId, PageRequest, Scope, StoreError, StorePage, Timestamp,
    documents::{
        Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState,
        Documents, RemovalEvidence,
    },
};
use redis::Value;

use crate::{
    calls::{Answer, array},
    plan::{Range, named},
    record::{self, corrupt_entry},
    script::{ADD_DOCUMENTS, DOCUMENT, LIST_DOCUMENTS, REMOVE_DOCUMENTS, REPLACE_DOCUMENTS},
    store::{RedisStore, touch},
    wire::{Fields, Packed, after, time},
};

type Result<T> = std::result::Result<T, StoreError>;

/// The maximum number of documents that one script removes.
const MAX_REMOVED: u32 = 500;

#[async_trait]
impl Documents for RedisStore {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>> {
        let arguments = key_arguments(key);
        let answer = self.calls.read("document", &DOCUMENT, &arguments).await?;
        match array("document", answer)?.as_slice() {
            [Value::BulkString(record)] => read_document(key.clone(), record).map(Some),
            [Value::Nil] | [] => Ok(None),
            _ => Err(corrupt_entry("document")),
        }
    }

    async fn add_documents(&self, documents: &[Document]) -> Result<()> {
        Document::check_call("add_documents", documents, &[])?;
        if documents.is_empty() {
            return Ok(());
        }
        let mut arguments = Vec::with_capacity(1 + 3 * documents.len());
        arguments.push(touch(&self.calls));
        for document in documents {
            arguments.extend(key_arguments(&document.key));
            arguments.push(write_document(document));
        }
        let answer = self.calls.write("add_documents", &ADD_DOCUMENTS, &arguments).await?;
        let answer = Answer::of("add_documents", answer)?;
        if answer.word() == b"stored" { Ok(()) } else { Err(answer.odd()) }
    }

    async fn replace_documents(&self, documents: &[Document], events: &[Event]) -> Result<bool> {
        Document::check_call("replace_documents", documents, events)?;
        if !Document::have_distinct_keys(documents) {
            return Ok(false);
        }
        let mut arguments = Vec::with_capacity(2 + 4 * documents.len() + 2 * events.len());
        arguments.extend([touch(&self.calls), documents.len().to_string().into_bytes()]);
        for document in documents {
            arguments.extend(key_arguments(&document.key));
            // Nothing is before version 0, and no stored version is empty.
            let before = document.version.checked_sub(1).map(u64::to_be_bytes);
            arguments.push(before.map_or_else(Vec::new, Vec::from));
            arguments.push(write_document(document));
        }
        for event in events {
            arguments.extend([event.id.as_bytes().to_vec(), record::write_event(event)]);
        }
        let answer = self.calls.write("replace_documents", &REPLACE_DOCUMENTS, &arguments).await?;
        let answer = Answer::of("replace_documents", answer)?;
        match answer.word() {
            b"replaced" => Ok(true),
            b"kept" => Ok(false),
            _ => Err(answer.odd()),
        }
    }

    async fn due_documents(
        &self,
        kind: &DocumentKind,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Document>> {
        let due = Range::of(&named(b"d", kind.as_str())).before(Some(after(now).as_slice()));
        let limit = Document::bounded(limit);
        self.documents_within("due_documents", kind, &due, "forwards", limit).await
    }

    async fn list_documents(
        &self,
        scope: &Scope,
        filter: &DocumentFilter,
        page: &PageRequest<DocumentName>,
    ) -> Result<StorePage<Document, DocumentName>> {
        let (range, is_exact) = candidates(scope, filter);
        let max = DocumentFilter::candidates(page.limit, is_exact);
        let place = page
            .after
            .as_ref()
            .map(|after| [time(after.at).as_slice(), after.id.as_str().as_bytes()].concat());
        let range = range.before(place.as_deref());
        let (kind, one_more) = (&filter.kind, max.saturating_add(1));
        let found =
            self.documents_within("list_documents", kind, &range, "backwards", one_more).await?;
        Ok(filter.page(scope, found, max, page.limit))
    }

    async fn remove_documents(
        &self,
        kind: &DocumentKind,
        state: &DocumentState,
        before: Timestamp,
        limit: NonZeroU32,
        evidence: Option<&RemovalEvidence>,
    ) -> Result<u32> {
        let of_kind = named(b"r", kind.as_str());
        let Range { min, max, skip } =
            Range::of(&named(&of_kind, state.as_str())).before(Some(time(before).as_slice()));
        let limit = Document::bounded(limit).min(MAX_REMOVED);
        let kind = kind.as_str().as_bytes().to_vec();
        let [limit, skip] = [limit.to_string(), skip.to_string()].map(String::into_bytes);
        let evidence = evidence.map_or_else(Vec::new, write_evidence);
        let arguments = [touch(&self.calls), kind, limit, min, max, skip, evidence];
        let answer = self.calls.write("remove_documents", &REMOVE_DOCUMENTS, &arguments).await?;
        let mut answer = Answer::of("remove_documents", answer)?;
        match answer.word() {
            b"removed" => u32::try_from(answer.number()?).map_err(|_| answer.odd()),
            _ => Err(answer.odd()),
        }
    }
}

impl RedisStore {
    /// Reads the documents of a range of the index.
    async fn documents_within(
        &self,
        operation: &'static str,
        kind: &DocumentKind,
        range: &Range,
        direction: &str,
        max: u32,
    ) -> Result<Vec<Document>> {
        let [max, skip] = [max.to_string(), range.skip.to_string()].map(String::into_bytes);
        let kind_bytes = kind.as_str().as_bytes().to_vec();
        let (first, last) = (range.min.clone(), range.max.clone());
        let arguments = [direction.into(), max, first, last, skip, kind_bytes];
        let answer = self.calls.read(operation, &LIST_DOCUMENTS, &arguments).await?;
        let document = |pair: &[Value]| {
            // A script removes an entry together with its record, so both are there or neither.
            let [Value::BulkString(name), Value::BulkString(record)] = pair else {
                return Err(corrupt_entry("document"));
            };
            let name = str::from_utf8(name).map_err(|_| corrupt_entry("document"))?;
            let name = DocumentName::from_stored(name);
            read_document(DocumentKey { kind: kind.clone(), name }, record)
        };
        array(operation, answer)?.chunks(2).map(document).collect()
    }
}

/// Returns the range of the index with the candidates of a list, and whether all of them match.
///
/// The state comes before the division: few documents are in a state that someone looks for, such
/// as failed deliveries.
fn candidates(scope: &Scope, filter: &DocumentFilter) -> (Range, bool) {
    let of_kind = |letter: &[u8]| named(letter, filter.kind.as_str());
    let is_everywhere = *scope == Scope::All;
    let (prefix, is_exact) = match (&filter.invitation, &filter.state, scope) {
        (Some(id), state, _) => {
            let prefix = [of_kind(b"i").as_slice(), id.as_bytes()].concat();
            (prefix, is_everywhere && state.is_none())
        }
        (None, Some(state), _) => (named(&of_kind(b"s"), state.as_str()), is_everywhere),
        (None, None, Scope::All) => (of_kind(b"n"), true),
        (None, None, Scope::Division(division)) => (named(&of_kind(b"v"), division.as_str()), true),
    };
    (Range::of(&prefix), is_exact)
}

fn key_arguments(key: &DocumentKey) -> [Vec<u8>; 2] {
    [key.kind.as_str(), key.name.as_str()].map(|text| text.as_bytes().to_vec())
}

/// Writes a document without its key. `lua/documents_shared.lua` names the fields.
fn write_document(document: &Document) -> Vec<u8> {
    let Document { key: _, version, division, invitation, state, at, due, body } = document;
    let mut p = Packed::array(7);
    p.bytes(&version.to_be_bytes())
        .opt_text(division.as_ref().map(Division::as_str))
        .opt_bytes(invitation.as_ref().map(|id| id.as_bytes().as_slice()))
        .text(state.as_str())
        .time(*at)
        .opt_time(*due)
        .bytes(body);
    p.done()
}

/// Writes the event of a removal, with its detail around the number of removed documents: only the
/// script learns that number.
fn write_evidence(evidence: &RemovalEvidence) -> Vec<u8> {
    let detail = evidence.template();
    let mut p = Packed::array(4);
    record::pack_event(p.bytes(evidence.event.id.as_bytes()), &evidence.event);
    p.text(detail.before()).text(detail.after());
    p.done()
}

fn read_document(key: DocumentKey, record: &[u8]) -> Result<Document> {
    let mut f = Fields::of(record, "document", 7)?;
    Ok(Document {
        key,
        version: u64::from_be_bytes(f.array("version")?),
        division: f.opt_stored("division", Division::from_stored)?,
        invitation: f.opt("invitation", Fields::array)?.map(InvitationId::from_bytes),
        state: f.stored("state", DocumentState::from_stored)?,
        at: f.time("at")?,
        due: f.opt("due", Fields::time)?,
        body: f.bytes("body")?.to_vec(),
    })
}
