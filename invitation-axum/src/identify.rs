//! Who is acting: the question that only the host can answer.

use std::error::Error as StdError;

use async_trait::async_trait;
use axum::http::request::Parts;
use invitation_core::Actor;

/// The host's answer to "who is acting?", from a session, a token, or whatever it has.
///
/// A function from the head of a request to an `Option<Actor>` is one, for hosts that
/// need not wait for the answer.
///
/// ```
/// use invitation_axum::{Identify, IdentifyError, Parts, async_trait};
/// use invitation_core::{Actor, Division, Role, UserId};
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
    /// Who sent the request; none when nobody is signed in, and the answer is then 401.
    ///
    /// Asked once for each request, before its body is read. It MUST take only what the
    /// host can vouch for. An origin that it gives the actor
    /// ([`Actor::with_origin`]) is kept.
    ///
    /// # Errors
    ///
    /// [`IdentifyError`] when it could not be found out; the answer is then 503.
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

/// Who is acting could not be found out. The cause is for the log, not for the client.
#[derive(Debug, thiserror::Error)]
#[error("who is acting could not be found out")]
pub struct IdentifyError(#[source] Box<dyn StdError + Send + Sync>);

impl IdentifyError {
    /// Because of `cause`.
    pub fn new(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}
