//! The registration link of a code, and the page that it leads to.

mod base_url;

use std::fmt;

use zeroize::Zeroizing;

pub use self::base_url::BaseUrl;
use crate::code::InvitationCode;

/// The host's page that accepts codes, from which links are built.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{
///     code::{CodeFormat, OsEntropy},
///     delivery::{BaseUrl, RegistrationPage},
/// };
///
/// let page = RegistrationPage::new(BaseUrl::parse("https://example.com/app")?);
/// let code = CodeFormat::default().generate(&OsEntropy)?;
/// let link = page.link(&code);
/// assert!(link.reveal().starts_with("https://example.com/app/register#"));
/// assert!(link.reveal().ends_with(code.reveal().as_str()));
/// assert_eq!(format!("{link:?}"), "RegistrationLink(…)");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrationPage {
    base_url: BaseUrl,
    path: String,
}

impl RegistrationPage {
    /// The path below the base URL, unless the host sets another one.
    pub const DEFAULT_PATH: &str = "/register";

    /// Creates the page at [`DEFAULT_PATH`](Self::DEFAULT_PATH) below the public URL of the host.
    #[must_use]
    pub fn new(base_url: BaseUrl) -> Self {
        Self { base_url, path: Self::DEFAULT_PATH.to_owned() }
    }

    /// Sets the path below the base URL. A missing slash at its beginning is added.
    #[must_use]
    pub fn with_path(self, path: &str) -> Self {
        let slash = if path.starts_with('/') { "" } else { "/" };
        Self { path: format!("{slash}{path}"), ..self }
    }

    /// Returns the link of a code. The code is the fragment, which no browser sends to a server.
    #[must_use]
    pub fn link(&self, code: &InvitationCode) -> RegistrationLink {
        let Self { base_url, path } = self;
        let code = code.reveal();
        RegistrationLink(Zeroizing::new(format!("{base_url}{path}#{}", code.as_str())))
    }
}

/// The link by which a newcomer registers. It contains the code, so `Debug` does not show
/// it, and it is wiped from memory when it is dropped.
pub struct RegistrationLink(Zeroizing<String>);

impl RegistrationLink {
    /// Returns the link, for a mail to the newcomer. It must not get into a log.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the text of the link, which is wiped from memory when it is dropped.
    #[must_use]
    pub fn into_text(self) -> Zeroizing<String> {
        self.0
    }
}

impl fmt::Debug for RegistrationLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistrationLink(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{code::CodeFormat, entropy::OsEntropy};

    #[test]
    fn path_without_a_slash_gets_one() {
        let page = RegistrationPage::new(BaseUrl::parse("https://example.com").unwrap());
        let code = CodeFormat::default().generate(&OsEntropy).unwrap();
        for path in ["join", "/join"] {
            let link = page.clone().with_path(path).link(&code).into_text();
            assert!(link.starts_with("https://example.com/join#"), "{path}");
        }
    }
}
