//! The people of a test: users of one host, and what a manager drafts.
//!
//! ```
//! # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
//! use invitation::{
//!     Invitations, MemoryStore,
//!     testing::people::{manager, redeemer, staff},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), invitation::Error> {
//! let invitations = Invitations::new(MemoryStore::new());
//! let created = invitations.create(&manager(), staff()).await?;
//! let redeemed = invitations.redeem(&created.code().reveal(), &redeemer("anna")).await?;
//! assert_eq!(redeemed.division().as_str(), "sales");
//! # Ok(())
//! # }
//! ```

use invitation_core::{Actor, Division, Draft, Redeemer, Role, UserId, Username};

/// Returns Ada, an administrator of all divisions, whose own is `sales`.
#[must_use]
pub fn admin() -> Actor {
    Actor::across_divisions(user("ada"), role("admin")).based_in(sales())
}

/// Returns Mia, a manager of the division `sales`.
#[must_use]
pub fn manager() -> Actor {
    Actor::in_division(user("mia"), role("manager"), sales())
}

/// Returns a newcomer, whose id is the name.
///
/// # Panics
///
/// If the text is no name.
#[must_use]
pub fn redeemer(name: &str) -> Redeemer {
    Redeemer::new(user(name), Username::new(name).expect("a name"))
}

/// Returns the draft of an invitation with the role `staff`.
pub fn staff() -> Draft {
    Draft::new().with_role(role("staff"))
}

fn user(id: &str) -> UserId {
    UserId::from_stored(id)
}

fn role(name: &str) -> Role {
    Role::from_stored(name)
}

fn sales() -> Division {
    Division::from_stored("sales")
}
