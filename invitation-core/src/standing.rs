//! The standing of a grantor: whether the user who granted an invitation may still grant it.
//!
//! The library keeps the role that the grantor had at the time. Every redemption compares that
//! role with the present policy. Whether the user *still has* the role, only the host knows: the
//! user may have been demoted, moved to another division, or removed. A host that implements
//! [`Standing`] is asked at each redemption.
//!
//! ```
//! # use invitation_core as invitation;
//! use std::{error::Error, sync::{Arc, Mutex}, time::Duration};
//!
//! use invitation::decide::standing::{Grant, Standing};
//! use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Redeemer, Refusal, Role, UserId, Username};
//!
//! /// The host's managers, by their present role.
//! #[derive(Clone, Debug)]
//! struct Managers(Arc<Mutex<Vec<UserId>>>);
//!
//! #[async_trait::async_trait]
//! impl Standing for Managers {
//!     async fn may_still_grant(&self, grant: &Grant<'_>) -> Result<bool, Box<dyn Error + Send + Sync>> {
//!         let managers = self.0.lock().map_err(|_| "the table of managers is not readable")?;
//!         Ok(managers.contains(grant.grantor))
//!     }
//!
//!     async fn sleep(&self, time: Duration) {
//!         tokio::time::sleep(time).await;
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
//! let mia = UserId::new("mia")?;
//! let managers = Managers(Arc::new(Mutex::new(vec![mia.clone()])));
//! let invitations = Invitations::new(MemoryStore::new()).with_standing(managers.clone());
//!
//! let actor = Actor::in_division(mia, Role::new("manager")?, Division::new("sales")?);
//! let code = invitations.create(&actor, Draft::new()).await?.code().reveal();
//! // Mia leaves the company. Her invitations end with her rights.
//! managers.0.lock().map_err(|_| "poisoned")?.clear();
//! let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
//! let refused = invitations.redeem(&code, &anna).await.unwrap_err();
//! assert_eq!(refused.refusal(), Some(&Refusal::GrantWithdrawn));
//! # Ok(())
//! # }
//! ```
//!
//! # When the host is asked
//!
//! | Call | Asked |
//! |---|---|
//! | `redeem`, `reserve`, `check` | if nothing else refuses the call |
//! | `admit`, `admit_with` | as `redeem`, before the transaction begins |
//! | `redeem` on a service inside a host's transaction | within that transaction |
//! | `commit` during the lease | no: the reservation was asked about, and the account exists |
//! | `commit` after the lease has expired | yes |
//! | a repeated call of the same redeemer | no: the first result is returned |
//! | any call about an invitation that the system granted | no: the system has no user whose rights could end |
//!
//! To end the invitations of the system, revoke them.
//!
//! - **No** refuses the call with [`GrantWithdrawn`](crate::Refusal::GrantWithdrawn) and the
//!   reason [`GrantorStanding`](crate::audit::Reason::GrantorStanding).
//! - **An error, or no answer** within [`TIME_LIMIT`], refuses it too, with the reason
//!   [`StandingUnknown`](crate::audit::Reason::StandingUnknown). With the feature `tracing`, the
//!   error is logged.
//!
//! A refusal consumes no use. If the grantor's rights return, so does the invitation.
//!
//! # The answer is about one version of the terms
//!
//! The redemption carries the version for which the host answered. If the invitation has another
//! grantor or role by then, the store does not apply it, and the host is asked about the new
//! grant. A grantor who loses the right between the answer and the redemption has invited in
//! time. The interval is one call to the store; inside a host's transaction, the rest of that
//! transaction.
//!
//! # Cost
//!
//! Without [`with_standing`](crate::Invitations::with_standing) nothing is asked and nothing is
//! read. With it, a redemption takes one more call to the store, which reads the grant, and the
//! host's own work. It is never sent in a batch with redemptions of other callers.
//!
//! In a host's own transaction, the hook must not wait for the transaction's connection, nor for
//! a row that the transaction has locked. Such a wait ends with the time limit, as a refusal.

use std::{error::Error as StdError, fmt, future::poll_fn, task::Poll, time::Duration};

use async_trait::async_trait;

use crate::{
    id::InvitationId,
    inviter::Inviter,
    record::Record,
    text::{Division, Role, UserId},
};

/// The time within which the host must answer one question: 5 s.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The grant whose grantor is judged: a user gave a role in a division to the holder of a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Grant<'a> {
    /// The id of the invitation.
    pub invitation: InvitationId,
    /// The user who granted it: the creator, or the user who last changed the role or the expiry,
    /// replaced the code or reinstated the invitation.
    pub grantor: &'a UserId,
    /// The role in which that user acted at the time.
    pub grantor_role: &'a Role,
    /// The division that the newcomer joins.
    pub division: &'a Division,
    /// The role that the newcomer gets.
    pub role: &'a Role,
}

impl<'a> Grant<'a> {
    /// Returns the grant of an invitation; none if the system granted it.
    pub(crate) fn of(invitation: &'a Record) -> Option<Self> {
        let Record { id, division, role, grantor, .. } = invitation;
        match grantor {
            Inviter::System => None,
            Inviter::User { user, role: grantor_role, name: _ } => {
                Some(Self { invitation: *id, grantor: user, grantor_role, division, role })
            }
        }
    }
}

/// A hook of the host, which knows the present rights of its users. The module's page says when
/// it is asked.
#[async_trait]
pub trait Standing: fmt::Debug + Send + Sync {
    /// Returns whether the grantor may still grant this role in this division.
    ///
    /// A host with the default policy returns whether the user exists, is active, reaches the
    /// division, and [may grant](crate::Policy::may_grant) the role in the present role.
    ///
    /// The future may be dropped before it is ready, at the time limit or with the caller.
    ///
    /// # Errors
    ///
    /// Any error of the host. It refuses the call, and it is logged.
    async fn may_still_grant(
        &self,
        grant: &Grant<'_>,
    ) -> Result<bool, Box<dyn StdError + Send + Sync>>;

    /// Returns after `time`, by the timer of the host's runtime. The library, which has no
    /// runtime, bounds each answer by it.
    async fn sleep(&self, time: Duration);
}

/// The reason why a question has no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The hook failed.
    Failed(Box<dyn StdError + Send + Sync>),
    /// The hook took longer than the time limit.
    TooLate,
}

/// Asks about a grant, and waits for the answer until the time limit.
pub(crate) async fn ask(standing: &dyn Standing, grant: &Grant<'_>) -> Result<bool, NoAnswer> {
    let mut answer = standing.may_still_grant(grant);
    let mut too_late = standing.sleep(TIME_LIMIT);
    poll_fn(|cx| match answer.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(answer.map_err(NoAnswer::Failed)),
        Poll::Pending => too_late.as_mut().poll(cx).map(|()| Err(NoAnswer::TooLate)),
    })
    .await
}
