//! The words of a guard.

use invitation_core::{Condition, EmailKey, Guard, Timestamp, Transition, UserId};

use crate::{dialect::Dialect, names::Names, statement::Statement};

/// Where the values stand that the words of a redemption compare with.
#[derive(Clone, Copy)]
pub(crate) enum ValueSource<'a> {
    /// In the statement.
    Statement,
    /// In the row of this table: one for each of several redemptions in one statement.
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

    /// The invitation is for this address, or for its domain.
    fn address<DB: Dialect>(self, s: &mut Statement<DB>, address: Option<&EmailKey>) {
        match (self, address) {
            (Self::Statement, None) => {}
            (Self::Statement, Some(key)) => {
                s.sql(" OR ").is_address("i.email_key", key.as_str());
                s.sql(" OR i.email_domain = ").text(key.domain());
            }
            (Self::Row(row), _) => {
                s.sql(format_args!(" OR i.email_key = {row}.email_key"));
                s.sql(format_args!(" OR i.email_domain = {row}.email_domain"));
            }
        }
    }
}

pub(crate) fn guard<DB: Dialect>(s: &mut Statement<DB>, guard: &Guard, names: &Names) {
    guard_but(s, guard, ValueSource::Statement, names, &[]);
}

/// The same, and that there is no lease.
pub(crate) fn guard_without_leases<DB: Dialect>(
    s: &mut Statement<DB>,
    guard: &Guard,
    values: ValueSource<'_>,
    names: &Names,
) {
    guard_but(s, guard, values, names, &[Implied::WithoutLeases]);
    s.sql(NO_LEASE);
}

/// The same, for codes of one use that nobody has used: they have no ledger.
pub(crate) fn guard_of_unused<DB: Dialect>(
    s: &mut Statement<DB>,
    guard: &Guard,
    values: ValueSource<'_>,
    names: &Names,
) {
    guard_but(s, guard, values, names, &[Implied::WithoutLeases, Implied::WithoutUses]);
    s.sql(NO_LEASE);
}

/// Without a lease, nobody has one. And no lease is looked for in a table that may be older
/// than a row which this had to wait for.
const NO_LEASE: &str = " AND i.held = 0";

/// What the statement requires of a row, so that a condition need not be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Implied {
    /// The row has no leases.
    WithoutLeases,
    /// Nobody has used the code.
    WithoutUses,
    /// Nothing: the condition is always written.
    Never,
}

/// Returns the requirement under which a condition holds by itself.
fn implied(condition: &Condition) -> Implied {
    match condition {
        Condition::FirstHoldBy(_) => Implied::WithoutLeases,
        Condition::FirstUseBy(_) => Implied::WithoutUses,
        Condition::NotDeleted
        | Condition::UsesLeft
        | Condition::NotRevoked
        | Condition::NotExpired { .. }
        | Condition::AddressProved(_)
        | Condition::Grantable(_)
        | Condition::Version(_)
        | Condition::UseFree
        | Condition::LeaseRunOut { .. }
        | Condition::HoldsLease { .. }
        | Condition::OwnLeaseRunOut { .. } => Implied::Never,
    }
}

/// Writes all conditions but those that `required` implies.
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

/// The same for several redemptions at once, whose guards differ in values at most.
pub(crate) fn guard_of_all<DB: Dialect>(
    s: &mut Statement<DB>,
    redemptions: &[&Transition],
    names: &Names,
) {
    let nth = |n: usize| redemptions.iter().filter_map(move |one| one.guard().conditions().get(n));
    let users: Vec<_> = redemptions.iter().filter_map(|one| one.redeemer()).collect();
    for n in 0..redemptions.first().map_or(0, |one| one.guard().conditions().len()) {
        if nth(n).any(|one| implied(one) == Implied::WithoutUses) {
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
        for one in nth(n) {
            if implied(one) == Implied::Never && !written.contains(&one) {
                s.sql(" AND ");
                condition(s, one, ValueSource::Statement, names);
                written.push(one);
            }
        }
    }
    s.sql(NO_LEASE);
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
            // The ledger is of codes for several uses. Counted, so that it is asked by its
            // key and never joined.
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
            s.sql("(i.inviter_role IS NULL");
            // One branch an inviter, not one a pair: databases bound the depth.
            for granted in pairs.chunk_by(|a, b| a.inviter == b.inviter) {
                if let Some(first) = granted.first() {
                    s.sql(" OR (i.inviter_role = ").text(first.inviter.as_str());
                    s.sql(" AND i.role IN ").list(granted, |s, pair| {
                        s.text(pair.granted.as_str());
                    });
                    s.sql(")");
                }
            }
            s.sql(")");
        }
        Condition::Version(version) => {
            // A version beyond what is stored matches nothing.
            s.sql("i.version = ").int(i64::try_from(*version).unwrap_or(-1));
        }
        Condition::FirstHoldBy(user) => {
            s.sql("NOT ");
            a_lease(s, names).sql(" AND l.user_id = ");
            values.user(s, user);
            s.sql("))");
        }
        Condition::UseFree => {
            s.sql("i.uses + i.held < i.max_uses");
        }
        Condition::LeaseRunOut { now } => {
            a_lease(s, names).sql(" AND l.held_until <= ");
            values.now(s, *now);
            s.sql("))");
        }
        Condition::HoldsLease { lease, user } => {
            a_lease(s, names).sql(" AND l.user_id = ");
            values.user(s, user);
            s.sql(" AND l.id = ").blob(lease.as_bytes()).sql("))");
        }
        Condition::OwnLeaseRunOut { user, now } => {
            a_lease(s, names).sql(" AND l.user_id = ");
            values.user(s, user);
            s.sql(" AND l.held_until <= ");
            values.now(s, *now);
            s.sql("))");
        }
    }
}

/// Begins the question for a lease; what is asked of it, and the parentheses, follow.
fn a_lease<'s, DB: Dialect>(s: &'s mut Statement<DB>, names: &Names) -> &'s mut Statement<DB> {
    // What the row itself says comes first: some databases look at a row that they had to
    // wait for as it is by then, but at other tables as they were before.
    s.sql(format_args!("(i.held > 0 AND EXISTS (SELECT 1 FROM {}", names.leases));
    s.sql(" l WHERE l.invitation = i.id")
}
