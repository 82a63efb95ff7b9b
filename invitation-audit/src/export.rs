//! The export of a log as JSON Lines.

use std::io::Write;

use crate::{
    log::{LogError, LogOffset, LogStore},
    verify::PAGE,
};

/// Writes a log as JSON Lines: the form that [`verify_lines`](crate::verify_lines) and the
/// example `verify_log` verify. Reads the log once, in pages.
///
/// # Errors
///
/// [`LogError`] when the log cannot be read or the writer fails.
pub async fn export<L: LogStore>(log: L, mut to: impl Write + Send) -> Result<(), LogError> {
    let mut from = LogOffset::default();
    loop {
        let page = log.read(from, PAGE).await?;
        if page.records.is_empty() {
            return to.flush().map_err(LogError::other);
        }
        for record in &page.records {
            to.write_all(record.to_line()?.as_bytes()).map_err(LogError::other)?;
        }
        from = page.next;
    }
}
