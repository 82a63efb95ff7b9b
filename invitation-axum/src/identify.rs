//! Identifying the actor of a request, which only the host can do.

use std::error::Error as StdError;

use async_trait::async_trait;
use axum::http::request::Parts;
use invitation_core::Actor;

/// Identifies the actor of a request, from a session, a token, or anything else that the host uses.
///
/// A function from the head of a request to an `Option<Actor>` is one, for hosts that
/// need not wait for the answer and cannot fail to find it. A host whose look-up may fail
/// implements the trait: to a function, a failure could only be `None`, and the client would
/// be told to sign in.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
/// use invitation::{
///     Actor, Division, Role, UserId,
///     web::{Identify, IdentifyError, Parts, async_trait},
/// };
///
/// struct Sessions; // the host's
/// # impl Sessions {
/// #     async fn find(&self, _: &Parts) -> Result<Option<(String, String)>, std::io::Error> {
/// #         Ok(Some(("u-1".into(), "sales".into())))
/// #     }
/// # }
///
/// #[async_trait]
/// impl Identify for Sessions {
///     async fn actor(&self, request: &Parts) -> Result<Option<Actor>, IdentifyError> {
///         let found = self.find(request).await.map_err(IdentifyError::new)?;
///         let Some((user, division)) = found else { return Ok(None) };
///         let user = UserId::new(user).map_err(IdentifyError::new)?;
///         let role = Role::new("manager").map_err(IdentifyError::new)?;
///         let division = Division::new(division).map_err(IdentifyError::new)?;
///         Ok(Some(Actor::in_division(user, role, division)))
///     }
/// }
/// ```
#[async_trait]
pub trait Identify: Send + Sync + 'static {
    /// Returns the actor who sent the request. `None` means that no user is signed in;
    /// the response is then 401.
    ///
    /// It is called once for each request, before the body is read. It MUST rely only on
    /// facts that the host can vouch for. The menu, the audit trail and the invitations that the
    /// actor creates show the actor's name beside the user id, if the host sets one
    /// ([`Actor::with_name`]). If it gives the actor a correlation id ([`Actor::with_context`]),
    /// that id is kept.
    ///
    /// # Errors
    ///
    /// [`IdentifyError`] if the actor could not be determined; the response is then 503.
    async fn actor(&self, request: &Parts) -> Result<Option<Actor>, IdentifyError>;
}

#[async_trait]
impl<F> Identify for F
where
    F: Fn(&Parts) -> Option<Actor> + Send + Sync + 'static,
{
    async fn actor(&self, request: &Parts) -> Result<Option<Actor>, IdentifyError> {
        Ok(self(request))
    }
}

/// The error of a host that could not determine the actor. Its cause is for the log, not
/// for the client.
#[derive(Debug, thiserror::Error)]
#[error("the actor could not be identified")]
pub struct IdentifyError(#[source] Box<dyn StdError + Send + Sync>);

impl IdentifyError {
    /// Creates an error with this cause.
    pub fn new(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}
