//! Tests of imports that create all invitations or none, in one transaction of the store.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod promises;

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "sqlite")]
mod sqlite {
    crate::promises::promises!(invitation_sqlx::sqlx::Sqlite);
}

#[cfg(feature = "postgres")]
mod postgres {
    crate::promises::promises!(invitation_sqlx::sqlx::Postgres);
}

#[cfg(feature = "mysql")]
mod mysql {
    crate::promises::promises!(invitation_sqlx::sqlx::MySql);
}
