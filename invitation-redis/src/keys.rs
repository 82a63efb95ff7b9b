//! Namespaces, and the keys in them.

use std::{fmt, sync::Arc};

/// A prefix that reserves a part of a server's keys for one store.
///
/// All its keys are `{namespace}:` and a key name. In a cluster they lie in one slot,
/// because the text in the braces selects it. Two namespaces never share a key, and no name
/// of a user, role or division is ever part of a key.
///
/// ```
/// # mod invitation { pub use invitation_redis as redis_store; }
/// use invitation::redis_store::Namespace;
///
/// let tenant: Namespace = "tenant-42".parse()?;
/// assert_eq!(tenant.pattern(), "{tenant-42}:*");
/// assert!("{tenant}".parse::<Namespace>().is_err());
/// # Ok::<_, invitation::redis_store::InvalidNamespace>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Namespace(Arc<str>);

/// The error for a text that cannot be a namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a namespace must be 1 to 64 ASCII letters, digits, full stops, hyphens or underscores")]
pub struct InvalidNamespace;

impl Namespace {
    /// The maximum length of a namespace, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Returns the namespace as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the pattern that matches exactly the keys of this namespace. A restricted
    /// user of the server needs it (`~` in an access control list).
    #[must_use]
    pub fn pattern(&self) -> String {
        format!("{{{}}}:*", self.0)
    }

    fn key(&self, word: &str) -> String {
        format!("{{{}}}:{word}", self.0)
    }
}

impl Default for Namespace {
    /// Returns the namespace `invitation`.
    fn default() -> Self {
        Self("invitation".into())
    }
}

impl std::str::FromStr for Namespace {
    type Err = InvalidNamespace;

    fn from_str(text: &str) -> Result<Self, InvalidNamespace> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
        if (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidNamespace)
        }
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Namespace({:?})", &*self.0)
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The keys of a namespace, in the order in which every script takes them.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    namespace: Namespace,
    all: Arc<[String; 13]>,
}

impl Keys {
    pub(crate) fn of(namespace: Namespace) -> Self {
        let words = [
            "invitations",
            "codes",
            "events",
            "index",
            "trail",
            "redemptions",
            "leases",
            "requests",
            "feed",
            "cursors",
            "documents",
            "document_index",
            "budgets",
        ];
        let all = Arc::new(words.map(|word| namespace.key(word)));
        Self { namespace, all }
    }

    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    pub(crate) fn all(&self) -> &[String; 13] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_cannot_leave_its_braces() {
        for wrong in ["", "a}b", "{a}", "a:b", "a b", "a\n", "a*", "é", &"a".repeat(65)] {
            assert_eq!(wrong.parse::<Namespace>(), Err(InvalidNamespace), "{wrong:?}");
        }
        let longest = "a".repeat(64).parse::<Namespace>().ok();
        let keys = longest.map(|namespace| Keys::of(namespace).all().clone());
        assert!(keys.is_some_and(|keys| keys.iter().all(|key| key.starts_with("{aaaa"))));
    }
}
