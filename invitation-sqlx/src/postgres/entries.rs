//! The redemptions that share a statement, as rows of that statement.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use invitation_core::{CodeDigest, EmailKey, PlainRedemption, Transition};

use crate::{
    effects::{self, Columns, Use},
    ops::redeem::is_compatible,
    values::{InputRow, Value},
};

/// A redemption of a batch, with one of the digests that its code may have.
pub(super) struct BatchEntry<'a> {
    /// The entry's index among the rows of the statement.
    ordinal: i64,
    /// The caller's index among the transitions.
    pub(super) caller: usize,
    pub(super) transition: &'a Transition,
    plain: PlainRedemption<'a>,
    pub(super) digest: &'a CodeDigest,
    /// 1-based position among the entries for the same code.
    pub(super) position: u32,
    /// The number of entries for the same code.
    pub(super) group_size: u32,
}

/// Returns the entries that can share a statement with the first transition, in the order of
/// their digests. The order prevents deadlocks: all statements lock rows in the same order.
pub(super) fn by_digest<'a>(transitions: &[&'a Transition]) -> Vec<BatchEntry<'a>> {
    let Some(first) = transitions.first() else { return Vec::new() };
    let mut seen = HashSet::new();
    let mut entries = Vec::with_capacity(transitions.len());
    for (caller, transition) in transitions.iter().enumerate() {
        let Some(plain) = transition.as_plain_redemption() else { continue };
        // The general path handles a second try by the same user.
        let is_first = seen.insert((plain.code, plain.user));
        if is_first && is_compatible(first, transition) {
            entries.extend(plain.code.iter().map(|digest| BatchEntry {
                ordinal: 0,
                caller,
                transition,
                plain,
                digest,
                position: 0,
                group_size: 0,
            }));
        }
    }
    entries.sort_by_key(|entry| entry.digest.as_bytes());
    assign_positions(&mut entries);
    entries
}

/// Assigns the entries their ordinals, their positions and the sizes of their groups.
fn assign_positions(entries: &mut [BatchEntry<'_>]) {
    let mut sizes: HashMap<&CodeDigest, u32> = HashMap::new();
    for (ordinal, entry) in (0..).zip(entries.iter_mut()) {
        let size = sizes.entry(entry.digest).or_default();
        *size += 1;
        (entry.ordinal, entry.position) = (ordinal, *size);
    }
    for entry in entries {
        entry.group_size = sizes.get(entry.digest).copied().unwrap_or_default();
    }
}

/// The columns of an entry, in the order in which they are written. They begin with those of
/// [`effects::ROW`], which have the names that an event or an invitation has too.
pub(super) static ENTRY: Columns = Columns::new(|| {
    format!("{}, ordinal, digest, position, group_size, terms, email_key", effects::ROW)
});

impl InputRow for BatchEntry<'_> {
    fn values(&self) -> Vec<Value<'_>> {
        let PlainRedemption { username, address, context, .. } = self.plain;
        // No term contains a space.
        let terms = username.search_terms().join(" ");
        let mut values = Use::plain(&self.plain).row(context);
        values.extend([
            Value::int(self.ordinal),
            Value::blob(self.digest.as_bytes().as_slice()),
            Value::int(i64::from(self.position)),
            Value::int(i64::from(self.group_size)),
            Value::Text((!terms.is_empty()).then_some(Cow::Owned(terms))),
            Value::text(address.map(EmailKey::as_str)),
        ]);
        values
    }
}
