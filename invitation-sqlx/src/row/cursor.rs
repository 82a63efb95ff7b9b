//! Rows of cursors.

use invitation_core::{
    Timestamp,
    feed::{CursorHolder, CursorLease, CursorName, FeedCursor, FeedPosition},
};

use super::{ColumnReader, Result};
use crate::{
    dialect::Dialect,
    values::{InputRow, Value},
};

/// The columns of a cursor, in the order in which [`cursor`] reads and [`InputRow`] writes them.
pub(crate) const CURSOR: &str = "name, position, holder, held_until, claims, version";

pub(crate) fn cursor<DB: Dialect>(c: &mut ColumnReader<'_, DB>) -> Result<FeedCursor> {
    c.in_table("cursors");
    let name = CursorName::from_stored(c.text("name")?);
    let position = c.opt_bytes("position")?.map(FeedPosition::from_bytes);
    let lease = match (c.opt_text("holder")?, c.opt_time("held_until")?) {
        (None, None) => None,
        (Some(holder), Some(until)) => {
            Some(CursorLease { holder: CursorHolder::from_stored(holder), until })
        }
        _ => return Err(c.corrupt("holder")),
    };
    Ok(FeedCursor {
        name,
        position,
        lease,
        claims: c.count("claims")?,
        version: c.count("version")?,
    })
}

/// Returns a number of a cursor as its column has it. `replace_cursor` refuses a cursor with a
/// number beyond the column's range.
pub(crate) fn cursor_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl InputRow for FeedCursor {
    fn values(&self) -> Vec<Value<'_>> {
        let position = self.position.map(|position| position.to_bytes().to_vec());
        let lease = self.lease.as_ref();
        vec![
            Value::text(self.name.as_str()),
            Value::Blob(position.map(Into::into)),
            Value::text(lease.map(|lease| lease.holder.as_str())),
            Value::int(lease.map(|lease| lease.until).map(Timestamp::as_micros)),
            Value::int(cursor_number(self.claims)),
            Value::int(cursor_number(self.version)),
        ]
    }
}
