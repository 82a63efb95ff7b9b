//! The host's own table of users.

use invitation::{
    Actor, Division, Redeemer, Role, UserId, Username,
    reserve::ReservationId,
    sql::{Dialect, sqlx},
};
use sqlx::{ColumnIndex, Decode, QueryBuilder, Row, Type};

use crate::tables::Tables;

/// An account of the host.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    pub(crate) username: Username,
    pub(crate) role: Role,
    /// The user's division; `None` for a user who belongs to all divisions.
    pub(crate) division: Option<Division>,
}

impl Account {
    /// Returns the account as the library's actor. In this host an administrator reaches
    /// all divisions, every other user only their own.
    pub(crate) fn actor(&self) -> Actor {
        let (id, role) = (self.id.clone(), self.role.clone());
        let actor = match &self.division {
            Some(division) if !self.is_administrator() => {
                Actor::in_division(id, role, division.clone())
            }
            Some(home) => Actor::across_divisions(id, role).based_in(home.clone()),
            None => Actor::across_divisions(id, role),
        };
        actor.with_name(self.username.clone())
    }

    pub(crate) fn is_administrator(&self) -> bool {
        self.role.as_str() == "admin"
    }
}

const COLUMNS: &str =
    "SELECT id, username, role, division FROM users WHERE reservation IS NULL AND";

impl<DB: Dialect> Tables<DB> {
    /// Returns the account with this id.
    pub(crate) async fn account(&self, id: &UserId) -> sqlx::Result<Option<Account>> {
        Self::account_on(&mut *self.pool().acquire().await?, id).await
    }

    /// Returns the account with this id, as the transaction on this connection sees it.
    pub(crate) async fn account_on(
        conn: &mut DB::Connection,
        id: &UserId,
    ) -> sqlx::Result<Option<Account>> {
        let mut sql = QueryBuilder::<DB>::new(format!("{COLUMNS} id = "));
        sql.push_bind(DB::Text::from(id.as_str().to_owned()));
        find(conn, sql).await
    }

    /// Returns the account of this name, or of a name that reads the same. `Admin` and
    /// `ａｄｍｉｎ` must not pass for `admin`.
    pub(crate) async fn account_named(&self, name: &Username) -> sqlx::Result<Option<Account>> {
        let mut sql = QueryBuilder::<DB>::new(format!("{COLUMNS} name_key = "));
        sql.push_bind(DB::Text::from(name.comparison_key()));
        find(&mut *self.pool().acquire().await?, sql).await
    }

    /// Whether the insertion of a newcomer's account failed because another account has the
    /// name.
    ///
    /// A unique violation alone does not say so: the database may have hit another unique key,
    /// and not every driver names the key. The name is therefore looked up.
    pub(crate) async fn is_name_taken(
        &self,
        newcomer: &Redeemer,
        error: &sqlx::Error,
    ) -> sqlx::Result<bool> {
        if !is_taken(error) {
            return Ok(false);
        }
        // Accounts whose reservation is open hold their name too.
        let mut sql = QueryBuilder::<DB>::new("SELECT id FROM users WHERE name_key = ");
        sql.push_bind(DB::Text::from(newcomer.username().comparison_key()));
        let mut conn = self.pool().acquire().await?;
        let row = sql.build().fetch_optional(DB::exec(&mut conn)).await?;
        let owner = row.as_ref().map(|row| column::<DB, DB::Text>(row, 0)).transpose()?;
        Ok(owner.map(Into::<String>::into).is_some_and(|owner| owner != newcomer.user().as_str()))
    }

    /// Creates an account on the host's connection, inside its transaction if one is open.
    /// If the name or the id is taken, the error is the database's unique violation.
    ///
    /// With a reservation, the account is not usable until that reservation is committed.
    pub(crate) async fn insert(
        conn: &mut DB::Connection,
        account: &Account,
        reservation: Option<ReservationId>,
    ) -> sqlx::Result<()> {
        let text = |text: &str| DB::Text::from(text.to_owned());
        let division = account.division.as_ref().map(|division| division.as_str().to_owned());
        let mut sql = QueryBuilder::<DB>::new(
            "INSERT INTO users (id, username, name_key, role, division, reservation) VALUES (",
        );
        let mut values = sql.separated(", ");
        values.push_bind(text(account.id.as_str()));
        values.push_bind(text(account.username.as_str()));
        values.push_bind(text(&account.username.comparison_key()));
        values.push_bind(text(account.role.as_str()));
        values.push_bind(DB::OptText::from(division));
        values.push_bind(DB::OptText::from(reservation.map(|id| id.to_string())));
        sql.push(")");
        sql.build().execute(DB::exec(conn)).await.map(drop)
    }
}

/// Returns whether a statement failed on a unique key.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

async fn find<DB: Dialect>(
    conn: &mut DB::Connection,
    mut sql: QueryBuilder<DB>,
) -> sqlx::Result<Option<Account>> {
    let row = sql.build().fetch_optional(DB::exec(conn)).await?;
    row.as_ref().map(read::<DB>).transpose()
}

fn read<DB: Dialect>(row: &DB::Row) -> sqlx::Result<Account> {
    let text = |place: usize| column::<DB, DB::Text>(row, place).map(Into::<String>::into);
    let division = column::<DB, Option<DB::Text>>(row, 3)?.map(Into::<String>::into);
    Ok(Account {
        id: UserId::from_stored(text(0)?),
        username: Username::from_stored(text(1)?),
        role: Role::from_stored(text(2)?),
        division: division.map(Division::from_stored),
    })
}

/// Returns a column of a row.
pub(crate) fn column<DB: Dialect, T>(row: &DB::Row, place: usize) -> sqlx::Result<T>
where
    T: for<'r> Decode<'r, DB> + Type<DB>,
    DB::ColumnNumber: ColumnIndex<DB::Row>,
{
    row.try_get::<T, DB::ColumnNumber>(place.into())
}
