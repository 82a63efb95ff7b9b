//! Redemptions that take fewer round trips than the general path in `apply`.
//!
//! - [`single_statement`]: one redemption as one statement. PostgreSQL only.
//! - [`multi_statement`]: one redemption, or several of the same code, as one message of several
//!   statements. MySQL and MariaDB only.
//! - [`batch`]: redemptions of many callers, sent together by either of the two.

pub(super) mod batch;
pub(super) mod multi_statement;
pub(super) mod single_statement;
