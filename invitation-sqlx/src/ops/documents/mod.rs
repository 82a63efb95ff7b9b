//! The documents of consumers of the feed.

mod read;
mod remove;
mod write;

pub(crate) use self::{
    read::{document, due_documents, list_documents},
    remove::remove_documents,
    write::{add_documents, replace_documents},
};

/// The maximum number of names in one statement.
const MAX_NAMES: usize = 500;
