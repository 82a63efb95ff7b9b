//! What a redemption writes, as data. Every path that redeems emits from here: the general path,
//! and each dialect's path for several redemptions at once.
//!
//! In the expressions, `i` is the invitation's row after the redemption. `p` is the redemption's
//! row among those of a statement for several redemptions. `x` is a row that an effect changes.
//!
//! A new column of a redemption is a line in [`COLUMNS`], a line in `row::redemption` at the
//! same place, and two columns in each schema. A value that the invitation's row gives is
//! `derived`. A value of the caller is a field of [`Use`], set in each of its constructors, and a
//! field of `Change::Redeem` and `PlainRedemption` in the core.

use std::{fmt, ops::Deref, sync::LazyLock};

use invitation_core::{
    Change, CorrelationId, EmailKey, Event, EventId, InvitationId, PlainRedemption, Redemption,
    RequestContext, Role, Source, State, Timestamp, UserId, Username,
};

use crate::{
    dialect::Dialect,
    names::Names,
    render,
    row::EVENT,
    statement::Statement,
    values::{InputRow, Value},
};

/// A column of a redemption. It stands in the invitation's row, for the latest redemption, and in
/// the ledger.
struct Column {
    row: &'static str,
    ledger: &'static str,
    value: ValueOf,
    /// The expression of a value that comes from the invitation's row, if it does.
    derived: Option<&'static str>,
}

/// The value of a column, which is NULL without a redemption.
type ValueOf = for<'a> fn(Option<&Use<'a>>) -> Value<'a>;

/// The columns of a redemption. The id is the first and the time the fourth: `ops::read` sorts by
/// these numbers.
const COLUMNS: [Column; 7] = [
    column("used_id", "id", |of| Value::id(of.map(|of| of.id))),
    column("used_by", "user_id", |of| Value::text(of.map(|of| of.user.as_str()))),
    column("used_name", "username", |of| Value::text(of.map(|of| of.username.as_str()))),
    column("used_at", "at", |of| Value::int(of.map(|of| of.at.as_micros()))),
    Column {
        derived: Some("i.role"),
        ..column("used_role", "role", |of| Value::text(of.and_then(|of| of.role).map(Role::as_str)))
    },
    column("used_lease", "lease", |of| Value::id(of.and_then(|of| of.lease))),
    Column {
        // The paths for several redemptions at once do not redeem a code that is bound to a
        // domain, and no other redemption has a mailbox.
        derived: Some("NULL"),
        ..column(MAILBOX, "mailbox", |of| {
            Value::text(of.and_then(|of| of.mailbox.stored()).map(EmailKey::as_str))
        })
    },
];

/// The column of the mailbox in the invitation's row.
const MAILBOX: &str = "used_mailbox";

const fn column(row: &'static str, ledger: &'static str, value: ValueOf) -> Column {
    Column { row, ledger, value, derived: None }
}

/// The expressions of an event's columns that differ between redemptions.
const OF_EVENT: [(&str, &str); 8] = [
    ("id", "p.used_id"),
    ("at", "p.used_at"),
    ("actor", "p.used_by"),
    ("actor_name", "p.used_name"),
    ("invitation", "i.id"),
    ("division", "i.division"),
    ("correlation", "p.correlation"),
    ("source", "p.source"),
];

/// The condition of a redemption in the ledger. The redemption of a single-use code stands in the
/// invitation's row only.
pub(crate) const IN_LEDGER: &str = "i.max_uses > 1";

/// The columns of a search term.
pub(crate) const TERM: &str = "term, division, created_at, invitation, part";

/// The values of a search term of a redeemer's name, behind the term itself, except for the number
/// of the use.
pub(crate) const TERM_OF_USE: &str = "i.division, i.created_at, i.id";

/// A list of columns that is put together at its first use.
pub(crate) struct Columns(LazyLock<String>);

impl Columns {
    pub(crate) const fn new(columns: fn() -> String) -> Self {
        Self(LazyLock::new(columns))
    }
}

