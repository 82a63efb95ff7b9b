//! The registration link of a code.

use std::fmt;

use invitation_core::InvitationCode;
use zeroize::Zeroizing;

use crate::{base_url::BaseUrl, secret::Secret};

/// The link by which a newcomer registers. It contains the code, so `Debug` does not show
/// it, and it is wiped from memory when it is dropped.
pub struct RegistrationLink(Secret);

impl RegistrationLink {
    /// Builds the link to the page at `path`, below the public URL of the host.
    pub(crate) fn new(base_url: &BaseUrl, path: &str, code: &InvitationCode) -> Self {
        let page = base_url.of(path);
        Self(Zeroizing::new(format!("{page}#{}", code.reveal().as_str())).into())
    }

    /// Returns the link, for a mail to the newcomer. It must not get into a log.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// Returns the link for the body of a response.
    pub(crate) fn into_secret(self) -> Secret {
        self.0
    }
}

impl fmt::Debug for RegistrationLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistrationLink(…)")
    }
}
