//! The implementation of the port: each call takes the lock, plans, writes, and only then
//! changes the memory.

use std::{
    error::Error,
    fmt,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use invitation::{
    InvitationId, Redemption, Store, StoreError, StoreErrorKind, Timestamp, UserId,
    audit::{Event, EventId},
    store::{
        CommittedBy, EventFilter, Facts, Filter, Insert, Inserted, Invitee, Located, OpenLease,
        Outcome, PageRequest, Purge, Purged, Record, Scope, StatusCounts, StorePage, Target,
        Transition,
    },
};
use serde_json::Value;
use tokio::runtime::Handle;

use crate::{
    codec::{Keep as _, Unreadable},
    journal::Journal,
    state::{Op, State},
    steps::{self, Planned},
};

/// The maximum time that a call waits for earlier calls.
const PATIENCE: Duration = Duration::from_secs(10);

/// A store in a folder: `journal` records all changes, and `lock` allows only one process
/// to open it. All data are in memory as well.
///
/// The journal only grows: purged data are gone from the store, but not from the file. A
/// store for production would rewrite the file from time to time.
#[derive(Clone)]
pub(crate) struct JournalStore(Arc<Shared>);

struct Shared {
    gate: Gate,
    /// The open store; `None` after `close`.
    core: Mutex<Option<Core>>,
}

pub(crate) struct Core {
    pub(crate) journal: Journal,
    pub(crate) state: State,
    /// The lock on the folder. Fields drop in order, so it is released after the journal is
    /// closed.
    _lock: File,
}

impl JournalStore {
    /// Opens the store in `folder`, and creates the folder if it does not exist.
    ///
    /// # Errors
    ///
    /// `Unavailable` while another store in any process has it open, or when the files
    /// cannot be read; `Corrupt` when their contents are invalid.
    pub(crate) async fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        let core = blocking("open", move || Self::open_now(&folder)).await?;
        Ok(Self(Arc::new(Shared { gate: Gate::default(), core: Mutex::new(Some(core)) })))
    }

    fn open_now(folder: &Path) -> Result<Core, StoreError> {
        fs::create_dir_all(folder).map_err(|why| unavailable("open", why))?;
        let lock = File::create(folder.join("lock")).map_err(|why| unavailable("open", why))?;
        lock.try_lock().map_err(|why| match why {
            TryLockError::WouldBlock => unavailable("open", "another store has this folder open"),
            TryLockError::Error(cause) => unavailable("open", cause),
        })?;
        let mut state = State::default();
        let journal = Journal::open(&folder.join("journal"), |step| {
            let step: Value =
                serde_json::from_str(step).map_err(|why| Unreadable(why.to_string()))?;
            // Decode the whole step before applying any part of it.
            for op in Vec::<Op>::read(&step)? {
                state.make(op);
            }
            Ok(())
        })?;
        Ok(Core { journal, state, _lock: lock })
    }

    /// Releases the folder, even if clones of this store still exist. Later calls fail.
    ///
    /// # Errors
    ///
    /// When earlier calls take too long.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.0);
        blocking("close", move || {
            shared.locked("close", |core| {
                *core = None;
                Ok(())
            })
        })
        .await
    }

    /// Runs `work` under the lock, on a thread that may block on the disk. It runs to its
    /// end even when the future is dropped, so its effect is all or nothing.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Core) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.0);
        blocking(operation, move || {
            shared.locked(operation, |core| {
                let core = core.as_mut().ok_or_else(|| unavailable(operation, "it was closed"))?;
                core.journal.usable(operation)?;
                work(core)
            })
        })
        .await
    }
}

impl Shared {
    fn locked<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Option<Core>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _pass = self.gate.enter().ok_or_else(|| unavailable(operation, "too many calls"))?;
        // The gate admits one call at a time, so this lock is always free.
        let core = self.core.lock();
        work(&mut *core.map_err(|_| unavailable(operation, "a former call panicked"))?)
    }
}

impl Core {
    /// Writes a step to the disk first, then applies it in memory, where it cannot fail.
    fn commit(&mut self, operation: &'static str, step: Vec<Op>) -> Result<(), StoreError> {
        if step.is_empty() {
            return Ok(());
        }
        self.journal.append(operation, &step.keep().to_string())?;
        for op in step {
            self.state.make(op);
        }
        Ok(())
    }

    fn apply(&mut self, transition: &Transition) -> Result<Outcome, StoreError> {
        let (id, step) = match steps::transition(&self.state, transition)? {
            Planned::Answer(answer) => return Ok(answer),
            Planned::Change(id, step) => (id, step),
        };
        self.commit("apply", step)?;
        // Look up by id: after a rotation, the code in the target is unknown.
        match self.state.invitations.get(&id) {
            Some(kept) => Ok(Outcome::Applied(Box::new(kept.facts_for(transition)))),
            None => Err(StoreError::new(StoreErrorKind::OutcomeUnknown, "apply")),
        }
    }
}

