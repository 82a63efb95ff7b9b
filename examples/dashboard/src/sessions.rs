//! Sessions of signed-in users, identified by a browser cookie.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use invitation::{UserId, code::EntropyError};

use crate::secret::{self, Secret};

/// The lifetime of a session.
pub(crate) const LIFETIME: Duration = Duration::from_hours(8);

/// The maximum number of sessions; beyond it, the oldest one ends.
const MAX_SESSIONS: usize = 10_000;

/// The sessions, by the hash of their id, in memory: a restart signs all users out.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Session>>);

struct Session {
    user: UserId,
    until: Instant,
}

impl Sessions {
    /// Begins a session. Its id is a secret that only the browser receives.
    pub(crate) fn begin(&self, user: UserId) -> Result<Secret, EntropyError> {
        let id = secret::random()?;
        let now = Instant::now();
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MAX_SESSIONS {
            sessions.retain(|_, session| session.until > now);
        }
        if sessions.len() >= MAX_SESSIONS {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.until);
            if let Some(hash) = oldest.map(|(hash, _)| hash.clone()) {
                sessions.remove(&hash);
            }
        }
        sessions.insert(id.hash(), Session { user, until: now + LIFETIME });
        Ok(id)
    }

    /// Returns the user of a session.
    pub(crate) fn user(&self, id: &Secret) -> Option<UserId> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(&id.hash())?;
        (session.until > Instant::now()).then(|| session.user.clone())
    }

    /// Ends a session.
    pub(crate) fn end(&self, id: &Secret) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id.hash());
    }
}
