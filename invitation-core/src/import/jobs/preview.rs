//! The first rows of an import, before it is started.

use std::num::NonZeroU32;

use super::{
    ImportError, ImportJob, Imports, ResultRow, SpoolFile,
    part::{NO_ROWS, PartReader},
    results,
};
use crate::{
    actor::Actor,
    service::{Invitations, PartRow, PartedImport},
    store::Store,
};

/// What would become of the first rows of an import.
#[derive(Debug)]
#[non_exhaustive]
pub struct ImportPreview {
    /// The outcome that each row would have.
    pub rows: Vec<ResultRow>,
    /// The reason why the file cannot be read behind these rows, if it cannot, or that the file has
    /// no rows.
    pub reason: Option<String>,
    /// Whether the file has more rows.
    pub has_more: bool,
}

impl ImportPreview {
    pub(super) async fn of<S: Store>(
        imports: &Imports,
        invitations: &Invitations<S>,
        actor: &Actor,
        job: &ImportJob,
        max_rows: NonZeroU32,
    ) -> Result<Self, ImportError> {
        let (order, file) = (job.order(), SpoolFile::rows(job.kept.file));
        let max_rows = max_rows.min(invitations.limits().batch());
        let mut reader = PartReader::new(&*imports.spool, file, order.format, max_rows.get());
        let Some(mut part) = reader.next().await? else {
            let reason = Some(NO_ROWS.to_owned());
            return Ok(Self { rows: Vec::new(), reason, has_more: false });
        };
        let reason = part.error.as_ref().map(ToString::to_string);
        if part.rows.is_empty() {
            return Ok(Self { rows: Vec::new(), reason, has_more: false });
        }
        let mut import = PartedImport::new(job.id())
            .with_duplicates(order.duplicates)
            .expecting_addresses(reader.reader().expects_addresses());
        let rows = std::mem::take(&mut part.rows);
        let checked = invitations.rehearse_part(actor, &mut import, rows).await?;
        let checked: Vec<_> = checked.into_iter().map(PartRow::from).collect();
        let rows = results::preview(&part.places, &checked, reader.reader());
        let has_more = reason.is_none() && reader.next().await?.is_some();
        Ok(Self { rows, reason, has_more })
    }
}
