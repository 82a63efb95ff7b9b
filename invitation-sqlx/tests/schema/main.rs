//! Migrations on each database: they run once under concurrent starts, beside the host's own,
//! and while an older version of the library is at work.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod promises;
#[cfg(feature = "sqlite")]
mod sqlite;
mod upgrades;

#[path = "../support/mod.rs"]
mod support;

use invitation_sqlx::TablePrefix;

#[test]
fn a_prefix_is_a_plain_identifier() {
    for text in ["a", "_x", "inv_2_", &"a".repeat(TablePrefix::MAX_BYTES)] {
        assert!(TablePrefix::new(text).is_ok(), "{text}");
    }
    let long = "a".repeat(TablePrefix::MAX_BYTES + 1);
    for text in ["", "1a", "A", "a-b", "a b", "a;", "a\"", "é", "{prefix}", &long] {
        assert!(TablePrefix::new(text).is_err(), "{text}");
    }
}