#[async_trait]
impl Store for JournalStore {
    fn committed_by(&self) -> CommittedBy {
        CommittedBy::Store
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        let insert = insert.clone();
        self.run("insert", move |core| {
            let (answer, step) = steps::insert(&core.state, &insert)?;
            core.commit("insert", step)?;
            Ok(answer)
        })
        .await
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        let mut answers = Vec::with_capacity(transitions.len());
        for transition in transitions {
            let transition = transition.clone();
            answers.push(self.run("apply", move |core| core.apply(&transition)).await);
        }
        answers
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Record>, StoreError> {
        let (target, scope) = (target.clone(), scope.clone());
        self.run("get", move |core| Ok(core.state.get(&target, &scope))).await
    }

    async fn facts(
        &self,
        target: &Target,
        scope: &Scope,
        user: &UserId,
    ) -> Result<Option<Facts>, StoreError> {
        let (target, scope, user) = (target.clone(), scope.clone(), user.clone());
        self.run("facts", move |core| {
            let found = core.state.find(&target);
            let found = found.filter(|kept| scope.contains(&kept.invitation.division));
            let facts = found.map(|kept| kept.facts(Some(&user)));
            Ok(facts.filter(|facts| target.finds(&facts.invitation, facts.mine.as_ref())))
        })
        .await
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        let target = target.clone();
        self.run("locate", move |core| Ok(core.state.locate(&target))).await
    }

    async fn are_invited(
        &self,
        invitees: &[Invitee],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        let invitees = invitees.to_vec();
        self.run("are_invited", move |core| {
            let is_invited = |invitee: &Invitee| {
                let all = core.state.invitations.values();
                all.map(|kept| &kept.invitation).any(|one| invitee.is_invited_by(one, now))
            };
            Ok(invitees.iter().map(is_invited).collect())
        })
        .await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Record, InvitationId>, StoreError> {
        let (scope, filter, page) = (scope.clone(), filter.clone(), *page);
        self.run("list", move |core| Ok(core.state.list(&scope, &filter, &page))).await
    }

    async fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        cap: u32,
    ) -> Result<StatusCounts, StoreError> {
        let (scope, filter) = (scope.clone(), filter.clone());
        self.run("count", move |core| Ok(core.state.count(&scope, &filter, cap))).await
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>, StoreError> {
        let (scope, page) = (scope.clone(), *page);
        self.run("redemptions", move |core| Ok(core.state.redemptions(&scope, invitation, &page)))
            .await
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>, StoreError> {
        let (scope, page) = (scope.clone(), *page);
        self.run("leases", move |core| Ok(core.state.leases(&scope, &page))).await
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        let events = events.to_vec();
        self.run("record", move |core| {
            let step = steps::record(&core.state, &events);
            core.commit("record", step)
        })
        .await
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError> {
        let (scope, filter, page) = (scope.clone(), filter.clone(), *page);
        self.run("events", move |core| Ok(core.state.events(&scope, &filter, &page))).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let purge = purge.clone();
        self.run("purge", move |core| {
            let (answer, step) = steps::purge(&core.state, &purge);
            core.commit("purge", step)?;
            Ok(answer)
        })
        .await
    }
}

impl fmt::Debug for JournalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalStore").finish_non_exhaustive()
    }
}

fn unavailable(
    operation: &'static str,
    why: impl Into<Box<dyn Error + Send + Sync>>,
) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, operation).because(why)
}

async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let runtime = Handle::try_current().map_err(|why| unavailable(operation, why))?;
    runtime.spawn_blocking(work).await.unwrap_or_else(|why| {
        // A task that a closing runtime never started has done nothing.
        let begun = !why.is_cancelled();
        let kind = if begun { StoreErrorKind::OutcomeUnknown } else { StoreErrorKind::Unavailable };
        Err(StoreError::new(kind, operation).because(why))
    })
}

/// A lock with a timeout: it admits one call at a time, and the others wait no longer than
/// [`PATIENCE`]. The mutex of std has no timeout.
#[derive(Default)]
struct Gate {
    taken: Mutex<bool>,
    freed: Condvar,
}

struct Pass<'a>(&'a Gate);

impl Gate {
    fn enter(&self) -> Option<Pass<'_>> {
        // Code that holds this mutex cannot panic, and a bool cannot be left half-written.
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut taken, waited) = self
            .freed
            .wait_timeout_while(taken, PATIENCE, |taken| *taken)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return None;
        }
        *taken = true;
        Some(Pass(self))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.freed.notify_one();
    }
}
