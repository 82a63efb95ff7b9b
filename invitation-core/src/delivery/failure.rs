//! Why an attempt to deliver failed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::string_enum::string_enum;

string_enum! {
    /// The kind of failure of an attempt to deliver.
    #[non_exhaustive]
    FailureKind, "failure" {
        /// The mail server could not be reached, or the connection broke.
        Unreachable = "unreachable",
        /// No answer came in time: of the mail server, or of the host's list of recipients who refuse
        /// reminders.
        TimedOut = "timed_out",
        /// The connection could not be made secure.
        Insecure = "insecure",
        /// The mail server did not accept the credentials.
        Unauthenticated = "unauthenticated",
        /// The mail server refused the mail for the moment.
        Deferred = "deferred",
        /// The mail server refused the mail for good.
        Refused = "refused",
        /// The store keeps no readable form of the code.
        CodeUnavailable = "code_unavailable",
        /// The text of the mail could not be made.
        NotRendered = "not_rendered",
        /// The worker ended during each attempt.
        Interrupted = "interrupted",
        /// Any other failure.
        Other = "other",
    }
}

impl FailureKind {
    /// Returns whether no further attempt is made on its own. A person can still retry.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::delivery::FailureKind;
    ///
    /// assert!(FailureKind::Refused.is_final() && !FailureKind::Deferred.is_final());
    /// ```
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Refused | Self::CodeUnavailable | Self::NotRendered | Self::Interrupted => true,
            // A wrong password is corrected in the configuration, and the mail then arrives.
            Self::Unreachable
            | Self::TimedOut
            | Self::Insecure
            | Self::Unauthenticated
            | Self::Deferred
            | Self::Other => false,
        }
    }
}

/// The failure of an attempt to deliver: its kind, and the reply code of the mail server.
///
/// It contains no text of the server, which may repeat the address or a part of the mail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct DeliveryFailure {
    kind: FailureKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<u16>,
}

impl DeliveryFailure {
    /// Creates a failure without a reply code.
    #[must_use]
    pub const fn new(kind: FailureKind) -> Self {
        Self { kind, reply: None }
    }

    /// Sets the reply code of the mail server, such as 550 (RFC 5321, section 4.2).
    #[must_use]
    pub const fn with_reply(self, reply: u16) -> Self {
        Self { reply: Some(reply), ..self }
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub const fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Returns the reply code of the mail server, if there was a reply.
    #[must_use]
    pub const fn reply(&self) -> Option<u16> {
        self.reply
    }
}

impl fmt::Display for DeliveryFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reply {
            Some(reply) => write!(f, "{} ({reply})", self.kind),
            None => self.kind.fmt(f),
        }
    }
}
