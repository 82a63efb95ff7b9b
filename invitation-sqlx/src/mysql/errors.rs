//! The meaning of the server's error numbers.

use invitation_core::StoreErrorKind;

/// Returns the kind of an error with this number, before its transaction is committed.
///
/// - <https://mariadb.com/kb/en/mariadb-error-code-reference/>
/// - <https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>
/// - <https://dev.mysql.com/doc/mysql-errors/8.0/en/global-error-reference.html>
pub(super) fn kind(number: u16) -> StoreErrorKind {
    match number {
        // The record has changed since it was read, lock wait timeout, deadlock (on a cluster
        // also a conflict with another node), or a missing savepoint of a transaction that has
        // ended. The group has certified another member's change of the same rows first, so that
        // the commit was rolled back. A lock is not free, where a statement does not wait for it.
        1020 | 1205 | 1213 | 1305 | 3101 | 3572 => StoreErrorKind::Conflict,
        // A file of the server (of the binary log, or a temporary one) cannot be created, read,
        // written, closed or synchronised; the disk is full; out of memory or of files.
        1..=5 | 20 | 23 | 27
        // Disk full; a file cannot be closed, read or written; the storage engine failed
        // (1030: a full disk or an I/O error); error during COMMIT or ROLLBACK; the binary
        // log cannot be written.
        | 1021 | 1023 | 1024 | 1026 | 1030 | 1180 | 1181 | 1598
        // Out of memory, too many connections, no such host or database, not ready (a node
        // outside of its cluster), shutting down, table full, too many connections of this
        // user, read-only, interrupted, took too long, killed. The server had closed the idle
        // connection before the statement arrived (4031).
        | 1037 | 1038 | 1040 | 1041 | 1042 | 1047 | 1053 | 1114 | 1135 | 1158..=1161 | 1203
        | 1226 | 1290 | 1317 | 1792 | 1836 | 1927 | 1969 | 3024 | 4031 => StoreErrorKind::Unavailable,
        // table or index corrupted
        126 | 127 | 134 | 145 | 1034 | 1035 | 1194 | 1195 | 1712 => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::commit_kind;

    #[test]
    fn failed_write_is_unavailable_before_the_commit_and_unknown_at_it() {
        for (number, before, at_commit) in [
            // EE_WRITE: the error of a statement whose binary log is on a full disk.
            (3, StoreErrorKind::Unavailable, StoreErrorKind::OutcomeUnknown),
            // EE_DISK_FULL
            (20, StoreErrorKind::Unavailable, StoreErrorKind::OutcomeUnknown),
            // ER_DISK_FULL
            (1021, StoreErrorKind::Unavailable, StoreErrorKind::OutcomeUnknown),
            // ER_ERROR_ON_WRITE
            (1026, StoreErrorKind::Unavailable, StoreErrorKind::OutcomeUnknown),
            // ER_GET_ERRNO
            (1030, StoreErrorKind::Unavailable, StoreErrorKind::OutcomeUnknown),
            // ER_RECORD_FILE_FULL
            (1114, StoreErrorKind::Unavailable, StoreErrorKind::OutcomeUnknown),
            // ER_ERROR_DURING_COMMIT
            (1180, StoreErrorKind::Unavailable, StoreErrorKind::OutcomeUnknown),
            // ER_BINLOG_LOGGING_IMPOSSIBLE
            (1598, StoreErrorKind::Unavailable, StoreErrorKind::OutcomeUnknown),
            // ER_CLIENT_INTERACTION_TIMEOUT
            (4031, StoreErrorKind::Unavailable, StoreErrorKind::OutcomeUnknown),
            // ER_LOCK_DEADLOCK: the server reports that it rolled back.
            (1213, StoreErrorKind::Conflict, StoreErrorKind::Conflict),
            // ER_TRANSACTION_ROLLBACK_DURING_COMMIT: Group Replication's certification refused it.
            (3101, StoreErrorKind::Conflict, StoreErrorKind::Conflict),
            // ER_SP_DOES_NOT_EXIST: the savepoint was missing before the commit.
            (1305, StoreErrorKind::Conflict, StoreErrorKind::Conflict),
            // ER_DUP_ENTRY
            (1062, StoreErrorKind::Other, StoreErrorKind::OutcomeUnknown),
        ] {
            assert_eq!(kind(number), before, "{number}");
            assert_eq!(commit_kind(kind(number)), at_commit, "{number}");
        }
    }
}
