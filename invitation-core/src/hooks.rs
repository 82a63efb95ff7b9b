//! Hooks of the host around each command: a veto before it, a notification after it.
//!
//! A host that implements [`Hooks`] is asked before each command that changes an invitation, and
//! hears of it afterwards. The hooks stand outside of the atomic step: the step and its event are
//! kept together or not at all, whatever a hook does.
//!
//! ```
//! # use invitation_core as invitation;
//! use std::{error::Error, time::Duration};
//!
//! use invitation::decide::hooks::{CommandKind, Done, Hooks, Intent, Veto};
//! use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
//!
//! /// A hiring freeze: no invitation to the division "sales".
//! #[derive(Debug)]
//! struct Freeze;
//!
//! #[async_trait::async_trait]
//! impl Hooks for Freeze {
//!     async fn before(&self, intent: &Intent) -> Result<(), Veto> {
//!         let creates = matches!(intent.kind, CommandKind::Create | CommandKind::CreateMany);
//!         let frozen = intent.invitations.iter().any(|one| one.division.as_str() == "sales");
//!         if creates && frozen {
//!             return Err(Veto::because("Sales is frozen until Monday."));
//!         }
//!         Ok(())
//!     }
//!
//!     async fn after(&self, done: &Done) -> Result<(), Box<dyn Error + Send + Sync>> {
//!         println!("{}: {} invitations", done.kind, done.invitations.len());
//!         Ok(())
//!     }
//!
//!     async fn sleep(&self, time: Duration) {
//!         tokio::time::sleep(time).await;
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn Error>> {
//! let invitations = Invitations::new(MemoryStore::new()).with_hooks(Freeze);
//! let (mia, role) = (UserId::new("mia")?, Role::new("manager")?);
//! let actor = Actor::in_division(mia, role, Division::new("sales")?);
//! let refused = invitations.create(&actor, Draft::new()).await.unwrap_err();
//! assert_eq!(refused.to_string(), "Sales is frozen until Monday.");
//! # Ok(())
//! # }
//! ```
//!
//! # When the hooks are called
//!
//! | Call | Kind | Invitations of the intent |
//! |---|---|---|
//! | `create`, `create_once` | `Create` | the new one, without an id |
//! | `create_many`, `create_many_once`, `import` | `CreateMany` | all rows that would be created |
//! | `import_part`, and each part of an import job | `CreateMany` | the rows of the part |
//! | `redeem`, `admit`, `admit_with` | `Redeem` | the one with the code |
//! | `reserve` | `Reserve` | the one with the code |
//! | `commit` | `Commit` | the one of the reservation |
//! | `redeem_with` | `Reserve`, then `Commit` | as these |
//! | `amend` | `Amend` | the present terms; [`Intent::amended`] has the new ones |
//! | `rotate`, `revoke`, `reinstate`, `delete` | of the same name | the one that is changed |
//! | `revoke_all` | `Revoke` | those of one page |
//! | `Deliveries::resend`, `Deliveries::retry` | `Resend` | the one that is sent |
//! | `Deliveries::resend_all` | `Resend` | those of one page that are sent |
//!
//! - Each command asks once, however many invitations it has. A veto refuses all of them.
//! - A hook is asked if nothing else refuses the call: after the rights, the limits and the state
//!   of the invitation, and after the [standing](crate::standing) of the grantor. Quotas are counted
//!   in the step, and so after the hook.
//! - A repeated call that only returns an earlier result asks nothing and notifies nothing.
//! - Reading, copying, releasing a reservation, a dry run, purging, resealing and the work of the
//!   workers of deliveries ask nothing.
//! - A resend with a new code asks about the resend, and then about the rotation.
//! - The hooks see no code, no key and no digest.
//!
//! # The veto
//!
//! - [`Veto::because`] refuses the call with [`Refusal::Vetoed`](crate::Refusal::Vetoed), which has
//!   the host's text for the caller. The event has the reason
//!   [`Vetoed`](crate::audit::Reason::Vetoed), and the text as its detail `veto`.
//! - **An error, a panic, or no answer** within [`TIME_LIMIT`] refuses it too, with the reason
//!   [`HookFailed`](crate::audit::Reason::HookFailed). With the feature `tracing`, the cause is
//!   logged.
//!
//! A refusal changes nothing. With [`Disclosure::Nothing`](crate::Disclosure::Nothing), the veto of
//! a redemption or reservation reads like an unknown code.
//!
//! Where the intent has an invitation that exists, the answer is about its version. If the terms
//! have changed by the time of the step, the store does not apply it, and the hook is asked about
//! the present terms. `revoke_all` and a resend are the exceptions: they do not depend on the
//! terms.
//!
//! A host that refuses a `Commit` has already created the account, because the reservation was
//! allowed. After such a refusal the reservation is as it was, and the commit can be repeated.
//!
//! # The notification
//!
//! [`Hooks::after`] is called once the store has kept the step. Its error, its panic and its delay
//! do not change the answer: the call waits for it at most [`NOTICE_LIMIT`]. A host that does not
//! want to wait at all starts a task in it.
//!
//! An import job of all rows or none that takes one transaction notifies when it has ended, of up to
//! 1,000 invitations at a time, the newest first. These notifications have calls of their own.
//!
//! It is called **at most once**. It is not called if the process dies, if the caller drops the
//! call, if the outcome is unknown, or if the host commits a transaction of its own: only
//! [`Admission::commit`](crate::admit::Admission::commit) notifies. A consumer that needs each event
//! reads the [feed](crate::feed).
//!
//! # Cost
//!
//! Without [`with_hooks`](crate::Invitations::with_hooks) nothing is asked and nothing more is
//! read. With it, `redeem`, `reserve`, `commit`, `revoke` and `delete` take one more call to the
//! store, which reads the terms, as does a creation under an idempotency key, which looks for the
//! earlier result. A redemption is never sent in a batch with those of other callers.
//!
//! In a host's own transaction, the hook must not wait for the transaction's connection, nor for a
//! row that the transaction has locked. Such a wait ends with the time limit, as a refusal. `admit`
//! asks before its transaction begins.

mod bounded;
mod intent;
mod veto;

use std::{error::Error as StdError, fmt, time::Duration};

use async_trait::async_trait;

pub(crate) use self::bounded::{Lapse, Notice, ask};
pub use self::{
    intent::{CommandKind, Done, Intent, InvitationTerms},
    veto::{Veto, VetoReason},
};

/// The time within which the host must answer before a command: 5 s.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The time that a call waits for a notification at most: 1 s.
pub const NOTICE_LIMIT: Duration = Duration::from_secs(1);

/// Hooks of the host around each command. The module's page says when they are called.
#[async_trait]
pub trait Hooks: fmt::Debug + Send + Sync {
    /// Allows a command, or refuses it.
    ///
    /// The future may be dropped before it is ready, at the time limit or with the caller.
    ///
    /// # Errors
    ///
    /// [`Veto`]. Any error of the host becomes one by `?`: it refuses the command, and it is
    /// logged.
    async fn before(&self, intent: &Intent) -> Result<(), Veto>;

    /// Hears that a command was done. Does nothing by default.
    ///
    /// The future may be dropped before it is ready, at the time limit or with the caller.
    ///
    /// # Errors
    ///
    /// Any error of the host. It is logged, and has no further effect.
    async fn after(&self, done: &Done) -> Result<(), Box<dyn StdError + Send + Sync>> {
        let _ = done;
        Ok(())
    }

    /// Returns after `time`, by the timer of the host's runtime. The library, which has no
    /// runtime, bounds each hook by it.
    async fn sleep(&self, time: Duration);
}
