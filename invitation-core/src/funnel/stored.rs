//! Journeys and numbers as documents.

use serde::{Serialize, de::DeserializeOwned};

use super::FunnelFigures;
use crate::{
    documents::{Document, DocumentKey},
    store_error::{StoreError, StoreErrorKind},
    text::Division,
    time::Timestamp,
};

/// Reads the body of a document; the default of a document that is not stored.
pub(super) fn read<T: DeserializeOwned + Default>(
    stored: Option<&Document>,
) -> Result<T, StoreError> {
    stored.map_or_else(
        || Ok(T::default()),
        |stored| serde_json::from_slice(&stored.body).map_err(corrupt),
    )
}

/// Reads the numbers of a funnel; zeros if nothing was counted for it.
pub(crate) fn read_figures(stored: Option<&Document>) -> Result<FunnelFigures, StoreError> {
    read(stored)
}

/// Returns the version after the stored one, with this body.
pub(super) fn next<T: Serialize>(
    stored: Option<&Document>,
    key: DocumentKey,
    generation: u64,
    division: Option<&Division>,
    at: Timestamp,
    body: &T,
) -> Result<Document, StoreError> {
    let state = super::keys::state(generation);
    let document = match stored {
        Some(stored) => stored.next(state),
        None => Document { division: division.cloned(), ..Document::new(key, state, at) },
    };
    document.with_body(serde_json::to_vec(body).map_err(corrupt)?).map_err(corrupt)
}

pub(crate) fn corrupt(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "funnel").because(error)
}
