//! The host's own table of users.

use invitation::{Actor, Dialect, Division, ReservationId, Role, UserId, Username, sqlx};
use sqlx::{ColumnIndex, Decode, QueryBuilder, Row, Type};

use crate::tables::Tables;

/// Somebody who has an account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    pub(crate) username: Username,
    pub(crate) role: Role,
    /// None for who belongs to all of them.
    pub(crate) division: Option<Division>,
}

impl Account {
    /// As whom the library knows them: in this host an administrator reaches all
    /// divisions, everybody else their own.
    pub(crate) fn actor(&self) -> Actor {
        let (id, role) = (self.id.clone(), self.role.clone());
        match &self.division {
            Some(division) if !self.is_administrator() => {
                Actor::in_division(id, role, division.clone())
            }
            Some(home) => Actor::across_divisions(id, role).based_in(home.clone()),
            None => Actor::across_divisions(id, role),
        }
    }

    pub(crate) fn is_administrator(&self) -> bool {
        self.role.as_str() == "admin"
    }
}

const COLUMNS: &str =
    "SELECT id, username, role, division FROM users WHERE reservation IS NULL AND";

impl<DB: Dialect> Tables<DB> {
    /// The account with this id.
    pub(crate) async fn account(&self, id: &UserId) -> sqlx::Result<Option<Account>> {
        let mut sql = QueryBuilder::<DB>::new(format!("{COLUMNS} id = "));
        sql.push_bind(DB::Text::from(id.as_str().to_owned()));
        self.find(sql).await
    }

    /// The account of this name, or of one that reads the same: `Admin` is not to be taken
    /// for `admin`, nor `ａｄｍｉｎ`.
    pub(crate) async fn account_named(&self, name: &Username) -> sqlx::Result<Option<Account>> {
        let mut sql = QueryBuilder::<DB>::new(format!("{COLUMNS} name_key = "));
        sql.push_bind(DB::Text::from(name.comparison_key()));
        self.find(sql).await
    }

    async fn find(&self, mut sql: QueryBuilder<DB>) -> sqlx::Result<Option<Account>> {
        let mut conn = self.pool().acquire().await?;
        let row = sql.build().fetch_optional(DB::exec(&mut conn)).await?;
        row.as_ref().map(read::<DB>).transpose()
    }

    /// Creates an account, on the host's connection; in a transaction, if one is open on
    /// it. That the name, or the id, is taken is the database's unique violation.
    ///
    /// With a reservation the account is not of use yet, until that is committed.
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

/// Whether a unique key was hit.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

fn read<DB: Dialect>(row: &DB::Row) -> sqlx::Result<Account> {
    let text = |place: usize| column::<DB, DB::Text>(row, place).map(Into::<String>::into);
    let division: Option<String> = column::<DB, DB::OptText>(row, 3)?.into();
    Ok(Account {
        id: UserId::from_stored(text(0)?),
        username: Username::from_stored(text(1)?),
        role: Role::from_stored(text(2)?),
        division: division.map(Division::from_stored),
    })
}

/// A value of a row.
pub(crate) fn column<DB: Dialect, T>(row: &DB::Row, place: usize) -> sqlx::Result<T>
where
    T: for<'r> Decode<'r, DB> + Type<DB>,
    DB::Place: ColumnIndex<DB::Row>,
{
    row.try_get::<T, DB::Place>(place.into())
}
