//! The conditions of a guard as SQL.

use invitation_core::{Condition, EmailKey, Guard, Timestamp, Transition, UserId};

use crate::{dialect::Dialect, names::Names, statement::Statement};

/// The source of the values with which the conditions of a redemption compare.
#[derive(Clone, Copy)]
pub(crate) enum ValueSource<'a> {
    /// The statement contains the values.
    Statement,
    /// The row of this table contains the values, one row for each redemption of the statement.
    Row(&'a str),
}

impl ValueSource<'_> {
    fn user<DB: Dialect>(self, s: &mut Statement<DB>, user: &UserId) {
        match self {
            Self::Statement => s.text(user.as_str()),
            Self::Row(row) => s.sql(format_args!("{row}.used_by")),
        };
    }

    fn now<DB: Dialect>(self, s: &mut Statement<DB>, now: Timestamp) {
        match self {
            Self::Statement => s.int(now.as_micros()),
            Self::Row(row) => s.sql(format_args!("{row}.used_at")),
        };
    }

    /// Writes that the invitation is for this address or for its domain. A statement with rows
    /// does not redeem codes that are bound to a domain.
    fn address<DB: Dialect>(self, s: &mut Statement<DB>, address: Option<&EmailKey>) {
        match (self, address) {
            (Self::Statement, None) => {}
            (Self::Statement, Some(key)) => {
                s.sql(" OR ").is_address("i.email_key", key.as_str());
                s.sql(" OR i.email_domain = ").text(key.domain());
            }
            (Self::Row(row), _) => {
                s.sql(format_args!(" OR i.email_key = {row}.email_key"));
            }
        }
    }
}

pub(crate) fn guard<DB: Dialect>(s: &mut Statement<DB>, guard: &Guard, names: &Names) {
    guard_but(s, guard, ValueSource::Statement, names, &[]);
}

/// Writes the guard, and that the invitation is plain: it has no lease and no domain.
pub(crate) fn guard_of_plain<DB: Dialect>(
    s: &mut Statement<DB>,
    guard: &Guard,
    values: ValueSource<'_>,
    names: &Names,
) {
    guard_but(s, guard, values, names, &[Implied::WithoutLeases, Implied::WithoutDomain]);
    s.sql(IS_PLAIN);
}

/// The condition of an invitation that a path for plain redemptions redeems.
///
/// - Without a lease, no user has one, so the statement needs no query of the table of leases.
///   That table may be older than a row for which the statement had to wait.
/// - Without a domain, the redemption has no mailbox, which another user may have used.
const IS_PLAIN: &str = " AND i.held = 0 AND i.email_domain IS NULL";

/// A requirement of the statement that makes a condition unnecessary.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Implied {
    /// The row has no leases.
    WithoutLeases,
    /// The code is not bound to a domain.
    WithoutDomain,
    /// The code is unused.
    WithoutUses,
    /// No requirement implies the condition, so it is always written.
    Never,
}

/// Returns the requirement that implies a condition.
fn implied(condition: &Condition) -> Implied {
    match condition {
        Condition::FirstHoldBy(_) => Implied::WithoutLeases,
        Condition::FirstUseBy(_) => Implied::WithoutUses,
        Condition::MailboxUnused(_) => Implied::WithoutDomain,
        Condition::NotDeleted
        | Condition::UsesLeft
        | Condition::NotRevoked
        | Condition::NotExpired { .. }
        | Condition::AddressProved(_)
        | Condition::Grantable(_)
        | Condition::Version(_)
        | Condition::UseFree
        | Condition::LeaseExpired { .. }
        | Condition::HoldsLease { .. }
        | Condition::OwnLeaseExpired { .. }
        | Condition::MailboxLeaseExpired { .. } => Implied::Never,
    }
}

/// Writes all conditions except those that `required` implies.
fn guard_but<DB: Dialect>(
    s: &mut Statement<DB>,
    guard: &Guard,
    values: ValueSource<'_>,
    names: &Names,
    required: &[Implied],
) {
    for one in guard.conditions().iter().filter(|one| !required.contains(&implied(one))) {
        s.sql(" AND ");
        condition(s, one, values, names);
    }
}

/// Writes the guards of several redemptions at once. The guards may differ in values only.
pub(crate) fn guard_of_all<DB: Dialect>(
    s: &mut Statement<DB>,
    redemptions: &[&Transition],
    names: &Names,
) {
    let conditions_at =
        |n: usize| redemptions.iter().filter_map(move |one| one.guard().conditions().get(n));
    let users: Vec<_> = redemptions.iter().filter_map(|one| one.redeemer()).collect();
    for n in 0..redemptions.first().map_or(0, |one| one.guard().conditions().len()) {
        if conditions_at(n).any(|one| implied(one) == Implied::WithoutUses) {
            s.sql(" AND (i.used_by IS NULL OR i.used_by NOT IN ");
            s.list(&users, |s, user| {
                s.text(user.as_str());
            });
            s.sql(format_args!(
                ") AND (i.max_uses = 1 OR 0 = (SELECT COUNT(*) FROM {} r \
                 WHERE r.invitation = i.id AND r.user_id IN ",
                names.redemptions
            ));
            s.list(&users, |s, user| {
                s.text(user.as_str());
            });
            s.sql("))");
            continue;
        }
        let mut written: Vec<&Condition> = Vec::new();
        for one in conditions_at(n) {
            if implied(one) == Implied::Never && !written.contains(&one) {
                s.sql(" AND ");
                condition(s, one, ValueSource::Statement, names);
                written.push(one);
            }
        }
    }
    s.sql(IS_PLAIN);
}

