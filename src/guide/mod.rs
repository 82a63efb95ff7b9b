//! The guide: how to embed the library, and how to operate it.
//!
//! Each chapter is a module with a page of its own. A test compiles and runs their snippets.
//!
//! A page says once which dependencies its snippets need. Before the first release, replace the
//! version of `invitation` by the path of a checkout:
//! `invitation = { path = "../invitation", features = ["sqlite"] }`.
//!
//! Statements outside of a function belong into one like this, from which `?` returns errors:
//!
//! ```
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // The statements.
//!     Ok(())
//! }
//! ```
//!
//! | Chapter | |
//! |---|---|
//! | [`quick_start`] | from an empty folder to a redeemed code |
//! | [`concepts`] | what an invitation is, its states, and which way to redeem |
//! | [`embedding`] | axum, actix-web, and plain tokio |
//! | [`roles`] | who may do what, as data |
//! | [`hooks`] | the host's own rules: a veto, and a notification |
//! | [`transactions`] | the account and the redemption in one transaction |
//! | [`reservations`] | accounts that live in another system |
//! | [`deliveries`] | mail and webhooks |
//! | [`importing`] | files of invitations of any size |
//! | [`funnel`] | what became of invitations, in numbers |
//! | [`keys`] | codes that a stolen database does not reveal |
//! | [`trail`] | the audit trail, and how to prove that it is whole |
//! | [`operating`] | migrations, retention, metrics, alerts, backups, upgrades |
//! | [`writing_a_store`] | another database behind the same promises |
//! | [`moving_in`] | from a hand-made table of invitations to this library |
//! | [`alternatives`] | when to choose something else |
//! | [`questions`] | frequent questions |

// With fewer features, some links lead to modules that are missing.
#![cfg_attr(
    not(all(
        feature = "audit-log",
        feature = "axum",
        feature = "files",
        feature = "keyring",
        feature = "mysql",
        feature = "redis",
        feature = "smtp",
        feature = "sqlx",
        feature = "testing",
        feature = "throttle",
        feature = "webhooks",
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

// The package `invitation-documents` compiles the snippets: they need crates that this one must
// not depend on, such as axum.

pub mod quick_start {
    #![cfg_attr(not(doctest), doc = include_str!("quick_start.md"))]
}

pub mod concepts {
    #![cfg_attr(not(doctest), doc = include_str!("concepts.md"))]
}

pub mod embedding {
    #![cfg_attr(not(doctest), doc = include_str!("embedding.md"))]
}

pub mod roles {
    #![cfg_attr(not(doctest), doc = include_str!("roles.md"))]
}

pub mod hooks {
    #![cfg_attr(not(doctest), doc = include_str!("hooks.md"))]
}

pub mod transactions {
    #![cfg_attr(not(doctest), doc = include_str!("transactions.md"))]
}

pub mod reservations {
    #![cfg_attr(not(doctest), doc = include_str!("reservations.md"))]
}

pub mod deliveries {
    #![cfg_attr(not(doctest), doc = include_str!("deliveries.md"))]
}

pub mod importing {
    #![cfg_attr(not(doctest), doc = include_str!("importing.md"))]
}

pub mod funnel {
    #![cfg_attr(not(doctest), doc = include_str!("funnel.md"))]
}

pub mod keys {
    #![cfg_attr(not(doctest), doc = include_str!("keys.md"))]
}

pub mod trail {
    #![cfg_attr(not(doctest), doc = include_str!("trail.md"))]
}

pub mod operating {
    #![cfg_attr(not(doctest), doc = include_str!("operating.md"))]
}

pub mod writing_a_store {
    #![cfg_attr(not(doctest), doc = include_str!("writing_a_store.md"))]
}

pub mod moving_in {
    #![cfg_attr(not(doctest), doc = include_str!("moving_in.md"))]
    #![cfg_attr(not(doctest), doc = "\n```rust")]
    #![cfg_attr(not(doctest), doc = include_str!("moving_in.rs"))]
    #![cfg_attr(not(doctest), doc = "```\n")]
    #![cfg_attr(not(doctest), doc = include_str!("moving_in_after.md"))]
}

pub mod alternatives {
    #![cfg_attr(not(doctest), doc = include_str!("alternatives.md"))]
}

pub mod questions {
    #![cfg_attr(not(doctest), doc = include_str!("questions.md"))]
}
