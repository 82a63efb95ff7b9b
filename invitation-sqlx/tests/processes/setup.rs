//! How the members of a race redeem.

use std::{fmt, str::FromStr};

/// Alone or inside a host's transaction, and the isolation level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Setup {
    pub(crate) joined: bool,
    pub(crate) level: Level,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Level {
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl Setup {
    /// Returns all setups that the database of this URL supports.
    pub(crate) fn all_on(url: &str) -> Vec<Self> {
        // SQLite has only one isolation level, the strictest.
        let levels: &[_] = if url.starts_with("sqlite:") {
            &[Level::Serializable]
        } else {
            &[Level::ReadCommitted, Level::RepeatableRead, Level::Serializable]
        };
        let setups = levels.iter().flat_map(|level| [false, true].map(|joined| (joined, *level)));
        setups.map(|(joined, level)| Self { joined, level }).collect()
    }
}

impl Level {
    pub(crate) fn as_sql(self) -> &'static str {
        match self {
            Self::ReadCommitted => "READ COMMITTED",
            Self::RepeatableRead => "REPEATABLE READ",
            Self::Serializable => "SERIALIZABLE",
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.joined { "joined" } else { "alone" };
        write!(f, "{place}, {}", self.level.as_sql())
    }
}

impl FromStr for Setup {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (place, level) = text.split_once(", ").ok_or("two values")?;
        let level = [Level::ReadCommitted, Level::RepeatableRead, Level::Serializable]
            .into_iter()
            .find(|known| known.as_sql() == level)
            .ok_or("a level")?;
        Ok(Self { joined: place == "joined", level })
    }
}
