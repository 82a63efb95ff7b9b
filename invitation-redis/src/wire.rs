//! `MessagePack` as the scripts read and write it: arrays of texts, numbers and `false`.
//!
//! Lua has one string type, so bytes are written as texts too. An absent value is `false`,
//! because a Lua array ends at its first `nil`.

use invitation_core::{StoreError, StoreErrorKind, Timestamp};
use rmp::{Marker, decode, encode};

/// A value that this library does not write.
#[derive(Debug, thiserror::Error)]
#[error("the field {field} of a stored {record} cannot be understood")]
pub(crate) struct Unreadable {
    record: &'static str,
    field: &'static str,
}

/// A writer of successive values.
#[derive(Debug, Default)]
pub(crate) struct Packed(Vec<u8>);

impl Packed {
    /// Starts with an array of `len` values.
    pub(crate) fn array(len: usize) -> Self {
        let mut packed = Self(Vec::with_capacity(256));
        packed.begin(len);
        packed
    }

    /// Begins a nested array of `len` values, which the caller writes next.
    pub(crate) fn begin(&mut self, len: usize) -> &mut Self {
        // No array here comes near the bound, and writing to memory does not fail.
        let _ = encode::write_array_len(&mut self.0, u32::try_from(len).unwrap_or(u32::MAX));
        self
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let _ = encode::write_str_len(&mut self.0, len);
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends values that are packed already.
    pub(crate) fn append(&mut self, packed: &[u8]) -> &mut Self {
        self.0.extend_from_slice(packed);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn flag(&mut self, flag: bool) -> &mut Self {
        let _ = encode::write_bool(&mut self.0, flag);
        self
    }

    pub(crate) fn none(&mut self) -> &mut Self {
        self.flag(false)
    }

    pub(crate) fn opt_bytes(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            Some(bytes) => self.bytes(bytes),
            None => self.none(),
        }
    }

    pub(crate) fn opt_text(&mut self, text: Option<&str>) -> &mut Self {
        self.opt_bytes(text.map(str::as_bytes))
    }

    pub(crate) fn int(&mut self, number: u32) -> &mut Self {
        let _ = encode::write_uint(&mut self.0, u64::from(number));
        self
    }

    pub(crate) fn time(&mut self, at: Timestamp) -> &mut Self {
        self.bytes(&time(at))
    }

    pub(crate) fn opt_time(&mut self, at: Option<Timestamp>) -> &mut Self {
        match at {
            Some(at) => self.time(at),
            None => self.none(),
        }
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }
}

const SIGN: u64 = 1 << 63;

/// Returns an instant as 8 bytes that sort like instants.
pub(crate) fn time(at: Timestamp) -> [u8; 8] {
    (at.as_micros().cast_unsigned() ^ SIGN).to_be_bytes()
}

/// Returns the next instant in the same form. It may be beyond the range of [`Timestamp`].
pub(crate) fn after(at: Timestamp) -> [u8; 8] {
    ((at.as_micros().cast_unsigned() ^ SIGN) + 1).to_be_bytes()
}

/// Reads an instant from its 8 bytes.
pub(crate) fn read_time(bytes: [u8; 8]) -> Option<Timestamp> {
    Timestamp::from_micros((u64::from_be_bytes(bytes) ^ SIGN).cast_signed())
}

type Result<T> = std::result::Result<T, StoreError>;

/// A reader of the values of an array, from its beginning.
#[derive(Debug)]
pub(crate) struct Fields<'b> {
    rest: &'b [u8],
    record: &'static str,
}

impl<'b> Fields<'b> {
    /// Opens an array of at least `len` values.
    pub(crate) fn of(bytes: &'b [u8], record: &'static str, len: u32) -> Result<Self> {
        let mut fields = Self { rest: bytes, record };
        if fields.begin("length")? < Some(len) {
            return Err(fields.corrupt("length"));
        }
        Ok(fields)
    }

    /// Reads the length of an array, whose values follow, or `None` if it is absent.
    pub(crate) fn begin(&mut self, field: &'static str) -> Result<Option<u32>> {
        if self.is_absent() {
            return Ok(None);
        }
        let len = decode::read_array_len(&mut self.rest);
        len.map(Some).map_err(|_| self.corrupt(field))
    }