fn condition<DB: Dialect>(
    s: &mut Statement<DB>,
    condition: &Condition,
    values: ValueSource<'_>,
    names: &Names,
) {
    match condition {
        Condition::FirstUseBy(user) => {
            s.sql("(i.used_by IS NULL OR i.used_by <> ");
            values.user(s, user);
            // The ledger contains redemptions of codes for several uses only. The subquery
            // counts, so that the database looks up the key and never joins.
            s.sql(format_args!(
                ") AND (i.max_uses = 1 OR 0 = (SELECT COUNT(*) FROM {} r \
                 WHERE r.invitation = i.id AND r.user_id = ",
                names.redemptions
            ));
            values.user(s, user);
            s.sql("))");
        }
        Condition::NotDeleted => {
            s.sql("i.deleted_at IS NULL");
        }
        Condition::UsesLeft => {
            s.sql("i.uses < i.max_uses");
        }
        Condition::NotRevoked => {
            s.sql("i.revoked_at IS NULL");
        }
        Condition::NotExpired { now } => {
            s.sql("i.expires_at > ");
            values.now(s, *now);
        }
        Condition::AddressProved(address) => {
            s.sql("((i.email_key IS NULL AND i.email_domain IS NULL)");
            values.address(s, address.as_ref());
            s.sql(")");
        }
        Condition::Grantable(pairs) => {
            s.sql("(i.grantor_role IS NULL");
            // One branch for each grantor's role keeps the condition shallow. Databases limit its
            // depth.
            for granted in pairs.chunk_by(|a, b| a.grantor == b.grantor) {
                if let Some(first) = granted.first() {
                    s.sql(" OR (i.grantor_role = ").text(first.grantor.as_str());
                    s.sql(" AND i.role IN ").list(granted, |s, pair| {
                        s.text(pair.granted.as_str());
                    });
                    s.sql(")");
                }
            }
            s.sql(")");
        }
        Condition::Version(version) => {
            // A version that is too large for the column matches no row.
            s.sql("i.version = ").int(i64::try_from(*version).unwrap_or(-1));
        }
        Condition::FirstHoldBy(user) => {
            s.sql("NOT ");
            a_lease(s, names).sql(" AND l.user_id = ");
            values.user(s, user);
            s.sql("))");
        }
        Condition::MailboxUnused(mailbox) => {
            s.sql("(i.email_domain IS NULL OR ((i.used_mailbox IS NULL OR NOT ");
            s.is_address("i.used_mailbox", mailbox.as_str());
            s.sql(format_args!(
                ") AND (i.max_uses = 1 OR 0 = (SELECT COUNT(*) FROM {} r \
                 WHERE r.invitation = i.id AND ",
                names.redemptions
            ));
            s.is_address("r.mailbox", mailbox.as_str()).sql(")) AND NOT ");
            a_lease(s, names).sql(" AND ");
            s.is_address("l.mailbox", mailbox.as_str()).sql("))))");
        }
        Condition::UseFree => {
            s.sql("i.uses + i.held < i.max_uses");
        }
        Condition::LeaseExpired { now } => {
            a_lease(s, names).sql(" AND l.held_until <= ");
            values.now(s, *now);
            s.sql("))");
        }
        Condition::HoldsLease { lease, user } => {
            a_lease(s, names).sql(" AND l.user_id = ");
            values.user(s, user);
            s.sql(" AND l.id = ").blob(lease.as_bytes()).sql("))");
        }
        Condition::OwnLeaseExpired { user, now } => {
            a_lease(s, names).sql(" AND l.user_id = ");
            values.user(s, user);
            s.sql(" AND l.held_until <= ");
            values.now(s, *now);
            s.sql("))");
        }
        Condition::MailboxLeaseExpired { mailbox, now } => {
            a_lease(s, names).sql(" AND ");
            s.is_address("l.mailbox", mailbox.as_str()).sql(" AND l.held_until <= ");
            values.now(s, *now);
            s.sql("))");
        }
    }
}

/// Begins the subquery for a lease. The caller adds conditions and the closing parentheses.
fn a_lease<'s, DB: Dialect>(s: &'s mut Statement<DB>, names: &Names) -> &'s mut Statement<DB> {
    // The condition on the row itself comes first. Some databases see the latest version of a row
    // for which they had to wait, but older versions of other tables.
    s.sql(format_args!("(i.held > 0 AND EXISTS (SELECT 1 FROM {}", names.leases));
    s.sql(" l WHERE l.invitation = i.id")
}
