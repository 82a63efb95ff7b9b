//! Registrations that wait for the proof of an address. They reserve nothing: any other
//! holder can use the code until the proof arrives.

use invitation::{
    Email, UserId, Username,
    sql::{Dialect, sqlx},
};
use sqlx::QueryBuilder;

use crate::{accounts::column, secret::Secret, tables::Tables};

/// The time within which a mail can be answered, in seconds.
pub(crate) const LIFETIME_SECONDS: i64 = 30 * 60;

/// The maximum number of tries to answer a mail.
const MAX_ATTEMPTS: i64 = 10;

/// A registration that waits for its proof.
pub(crate) struct Registration {
    /// The client's handle; it proves nothing.
    pub(crate) id: String,
    /// The hash of the token that was mailed to the address. The token contains the code,
    /// and this table stores the code nowhere else. Reading this table is therefore not
    /// enough to redeem or to confirm.
    token_hash: String,
    /// The id of the account to create.
    pub(crate) account: UserId,
    pub(crate) username: Username,
    /// The address that the token was sent to.
    pub(crate) address: Email,
    expires_at: i64,
}

impl Registration {
    /// Begins a registration at `now`, in seconds since the epoch.
    pub(crate) fn new(
        id: &Secret,
        token: &Secret,
        account: UserId,
        username: Username,
        address: Email,
        now: i64,
    ) -> Self {
        let expires_at = now.saturating_add(LIFETIME_SECONDS);
        let (id, token_hash) = (id.reveal().to_owned(), token.hash());
        Self { id, token_hash, account, username, address, expires_at }
    }

    /// Returns whether this is the token that was mailed to the address. It compares
    /// hashes, whose beginnings a caller cannot choose, so the duration of the comparison
    /// reveals nothing.
    pub(crate) fn is_answered_by(&self, token: &Secret) -> bool {
        self.token_hash == token.hash()
    }
}

impl<DB: Dialect> Tables<DB> {
    /// Stores a registration, and removes those that were not answered in time.
    pub(crate) async fn open(&self, new: &Registration, now: i64) -> sqlx::Result<()> {
        let text = |text: &str| DB::Text::from(text.to_owned());
        let mut conn = self.pool().acquire().await?;
        let mut forget = QueryBuilder::<DB>::new("DELETE FROM registrations WHERE expires_at <= ");
        forget.push_bind(DB::Int::from(now));
        forget.build().execute(DB::exec(&mut conn)).await?;

        let mut insert = QueryBuilder::<DB>::new(
            "INSERT INTO registrations \
             (id, token_hash, account, username, address, attempts, expires_at) VALUES (",
        );
        let mut values = insert.separated(", ");
        values.push_bind(text(&new.id));
        values.push_bind(text(&new.token_hash));
        values.push_bind(text(new.account.as_str()));
        values.push_bind(text(new.username.as_str()));
        values.push_bind(text(new.address.as_str()));
        values.push_bind(DB::Int::from(0));
        values.push_bind(DB::Int::from(new.expires_at));
        insert.push(")");
        insert.build().execute(DB::exec(&mut conn)).await.map(drop)
    }

    /// Removes a registration.
    pub(crate) async fn close(&self, id: &str) -> sqlx::Result<()> {
        let mut conn = self.pool().acquire().await?;
        let mut remove = QueryBuilder::<DB>::new("DELETE FROM registrations WHERE id = ");
        remove.push_bind(DB::Text::from(id.to_owned()));
        remove.build().execute(DB::exec(&mut conn)).await.map(drop)
    }

    /// Uses up one of the registration's attempts and returns the registration. Returns
    /// `None` if the registration no longer exists or has no attempt left.
    pub(crate) async fn attempt(&self, id: &str, now: i64) -> sqlx::Result<Option<Registration>> {
        let mut conn = self.pool().acquire().await?;
        let mut count =
            QueryBuilder::<DB>::new("UPDATE registrations SET attempts = attempts + 1 WHERE id = ");
        count.push_bind(DB::Text::from(id.to_owned()));
        count.push(" AND expires_at > ").push_bind(DB::Int::from(now));
        count.push(" AND attempts < ").push_bind(DB::Int::from(MAX_ATTEMPTS));
        let counted = count.build().execute(DB::exec(&mut conn)).await?;
        if DB::affected(&counted) == 0 {
            return Ok(None);
        }
        let mut find = QueryBuilder::<DB>::new(
            "SELECT id, token_hash, account, username, address, expires_at \
             FROM registrations WHERE id = ",
        );
        find.push_bind(DB::Text::from(id.to_owned()));
        let row = find.build().fetch_optional(DB::exec(&mut conn)).await?;
        row.as_ref().map(read::<DB>).transpose()
    }
}

fn read<DB: Dialect>(row: &DB::Row) -> sqlx::Result<Registration> {
    let text = |place: usize| column::<DB, DB::Text>(row, place).map(Into::<String>::into);
    Ok(Registration {
        id: text(0)?,
        token_hash: text(1)?,
        account: UserId::from_stored(text(2)?),
        username: Username::from_stored(text(3)?),
        address: Email::parse(&text(4)?).map_err(|error| sqlx::Error::Decode(error.into()))?,
        expires_at: column::<DB, DB::Int>(row, 5)?.into(),
    })
}