impl Deref for Columns {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

/// The columns of the latest redemption in the invitation's row.
pub(crate) static LATEST_USE: Columns = Columns::new(|| joined(&COLUMNS, |column| column.row));

/// The columns of a redemption in the ledger, in the order in which `row::redemption` reads them.
pub(crate) static REDEMPTION: Columns = Columns::new(|| joined(&COLUMNS, |column| column.ledger));

/// The columns of a [`LedgerRow`].
pub(crate) static LEDGER: Columns = Columns::new(|| format!("invitation, {REDEMPTION}"));

/// The columns of a row `p`, in the order of [`Use::row`].
pub(crate) static ROW: Columns = Columns::new(|| {
    let own = COLUMNS.iter().filter(|column| column.derived.is_none());
    format!("{}, correlation, source", joined(own, |column| column.row))
});

fn joined<'c>(
    columns: impl IntoIterator<Item = &'c Column>,
    name: impl Fn(&Column) -> &'static str,
) -> String {
    columns.into_iter().map(name).collect::<Vec<_>>().join(", ")
}

/// The values of one redemption.
pub(crate) struct Use<'a> {
    id: EventId,
    user: &'a UserId,
    username: &'a Username,
    at: Timestamp,
    lease: Option<EventId>,
    /// The granted role. It is unknown before the redemption was made.
    role: Option<&'a Role>,
    mailbox: Mailbox<'a>,
}

/// The mailbox of a redemption.
#[derive(Clone, Copy)]
enum Mailbox<'a> {
    /// The redemption has no mailbox.
    None,
    /// The redemption has this mailbox.
    Stored(&'a EmailKey),
    /// This address is the mailbox if the invitation is bound to a domain.
    IfForDomain(&'a EmailKey),
    /// The redemption gets the mailbox of this lease of the redeemer.
    OfLease(EventId),
}

impl<'a> Mailbox<'a> {
    fn stored(self) -> Option<&'a EmailKey> {
        match self {
            Self::Stored(mailbox) => Some(mailbox),
            Self::None | Self::IfForDomain(_) | Self::OfLease(_) => None,
        }
    }
}

impl<'a> Use<'a> {
    pub(crate) fn plain(plain: &PlainRedemption<'a>) -> Self {
        let PlainRedemption {
            code: _,
            id,
            user,
            username,
            at,
            address: _,
            grantable: _,
            context: _,
        } = *plain;
        Self { id, user, username, at, lease: None, role: None, mailbox: Mailbox::None }
    }

    /// Returns the values of a change that redeems.
    pub(crate) fn of(change: &'a Change) -> Option<Self> {
        let Change::Redeem { id, user, username, at, address, taken_over_from: _ } = change else {
            return None;
        };
        let lease = change.own_lease();
        let mailbox = match (lease, address.as_ref()) {
            (Some(lease), _) => Mailbox::OfLease(lease),
            (None, Some(address)) => Mailbox::IfForDomain(address),
            (None, None) => Mailbox::None,
        };
        Some(Self { id: *id, user, username, at: *at, lease, role: None, mailbox })
    }

    /// Returns the values of a redemption that was made.
    pub(crate) fn made(made: &'a Redemption) -> Self {
        let Redemption { id, user, username, at, role, lease, mailbox } = made;
        let mailbox = mailbox.as_ref().map_or(Mailbox::None, Mailbox::Stored);
        Self { id: *id, user, username, at: *at, lease: *lease, role: Some(role), mailbox }
    }

    /// Returns the values of a row `p`.
    pub(crate) fn row(&self, context: &'a RequestContext) -> Vec<Value<'a>> {
        let own = COLUMNS.iter().filter(|column| column.derived.is_none());
        let values = own.map(|column| (column.value)(Some(self)));
        let RequestContext { correlation, source } = context;
        let context = [
            Value::text(correlation.as_ref().map(CorrelationId::as_str)),
            Value::text(source.as_ref().map(Source::as_str)),
        ];
        values.chain(context).collect()
    }
}

/// Returns the values of all columns, for the invitation's row or for the ledger.
pub(crate) fn values<'a>(of: Option<&Use<'a>>) -> Vec<Value<'a>> {
    COLUMNS.iter().map(|column| (column.value)(of)).collect()
}

/// A redemption in the ledger.
pub(crate) struct LedgerRow<'a> {
    pub(crate) invitation: InvitationId,
    pub(crate) redemption: &'a Redemption,
}