    pub(crate) fn corrupt(&self, field: &'static str) -> StoreError {
        corrupt(self.record, field)
    }

    /// Skips a `false`, if it is next.
    fn is_absent(&mut self) -> bool {
        let absent = self.rest.first() == Some(&Marker::False.to_u8());
        if absent {
            self.rest = &self.rest[1..];
        }
        absent
    }

    pub(crate) fn bytes(&mut self, field: &'static str) -> Result<&'b [u8]> {
        let len = decode::read_str_len(&mut self.rest).map_err(|_| self.corrupt(field))?;
        let len = usize::try_from(len).map_err(|_| self.corrupt(field))?;
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.corrupt(field))?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn opt<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Result<T>,
    ) -> Result<Option<T>> {
        if self.is_absent() { Ok(None) } else { read(self, field).map(Some) }
    }

    pub(crate) fn text(&mut self, field: &'static str) -> Result<&'b str> {
        let bytes = self.bytes(field)?;
        std::str::from_utf8(bytes).map_err(|_| self.corrupt(field))
    }

    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N]> {
        self.bytes(field)?.try_into().map_err(|_| self.corrupt(field))
    }

    pub(crate) fn int(&mut self, field: &'static str) -> Result<u32> {
        decode::read_int(&mut self.rest).map_err(|_| self.corrupt(field))
    }

    pub(crate) fn time(&mut self, field: &'static str) -> Result<Timestamp> {
        read_time(self.array(field)?).ok_or_else(|| self.corrupt(field))
    }

    /// Reads a text that was validated when it was written.
    pub(crate) fn stored<T>(
        &mut self,
        field: &'static str,
        restore: impl FnOnce(&'b str) -> T,
    ) -> Result<T> {
        self.text(field).map(restore)
    }

    pub(crate) fn opt_stored<T>(
        &mut self,
        field: &'static str,
        restore: impl FnOnce(&'b str) -> T,
    ) -> Result<Option<T>> {
        self.opt(field, |fields, field| fields.stored(field, restore))
    }

    /// Reads a text and parses it with `parse`.
    pub(crate) fn word<T, E>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&'b str) -> std::result::Result<T, E>,
    ) -> Result<T> {
        parse(self.text(field)?).map_err(|_| self.corrupt(field))
    }

    pub(crate) fn opt_word<T, E>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&'b str) -> std::result::Result<T, E>,
    ) -> Result<Option<T>> {
        self.opt(field, |fields, field| fields.word(field, parse))
    }
}

/// Returns the error for a stored value that this library did not write.
pub(crate) fn corrupt(record: &'static str, field: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "read").because(Unreadable { record, field })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_order_as_their_bytes() {
        let times = [i64::from(i32::MIN), -1, 0, 1, 1_800_000_000_000_007];
        let mut times: Vec<_> = times.into_iter().filter_map(Timestamp::from_micros).collect();
        times.insert(0, Timestamp::MIN);
        times.push(Timestamp::MAX);
        assert!(times.is_sorted_by_key(|at| time(*at)));
        assert!(times.iter().all(|at| read_time(time(*at)) == Some(*at)));
        assert!(times.iter().all(|at| time(*at) < after(*at)));
        assert_eq!(read_time([0xff; 8]), None);
    }

    #[test]
    fn what_is_torn_is_an_error() {
        let mut packed = Packed::array(3);
        packed.text("anna").none().int(7);
        let whole = packed.done();
        let read = |bytes: &[u8]| -> Result<(String, Option<u32>, u32)> {
            let mut fields = Fields::of(bytes, "record", 3)?;
            let text = fields.text("a")?.to_owned();
            Ok((text, fields.opt("b", Fields::int)?, fields.int("c")?))
        };
        assert_eq!(read(&whole).ok(), Some(("anna".to_owned(), None, 7)));
        for end in 0..whole.len() {
            let error = read(&whole[..end]).err().map(|error| error.kind());
            assert_eq!(error, Some(StoreErrorKind::Corrupt), "{end} bytes");
        }
    }
}
