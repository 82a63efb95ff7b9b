//! Finding rows whose mailbox occurs twice, or is invited already.

use std::collections::{HashMap, hash_map::Entry};

use super::{RowWarning, parted::Earlier};
use crate::email::EmailKey;

/// The mailbox of a row.
pub(super) struct Mailbox {
    row: usize,
    address: Option<EmailKey>,
    is_for_anyone: bool,
    /// Whether the mailbox has an active invitation to the row's division.
    is_invited: bool,
}

impl Mailbox {
    pub(super) fn none(row: usize, is_for_anyone: bool) -> Self {
        Self { row, address: None, is_for_anyone, is_invited: false }
    }

    pub(super) fn of(row: usize, address: EmailKey, is_invited: bool) -> Self {
        Self { row, address: Some(address), is_for_anyone: false, is_invited }
    }
}

/// The warnings about a row, and whether it is a duplicate.
#[derive(PartialEq, Debug)]
pub(super) struct Found {
    pub(super) row: usize,
    pub(super) warnings: Vec<RowWarning>,
    pub(super) is_duplicate: bool,
}

/// Returns the warnings for these rows, in their order. A mailbox that occurs twice is a
/// duplicate from its second row on, even if the rows invite to different divisions.
/// So is one that an earlier part of the import has.
pub(super) fn find(
    rows: Vec<Mailbox>,
    expects_addresses: bool,
    earlier: &Earlier<'_>,
) -> Vec<Found> {
    let mut firsts = HashMap::new();
    let about = |Mailbox { row, address, is_for_anyone, is_invited }: Mailbox| {
        let mut warnings = Vec::new();
        if expects_addresses && is_for_anyone {
            warnings.push(RowWarning::WithoutAddress);
        }
        if let Some(address) = address {
            let is_earlier = earlier.have(&address);
            match firsts.entry(address) {
                Entry::Occupied(first) => {
                    warnings.push(RowWarning::Repeated { first: *first.get() });
                }
                Entry::Vacant(_) if is_earlier => warnings.push(RowWarning::RepeatedEarlier),
                Entry::Vacant(first) => {
                    first.insert(row);
                }
            }
        }
        let is_repeated = !warnings.is_empty() && !is_for_anyone;
        if is_invited {
            warnings.push(RowWarning::AlreadyInvited);
        }
        Found { row, warnings, is_duplicate: is_repeated || is_invited }
    };
    rows.into_iter().map(about).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::Email;

    fn address(text: &str) -> EmailKey {
        Email::parse(text).expect("an address").key().clone()
    }

    #[test]
    fn duplicates_are_found_by_mailbox_and_by_active_invitation() {
        use RowWarning::{AlreadyInvited, Repeated, WithoutAddress};
        let (anna, ben) = ("anna@example.com", "ben@example.com");
        let rows = || {
            vec![
                Mailbox::of(0, address(anna), false),
                Mailbox::none(1, true),
                Mailbox::of(3, address("ANNA@Example.COM"), false),
                Mailbox::of(4, address(ben), true),
                Mailbox::none(5, false),
                Mailbox::of(6, address(ben), true),
                Mailbox::of(7, address("anna+1@example.com"), false),
                Mailbox::none(8, true),
            ]
        };
        let expected = |expects: bool| {
            let without = if expects { vec![WithoutAddress] } else { vec![] };
            [
                (0, vec![], false),
                (1, without.clone(), false),
                (3, vec![Repeated { first: 0 }], true),
                (4, vec![AlreadyInvited], true),
                (5, vec![], false),
                (6, vec![Repeated { first: 4 }, AlreadyInvited], true),
                (7, vec![], false),
                (8, without, false),
            ]
            .map(|(row, warnings, is_duplicate)| Found { row, warnings, is_duplicate })
        };
        for expects in [false, true] {
            assert_eq!(find(rows(), expects, &Earlier::default()), expected(expects), "{expects}");
        }
    }
}
