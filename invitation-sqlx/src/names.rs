//! The names of the tables.

use std::{error::Error as StdError, fmt, sync::Arc};

use crate::list::Index;

/// The prefix of the names of the store's tables, `invitation_` by default.
///
/// ```
/// use invitation_sqlx::TablePrefix;
///
/// assert_eq!(TablePrefix::default().as_str(), "invitation_");
/// assert!(TablePrefix::new("acme_inv_").is_ok());
/// assert!(TablePrefix::new("acme; DROP").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TablePrefix(Arc<str>);

impl TablePrefix {
    /// The maximum length of a prefix in bytes. It leaves room for the rest of a name within
    /// PostgreSQL's 63 bytes.
    pub const MAX_BYTES: usize = 31;

    /// Creates a prefix.
    ///
    /// # Errors
    ///
    /// [`InvalidPrefix`] unless it is 1 to [`MAX_BYTES`](Self::MAX_BYTES) of `a`–`z`, `0`–`9` and
    /// `_`, not beginning with a digit.
    pub fn new(prefix: &str) -> Result<Self, InvalidPrefix> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let begins_well = prefix.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        if begins_well && prefix.len() <= Self::MAX_BYTES && prefix.bytes().all(allowed) {
            Ok(Self(Arc::from(prefix)))
        } else {
            Err(InvalidPrefix(()))
        }
    }

    /// Returns the prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TablePrefix {
    fn default() -> Self {
        Self(Arc::from("invitation_"))
    }
}

/// The error of a text that is no [`TablePrefix`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidPrefix(());

impl fmt::Display for InvalidPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a table prefix must be 1 to {} of a-z, 0-9 and _, not beginning with a digit",
            TablePrefix::MAX_BYTES
        )
    }
}

impl StdError for InvalidPrefix {}

/// The ends of the names of all tables, behind the prefix.
///
/// MySQL's `feed` is missing: a statement reads it only after `events`, which the same migration
/// creates. A host may well have a table of such a name, for instance `news_feed`.
const TABLES: [&str; 11] = [
    "codes",
    "redemptions",
    "leases",
    "requests",
    "quotas",
    "states",
    "search_terms",
    "events",
    "cursors",
    "documents",
    "migrations",
];

/// Whether a database's message about a missing table names a table of a store. A trigger of
/// the host may miss a table of the host's own, which `migrate` does not create.
pub(crate) fn names_a_table(message: &str) -> bool {
    message
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .any(|name| TABLES.iter().any(|table| name.len() > table.len() && name.ends_with(table)))
}

/// The full names of the tables, built once for each store.
#[derive(Clone, Debug)]
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub struct Names {
    prefix: TablePrefix,
    pub(crate) invitations: Arc<str>,
    pub(crate) redemptions: Arc<str>,
    pub(crate) leases: Arc<str>,
    pub(crate) requests: Arc<str>,
    pub(crate) quotas: Arc<str>,
    pub(crate) states: Arc<str>,
    pub(crate) search_terms: Arc<str>,
    pub(crate) events: Arc<str>,
    pub(crate) cursors: Arc<str>,
    pub(crate) documents: Arc<str>,
}

impl Names {
    pub(crate) fn new(prefix: TablePrefix) -> Self {
        let name = |table: &str| Arc::from(format!("{}{table}", prefix.as_str()));
        Self {
            invitations: name("codes"),
            redemptions: name("redemptions"),
            leases: name("leases"),
            requests: name("requests"),
            quotas: name("quotas"),
            states: name("states"),
            search_terms: name("search_terms"),
            events: name("events"),
            cursors: name("cursors"),
            documents: name("documents"),
            prefix,
        }
    }

    pub(crate) fn prefix(&self) -> &str {
        self.prefix.as_str()
    }

    /// Returns the full name of an index.
    pub(crate) fn index(&self, index: Index) -> String {
        let prefix = if index.is_key() { "" } else { self.prefix() };
        format!("{prefix}{}", index.name())
    }

    pub(crate) fn migrations(&self) -> String {
        format!("{}migrations", self.prefix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_about_a_table_of_a_store_is_told_from_one_about_a_hosts_table() {
        for (message, expected) in [
            ("relation \"invitation_codes\" does not exist", true),
            ("Relation »a_events« existiert nicht", true),
            ("Table 'shop.acme_search_terms' doesn't exist", true),
            ("no such table: main.invitation_migrations", true),
            ("relation \"users\" does not exist", false),
            ("Table 'shop.news_feed' doesn't exist", false),
            ("no such table: codes", false),
            ("missing FROM-clause entry for table \"i\"", false),
            ("", false),
        ] {
            assert_eq!(names_a_table(message), expected, "{message}");
        }
    }

    #[test]
    fn every_table_of_a_store_is_known() {
        let Names {
            prefix: _,
            invitations,
            redemptions,
            leases,
            requests,
            quotas,
            states,
            search_terms,
            events,
            cursors,
            documents,
        } = Names::new(TablePrefix::default());
        let names = [
            invitations,
            redemptions,
            leases,
            requests,
            quotas,
            states,
            search_terms,
            events,
            cursors,
            documents,
        ];
        assert!(names.iter().all(|name| names_a_table(name)));
        assert_eq!(names.len() + 1, TABLES.len(), "the migrations");
    }
}