impl InputRow for LedgerRow<'_> {
    fn values(&self) -> Vec<Value<'_>> {
        let mut values = vec![Value::Blob(Some(self.invitation.as_bytes().into()))];
        values.extend(self::values(Some(&Use::made(self.redemption))));
        values
    }
}

/// Writes the assignments of the latest redemption. The values are those of `of`, or of a row `p`.
pub(crate) fn set_latest_use<DB: Dialect>(
    s: &mut Statement<DB>,
    names: &Names,
    of: Option<&Use<'_>>,
) {
    for (n, column) in COLUMNS.iter().enumerate() {
        s.sql(if n == 0 { "" } else { ", " }).sql(column.row).sql(" = ");
        match (column.derived, of) {
            (Some(_), Some(of)) if column.row == MAILBOX => mailbox(s, names, of),
            (Some(expression), _) => s.sql(expression),
            (None, Some(of)) => s.value((column.value)(Some(of))),
            (None, None) => s.sql(format_args!("p.{}", column.row)),
        };
    }
}

/// Writes the mailbox of a redemption that the statement makes.
fn mailbox<'s, DB: Dialect>(
    s: &'s mut Statement<DB>,
    names: &Names,
    of: &Use<'_>,
) -> &'s mut Statement<DB> {
    match of.mailbox {
        Mailbox::None => s.sql("NULL"),
        Mailbox::Stored(mailbox) => s.text(mailbox.as_str()),
        Mailbox::IfForDomain(address) => {
            s.sql("CASE WHEN i.email_domain IS NOT NULL THEN ").text(address.as_str()).sql(" END")
        }
        // A lease keeps its mailbox, so an older version of its row has the same one.
        Mailbox::OfLease(lease) => {
            let from = format_args!("(SELECT l.mailbox FROM {} l", names.leases);
            s.sql(from).sql(" WHERE l.invitation = i.id AND l.user_id = ").text(of.user.as_str());
            s.sql(" AND l.id = ").blob(lease.as_bytes()).sql(")")
        }
    }
}

/// Writes the `INSERT` of an event for each redemption, up to its `FROM`. All redemptions share
/// the other values of `event`.
pub(crate) fn insert_events<DB: Dialect>(s: &mut Statement<DB>, names: &Names, event: &Event) {
    let known = |name: &str| OF_EVENT.iter().find(|(column, _)| *column == name);
    let values = EVENT.split(", ").zip(event.values()).map(|(name, value)| match known(name) {
        Some((_, expression)) => Value::sql(*expression),
        None => value,
    });
    s.sql(format_args!("INSERT INTO {} ({EVENT}) SELECT ", names.events)).values(values);
}

/// Writes the `INSERT` of the latest redemption of an invitation `i` into the ledger, up to its
/// `WHERE`. The statement contains no value of the redemption, so that no address is in its text.
pub(crate) fn insert_latest_use<DB: Dialect>(s: &mut Statement<DB>, names: &Names) {
    let Names { invitations, redemptions, .. } = names;
    let values = joined(&COLUMNS, |column| column.row);
    s.sql(format_args!("INSERT INTO {redemptions} ({LEDGER}) SELECT id, {values} "));
    s.sql(format_args!("FROM {invitations} i WHERE "));
}

/// Writes the `INSERT` of the ledger for each redemption, up to its `FROM`.
pub(crate) fn insert_redemptions<DB: Dialect>(s: &mut Statement<DB>, names: &Names) {
    s.sql(format_args!("INSERT INTO {} ({LEDGER}) SELECT i.id", names.redemptions));
    for column in &COLUMNS {
        match column.derived {
            Some(expression) => s.sql(format_args!(", {expression}")),
            None => s.sql(format_args!(", p.{}", column.row)),
        };
    }
}

/// Writes the condition of the state `x` of a code that the redemption uses up.
pub(crate) fn is_used_up<DB: Dialect>(s: &mut Statement<DB>) {
    s.sql("i.uses = i.max_uses AND x.division = i.division AND ");
    render::is_in_state(s, "x.state", State::Open);
    s.sql(" AND x.created_at = i.created_at AND x.id = i.id");
}
