//! The SQL in which the databases differ.

use invitation_core::Status;
use sqlx::Database;

use super::Dialect;
use crate::{
    list::{Index, ListQuery},
    names::Names,
    render,
    statement::Statement,
    values::Value,
};

/// Begins a statement with the tables `f` and `z` of a plan: the matches of the page, and a row if
/// the plan would have to read too much.
pub(crate) type ByValidityLength<DB> = fn(&mut Statement<DB>, &ListQuery<'_>, Status);

/// The SQL in which the databases differ.
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub trait Syntax: Database + Sized {
    /// The assignment with which an `UPDATE` locks a row that it does not change otherwise.
    const LOCK_BY_UPDATE: &'static str = "held = held";
    /// The clause that makes a query wait for transactions that are changing the row, and locks
    /// the row against changes until this transaction ends. Empty for a database with one writer.
    const FOR_SHARE: &'static str;
    /// The clause that also makes other queries with this clause wait.
    const FOR_UPDATE: &'static str;

    /// Returns the clause after a table that makes a query use this index. It is empty if the
    /// planner's own choice is right.
    fn use_index(_index: &str) -> String {
        String::new()
    }

    /// Returns the comparison that selects the open state, and that is the condition of the partial
    /// indexes by expiry. After an equality, a planner without statistics expects so few rows
    /// that it uses any index with the state, and sorts.
    fn is_open() -> &'static str {
        "<= 0"
    }

    /// Returns the join of each candidate `c` with its invitation `i`, in the order of the
    /// candidates.
    fn each_by_key(invitations: &str, use_key: &str) -> String {
        // CROSS makes SQLite read the candidates first.
        format!(" CROSS JOIN {invitations} i{use_key} ON i.id = c.which")
    }

    /// Returns the clause that makes a query see the latest committed data. It is empty unless
    /// the transaction on this connection would hide that data.
    fn locking_read(_conn: &Self::Connection) -> &'static str {
        ""
    }

    /// Returns the maximum number of addresses in one query.
    fn addresses_at_once() -> usize {
        250
    }

    /// Writes the table and the condition of a query for the columns `division` and `email_key` of
    /// the invitations to these addresses. `conditions` writes further conditions of an invitation
    /// `i`.
    fn invited_to(
        s: &mut Statement<Self>,
        names: &Names,
        addresses: &[&str],
        conditions: impl FnOnce(&mut Statement<Self>),
    ) where
        Self: Dialect,
    {
        s.one_off();
        render::by_index(s, names, Index::CodesInvitee);
        s.sql(" WHERE i.email_key IN ").list(addresses, |s, address| {
            s.text(*address);
        });
        conditions(s);
    }

    /// Writes a value. A planner that would choose a worse plan because of the value does not see
    /// it.
    fn hide_from_planner(s: &mut Statement<Self>, write: impl FnOnce(&mut Statement<Self>))
    where
        Self: Dialect,
    {
        write(s);
    }

    /// Returns whether a keyset scan with this number of fixed columns compares the whole key of
    /// its index, so that only that index can satisfy it.
    fn scans_whole_key(_fixed: usize) -> bool {
        false
    }

    /// Returns the plan for lists of active or expired invitations by their length of validity, if
    /// the database has one. It needs lateral joins, and an index on an expression.
    fn by_validity_length() -> Option<ByValidityLength<Self>>
    where
        Self: Dialect,
    {
        None
    }

    /// Returns the clause of an `INSERT` before the assignments to rows whose key exists. `key` has
    /// the columns of the primary key.
    fn on_conflict(key: &str) -> String {
        format!(" ON CONFLICT ({key}) DO UPDATE SET ")
    }

    /// Returns the new value of a column in such an assignment.
    fn new_value(column: &str) -> String {
        format!("excluded.{column}")
    }

    /// Returns the clause with which an `INSERT` skips rows whose key exists.
    fn skip_existing(key: &str) -> String {
        format!(" ON CONFLICT ({key}) DO NOTHING")
    }

    /// Returns the clause with which an `INSERT` replaces these columns of rows whose key exists.
    fn replace_existing(key: &str, columns: &str) -> String {
        let value = |column| format!("{column} = {}", Self::new_value(column));
        let values: Vec<_> = columns.split(", ").map(value).collect();
        Self::on_conflict(key) + &values.join(", ")
    }

    /// Returns the clause with which the `INSERT` of a quota's row locks a row that exists. An
    /// update locks it; skipping it would not.
    fn lock_quota() -> String {
        Self::replace_existing("kind, name", "kind")
    }

    /// Writes rows of values to insert.
    fn push_rows(s: &mut Statement<Self>, rows: Vec<Vec<Value<'_>>>)
    where
        Self: Dialect,
    {
        if rows.len() > 1 {
            s.one_off();
        }
        for (n, row) in rows.into_iter().enumerate() {
            s.sql(if n == 0 { "VALUES (" } else { ", (" }).values(row).sql(")");
        }
    }
}
