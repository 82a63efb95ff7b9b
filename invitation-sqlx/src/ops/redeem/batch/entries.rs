//! Who shares a statement, and what each of them brings along.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use invitation_core::{CodeDigest, CorrelationId, EmailKey, PlainRedemption, Source, Transition};

use crate::values::{Record, Values};

/// A caller and one of the digests that its code may have.
pub(super) struct BatchEntry<'a> {
    /// Its slot among the rows of the statement.
    ordinal: i64,
    /// Whose slot among the transitions it is.
    pub(super) caller: usize,
    pub(super) transition: &'a Transition,
    plain: PlainRedemption<'a>,
    digest: &'a CodeDigest,
    /// The how-manieth of those who want the same it is, from 1 on.
    pub(super) position: u32,
    /// How many those are.
    pub(super) group_size: u32,
}

/// Whoever can share the first one's statement, by the digests that they want: then all
/// statements change rows in the same order, and none waits for one that waits for it.
pub(super) fn by_digest<'a>(transitions: &[&'a Transition]) -> Vec<BatchEntry<'a>> {
    let Some(first) = transitions.first() else { return Vec::new() };
    let mut seen = HashSet::new();
    let mut entries = Vec::with_capacity(transitions.len());
    for (caller, transition) in transitions.iter().enumerate() {
        let Some(plain) = transition.as_plain_redemption() else { continue };
        // A second try by the same person is for the general way.
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

/// The places of those who can share the first one's change of the first one's code.
pub(super) fn same_code(transitions: &[&Transition]) -> Vec<usize> {
    let Some(first) = transitions.first() else { return Vec::new() };
    let mut seen = HashSet::new();
    let shares = |one: &Transition| one.target() == first.target() && is_compatible(first, one);
    let callers = transitions.iter().enumerate();
    // A second try by the same person is for the general way.
    let callers = callers.filter(|(_, one)| shares(one) && seen.insert(one.redeemer()));
    callers.map(|(caller, _)| caller).collect()
}

/// Gives them their `max_batch_size`, and those who want the same their numbers.
pub(super) fn assign_positions(entries: &mut [BatchEntry<'_>]) {
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

/// Whether the same statement serves both, but for the values in their rows.
fn is_compatible(a: &Transition, b: &Transition) -> bool {
    let grantable = |one: &Transition| Some(Arc::clone(one.as_plain_redemption()?.grantable));
    let pairs = grantable(a);
    a.scope() == b.scope() && pairs.is_some() && pairs == grantable(b)
}

/// The columns of an entry, in the order in which it is written. Those that its event and
/// its invitation have too are called as they are there.
pub(super) const ENTRY: &str = "ordinal, digest, position, group_size, used_id, used_by, used_name, used_at, \
     terms, email_key, email_domain, correlation, source";

impl Record for BatchEntry<'_> {
    fn write(&self, v: &mut impl Values) {
        let PlainRedemption { id, user, username, at, address, context, .. } = self.plain;
        v.int(self.ordinal);
        v.blob(self.digest.as_bytes().as_slice());
        v.int(i64::from(self.position));
        v.int(i64::from(self.group_size));
        v.blob(id.as_bytes().as_slice());
        v.text(user.as_str());
        v.text(username.as_str());
        v.int(at.as_micros());
        // Those of the last one for a code are looked for. No term has a space in it.
        let is_last = self.position == self.group_size;
        let terms = is_last.then(|| username.search_terms().join(" "));
        v.text(terms.as_deref().filter(|terms| !terms.is_empty()));
        v.text(address.map(EmailKey::as_str));
        v.text(address.map(EmailKey::domain));
        v.text(context.correlation.as_ref().map(CorrelationId::as_str));
        v.text(context.source.as_ref().map(Source::as_str));
    }
}
