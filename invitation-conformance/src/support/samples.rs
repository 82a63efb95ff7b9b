//! The users, roles, divisions and addresses of the tests.
//!
//! Names are created unchecked. A store compares names byte for byte, including those
//! that only an earlier release accepted.

use invitation_core::{
    Actor, Division, Email, EmailDomain, IdempotencyKey, Redeemer, Role, Timestamp, UserId,
    Username, VerifiedEmail,
};

/// Returns the instant at which the tests begin.
pub(crate) fn start() -> Timestamp {
    at(1_800_000_000_000_000)
}

/// Returns the instant `micros` microseconds after the epoch.
pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("an instant that a timestamp can hold")
}

/// Returns the instant `micros` microseconds after `t`.
pub(crate) fn later(t: Timestamp, micros: i64) -> Timestamp {
    at(t.as_micros() + micros)
}

pub(crate) fn role(name: &str) -> Role {
    Role::from_stored(name)
}

pub(crate) fn division(name: &str) -> Division {
    Division::from_stored(name)
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::from_stored(id)
}

pub(crate) fn email(address: &str) -> Email {
    Email::parse(address).expect("an address")
}

pub(crate) fn domain(name: &str) -> EmailDomain {
    EmailDomain::parse(name).expect("a domain")
}

/// Returns the administrator, who reaches all divisions and is based in sales.
pub(crate) fn admin() -> Actor {
    Actor::across_divisions(user("u-admin"), role("admin")).based_in(division("sales"))
}

/// Returns the manager of a division.
pub(crate) fn manager(of: &str) -> Actor {
    Actor::in_division(user(&format!("u-manager-{of}")), role("manager"), division(of))
}

/// Returns a newcomer without a proved address.
pub(crate) fn newcomer(name: &str) -> Redeemer {
    Redeemer::new(user(&format!("u-{name}")), Username::from_stored(name))
}

/// Returns a newcomer with the proved address `address`.
pub(crate) fn newcomer_with_email(name: &str, address: &str) -> Redeemer {
    newcomer(name).with_email(VerifiedEmail::vouched_by_host(email(address)))
}

/// Returns names that are easily confused and that a store must distinguish.
pub(crate) fn confusable_names() -> [&'static str; 18] {
    [
        "sales",
        "Sales",
        "SALES",
        "sales\u{200b}",
        "sales\u{0301}",
        "sale",
        "sales-2",
        "sal_s",
        "sal%",
        "sal*",
        "sa\u{17f}es",
        "\u{e9}t\u{e9}",
        "e\u{301}te\u{301}",
        "ete",
        "{sales}",
        "a:b",
        "'; DROP TABLE x; --",
        "0",
    ]
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).expect("a key")
}
