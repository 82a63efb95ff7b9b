//! The names of the tables.

use std::{error::Error as StdError, fmt, sync::Arc};

use crate::list::Index;

/// The prefix of the names of the store's tables, `invitation_` by default.
///
/// ```
/// # mod invitation { pub use invitation_sqlx as sql; }
/// use invitation::sql::TablePrefix;
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

/// Whether a database's message about a missing table names a table of a store. A trigger of
/// the host may miss a table of the host's own, which `migrate` does not create.
pub(crate) fn names_a_table(message: &str) -> bool {
    message
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .any(|name| TABLES.iter().any(|table| name.len() > table.len() && name.ends_with(table)))
}

/// Declares the tables of a store, each with the end of its name behind the prefix.
macro_rules! tables {
    ($($field:ident = $name:literal,)+) => {
        /// The ends of the names of all tables.
        const TABLES: &[&str] = &[$($name,)+ MIGRATIONS];

        /// The full names of the tables, built once for each store.
        #[derive(Clone, Debug)]
        #[expect(unnameable_types, reason = "a part of the sealed dialects")]
        pub struct Names {
            prefix: TablePrefix,
            $(pub(crate) $field: Arc<str>,)+
        }

        impl Names {
            pub(crate) fn new(prefix: TablePrefix) -> Self {
                $(let $field = format!("{}{}", prefix.as_str(), $name).into();)+
                Self { prefix, $($field,)+ }
            }
        }
    };
}

// MySQL's `feed` is missing: a statement reads it only after `events`, which the same migration
// creates. A host may well have a table of such a name, for instance `news_feed`.
tables! {
    invitations = "codes",
    redemptions = "redemptions",
    leases = "leases",
    requests = "requests",
    quotas = "quotas",
    states = "states",
    search_terms = "search_terms",
    events = "events",
    cursors = "cursors",
    documents = "documents",
    budgets = "budgets",
}

/// The end of the name of the table of migrations, which no query reads.
const MIGRATIONS: &str = "migrations";

impl Names {
    pub(crate) fn prefix(&self) -> &str {
        self.prefix.as_str()
    }

    /// Returns the full name of an index.
    pub(crate) fn index(&self, index: Index) -> String {
        let prefix = if index.is_key() { "" } else { self.prefix() };
        format!("{prefix}{}", index.name())
    }

    pub(crate) fn migrations(&self) -> String {
        format!("{}{MIGRATIONS}", self.prefix())
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
}
