//! Registrations that wait until an address is proved. They reserve nothing: the code
//! stays everybody's until the proof is there.

use invitation::{Dialect, Email, UserId, Username, sqlx};
use sqlx::QueryBuilder;

use crate::{accounts::column, secret::Secret, tables::Tables};

/// For how long a mail can be answered.
pub(crate) const LIFETIME_SECONDS: i64 = 30 * 60;

/// How often somebody may try to answer it.
const MAX_ATTEMPTS: i64 = 10;

/// One that waits.
pub(crate) struct Registration {
    /// The client's handle; it proves nothing.
    pub(crate) id: String,
    /// Of the token that went to the address. The code is a part of the token and of
    /// nothing else here: whoever reads this table can neither redeem nor confirm.
    token_hash: String,
    /// The account that there will be.
    pub(crate) account: UserId,
    pub(crate) username: Username,
    /// Where the token went.
    pub(crate) address: Email,
    expires_at: i64,
}

impl Registration {
    /// Begins one at `now`, in seconds since the epoch.
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

    /// Whether this is the token that went to the address. Hashes are compared, of which
    /// nobody can choose a beginning, so that the time this takes tells nothing.
    pub(crate) fn is_answered_by(&self, token: &Secret) -> bool {
        self.token_hash == token.hash()
    }
}

impl<DB: Dialect> Tables<DB> {
    /// Writes one down, and forgets those that nobody answered in time.
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

    /// Takes one of the attempts that a registration has, and tells what is to be
    /// answered; none when there is no such registration any more, or no attempt left.
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
