//! The meaning of the server's error codes.

use invitation_core::StoreErrorKind;

use super::redeem::READ_ONLY;
use crate::names::names_a_table;

/// Returns the kind of an error with this code, before its transaction is committed.
///
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
pub(super) fn kind(code: &str, message: &str) -> StoreErrorKind {
    match (code, code.get(..2)) {
        // serialization failure, deadlock, lock not available
        ("40001" | "40P01" | "55P03", _) => StoreErrorKind::Conflict,
        // Read-only. The server has ended a transaction that was idle for too long, or that took
        // too long.
        (READ_ONLY | "25P03" | "25P04", _)
        // connection, resources, operator intervention, system error
        | (_, Some("08" | "53" | "57" | "58")) => StoreErrorKind::Unavailable,
        // data or index corrupted
        ("XX001" | "XX002", _) => StoreErrorKind::Corrupt,
        // undefined table; also an unknown alias, which is no missing table
        ("42P01", _) if names_a_table(message) => StoreErrorKind::NotMigrated,
        _ => StoreErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_of_an_error_follows_from_its_code() {
        for (code, expected) in [
            // serialization_failure, deadlock_detected, lock_not_available
            ("40001", StoreErrorKind::Conflict),
            ("40P01", StoreErrorKind::Conflict),
            ("55P03", StoreErrorKind::Conflict),
            // read_only_sql_transaction
            ("25006", StoreErrorKind::Unavailable),
            // idle_in_transaction_session_timeout, transaction_timeout, idle_session_timeout
            ("25P03", StoreErrorKind::Unavailable),
            ("25P04", StoreErrorKind::Unavailable),
            ("57P05", StoreErrorKind::Unavailable),
            // connection_failure, disk_full, query_canceled, admin_shutdown, io_error
            ("08006", StoreErrorKind::Unavailable),
            ("53100", StoreErrorKind::Unavailable),
            ("57014", StoreErrorKind::Unavailable),
            ("57P01", StoreErrorKind::Unavailable),
            ("58030", StoreErrorKind::Unavailable),
            // data_corrupted, index_corrupted
            ("XX001", StoreErrorKind::Corrupt),
            ("XX002", StoreErrorKind::Corrupt),
            // no_active_sql_transaction, in_failed_sql_transaction, unique_violation
            ("25P01", StoreErrorKind::Other),
            ("25P02", StoreErrorKind::Other),
            ("23505", StoreErrorKind::Other),
            ("", StoreErrorKind::Other),
        ] {
            assert_eq!(kind(code, ""), expected, "{code}");
        }
    }
}
