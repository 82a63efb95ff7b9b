//! A host whose hooks do what a test says, and the commands that it gives.

use std::{
    error::Error as StdError,
    future::pending,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use invitation_core::{
    Actor, Amendment, Division, Draft, Email, Error, Event, EventFilter, Expiry, Filter, IfVersion,
    InvitationId, Invitations, ManualClock, MemoryStore, PageRequest, Paging, Record, Redeemer,
    Role, Scope, Store, Timestamp, UserId, Username,
    delivery::{Deliveries, Resend},
    hooks::{CommandKind, Done, Hooks, Intent, NOTICE_LIMIT, TIME_LIMIT, Veto},
    reserve::{ReservationId, Reserved},
};
use tokio::sync::Notify;

/// What a hook does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    Allow,
    Veto,
    Fail,
    /// Hangs until the time limit, which passes at once.
    Hang,
    /// Hangs, and the time limit does not pass.
    HangForever,
    Panic,
    /// Panics in the timer.
    PanicInTimer,
}

pub(crate) const TEXT: &str = "Invitations are frozen until Monday.";

/// The hooks: they do as they were last told, and keep what they hear.
#[derive(Clone, Debug)]
pub(crate) struct Recorder(Arc<State>);

#[derive(Debug)]
struct State {
    before: Mutex<Act>,
    after: Mutex<Act>,
    asked: Mutex<Vec<Intent>>,
    told: Mutex<Vec<Done>>,
    /// A service and an invitation, which is extended while the next question is answered.
    extends: Mutex<Option<(Invitations<Arc<MemoryStore>>, InvitationId)>>,
    is_telling: Notify,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Recorder {
    fn new() -> Self {
        Self(Arc::new(State {
            before: Mutex::new(Act::Allow),
            after: Mutex::new(Act::Allow),
            asked: Mutex::default(),
            told: Mutex::default(),
            extends: Mutex::default(),
            is_telling: Notify::new(),
        }))
    }

    pub(crate) fn set_before(&self, act: Act) {
        *lock(&self.0.before) = act;
    }

    pub(crate) fn set_after(&self, act: Act) {
        *lock(&self.0.after) = act;
    }

    /// Extends an invitation while the next question is answered.
    pub(crate) fn extend_meanwhile(&self, by: Invitations<Arc<MemoryStore>>, id: InvitationId) {
        *lock(&self.0.extends) = Some((by, id));
    }

    /// Returns the questions since the last call.
    pub(crate) fn take_asked(&self) -> Vec<Intent> {
        std::mem::take(&mut lock(&self.0.asked))
    }

    /// Returns the notifications since the last call.
    pub(crate) fn take_told(&self) -> Vec<Done> {
        std::mem::take(&mut lock(&self.0.told))
    }

    /// Waits until a notification has begun.
    pub(crate) async fn is_telling(&self) {
        self.0.is_telling.notified().await;
    }
}

async fn act(act: Act) -> Result<(), Box<dyn StdError + Send + Sync>> {
    match act {
        Act::Allow | Act::Veto => Ok(()),
        Act::Fail => Err("the table of rules cannot be read".into()),
        Act::Hang | Act::HangForever | Act::PanicInTimer => pending().await,
        Act::Panic => panic!("a mistake of the host"),
    }
}

#[async_trait]
impl Hooks for Recorder {
    async fn before(&self, intent: &Intent) -> Result<(), Veto> {
        lock(&self.0.asked).push(intent.clone());
        let extends = lock(&self.0.extends).take();
        if let Some((by, id)) = extends {
            let later = Amendment::new().expiring(Expiry::InDays(30));
            by.amend(&admin(), id, later, IfVersion::Any).await?;
        }
        let before = *lock(&self.0.before);
        if before == Act::Veto {
            return Err(Veto::because(TEXT));
        }
        Ok(act(before).await?)
    }

    async fn after(&self, done: &Done) -> Result<(), Box<dyn StdError + Send + Sync>> {
        lock(&self.0.told).push(done.clone());
        self.0.is_telling.notify_one();
        let after = *lock(&self.0.after);
        act(after).await
    }

    /// The time limit of a hook that hangs passes at once, and that of others never.
    async fn sleep(&self, time: Duration) {
        let doing = match time {
            TIME_LIMIT => *lock(&self.0.before),
            NOTICE_LIMIT => *lock(&self.0.after),
            _ => panic!("not a documented limit"),
        };
        match doing {
            Act::Hang => {}
            Act::PanicInTimer => panic!("no timer"),
            _ => pending().await,
        }
    }
}

pub(crate) struct Host {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) hooks: Recorder,
    /// The service without hooks.
    pub(crate) plain: Invitations<Arc<MemoryStore>>,
    /// The service with hooks.
    pub(crate) hooked: Invitations<Arc<MemoryStore>>,
}

