//! Which errors of a host's own statement or commit are conflicts with concurrent work.

#![cfg(feature = "sqlite")]

use std::{borrow::Cow, error::Error as StdError, fmt, io};

use invitation_sqlx::{
    is_conflict,
    sqlx::{
        self, Sqlite,
        error::{DatabaseError, ErrorKind},
    },
};

/// An error that the database reported, with its result code.
#[derive(Debug)]
struct Reported(&'static str);

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Reported {}

impl DatabaseError for Reported {
    fn message(&self) -> &str {
        self.0
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.0.into())
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

#[test]
fn busy_database_is_a_conflict_and_a_broken_connection_is_not() {
    let reported = |code| sqlx::Error::Database(Box::new(Reported(code)));
    // BUSY, and BUSY_SNAPSHOT
    for code in ["5", "517"] {
        assert!(is_conflict::<Sqlite>(&reported(code)), "{code}");
    }
    // IOERR, and CONSTRAINT_UNIQUE
    for code in ["10", "2067"] {
        assert!(!is_conflict::<Sqlite>(&reported(code)), "{code}");
    }
    let broken = sqlx::Error::Io(io::ErrorKind::ConnectionReset.into());
    for error in [broken, sqlx::Error::PoolTimedOut, sqlx::Error::RowNotFound] {
        assert!(!is_conflict::<Sqlite>(&error), "{error}");
    }
}