/// An invitation in the state that a command needs.
pub(crate) struct Prepared {
    pub(crate) id: InvitationId,
    pub(crate) code: String,
    reservation: Option<ReservationId>,
}

impl Host {
    pub(crate) fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = ManualClock::new(Timestamp::from_micros(1_900_000_000_000_000).unwrap());
        let plain = Invitations::new(Arc::clone(&store)).with_clock(clock);
        let hooks = Recorder::new();
        let hooked = plain.clone().with_hooks(hooks.clone());
        Self { store, hooks, plain, hooked }
    }

    pub(crate) async fn prepare(&self, kind: CommandKind) -> Prepared {
        let created = self.plain.create(&admin(), staff()).await.unwrap();
        let (id, code) = (created.invitation().id(), created.code().reveal().to_string());
        let mut reservation = None;
        match kind {
            CommandKind::Commit => {
                let reserved = self.plain.reserve(&code, &newcomer()).await.unwrap();
                let Reserved::Open(open) = reserved else { panic!("not redeemed yet") };
                reservation = Some(open.id());
            }
            CommandKind::Reinstate => {
                self.plain.revoke(&admin(), id, None, IfVersion::Any).await.unwrap();
            }
            CommandKind::Resend => {
                let draft = Amendment::new().for_email(Email::parse("anna@example.com").unwrap());
                self.plain.amend(&admin(), id, draft, IfVersion::Any).await.unwrap();
            }
            _ => {}
        }
        Prepared { id, code, reservation }
    }

    /// Gives a command to the service with hooks.
    pub(crate) async fn give(&self, kind: CommandKind, to: &Prepared) -> Result<(), Error> {
        let (service, admin, any) = (&self.hooked, admin(), IfVersion::Any);
        match kind {
            CommandKind::Create => service.create(&admin, staff()).await.map(drop),
            CommandKind::CreateMany => {
                service.create_many(&admin, vec![staff(), staff()]).await.map(drop)
            }
            CommandKind::Redeem => service.redeem(&to.code, &newcomer()).await.map(drop),
            CommandKind::Reserve => service.reserve(&to.code, &newcomer()).await.map(drop),
            CommandKind::Commit => {
                service.commit(to.reservation.unwrap(), &newcomer()).await.map(drop)
            }
            CommandKind::Amend => {
                let later = Amendment::new().with_role(role("manager")).expiring(Expiry::InDays(9));
                service.amend(&admin, to.id, later, any).await.map(drop)
            }
            CommandKind::Rotate => service.rotate(&admin, to.id, any).await.map(drop),
            CommandKind::Revoke => service.revoke(&admin, to.id, None, any).await.map(drop),
            CommandKind::Reinstate => service.reinstate(&admin, to.id, any).await.map(drop),
            CommandKind::Delete => service.delete(&admin, to.id, any).await,
            CommandKind::Resend => {
                self.deliveries().resend(&admin, to.id, Resend::new()).await.map(drop)
            }
            other => panic!("{other} is a command without a test"),
        }
    }

    pub(crate) fn deliveries(&self) -> Deliveries<Arc<MemoryStore>> {
        Deliveries::new(self.hooked.clone(), Arc::<MemoryStore>::clone(&self.store))
    }

    /// Returns all invitations, the number of open reservations and that of queued mails.
    pub(crate) async fn state(&self) -> (Vec<Record>, usize, usize) {
        let page = PageRequest { after: None, limit: 200 };
        let filter = Filter::all(self.plain.now());
        let records = self.store.list(&Scope::All, &filter, &page).await.unwrap().items;
        let (admin, paging) = (admin(), Paging::default());
        let reserved = self.plain.reservations(&admin, None, paging).await.unwrap().items.len();
        let mails = self.deliveries().list(&admin, None, paging).await.unwrap().items.len();
        (records, reserved, mails)
    }

    /// Returns all events, newest first.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let page = PageRequest { after: None, limit: 200 };
        self.store.events(&Scope::All, &EventFilter::default(), &page).await.unwrap().items
    }
}

pub(crate) fn staff() -> Draft {
    Draft::new().with_role(role("staff")).in_division(Division::new("sales").unwrap())
}

pub(crate) fn role(name: &str) -> Role {
    Role::new(name).unwrap()
}

pub(crate) fn admin() -> Actor {
    Actor::across_divisions(UserId::new("u-admin").unwrap(), role("admin"))
}

pub(crate) fn newcomer() -> Redeemer {
    Redeemer::new(UserId::new("u-anna").unwrap(), Username::new("anna").unwrap())
}
