//! A person in many places of a store, and the job that erases the person.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Actor, Binding, Created, Draft, Email, ErasurePage, ErasureStage, Error, Event, EventFilter,
    Expiry, Filter, IfVersion, InvitationId, Invitations, Inviter, ManualClock, Paging,
    PerformerParts, Record, Redeemer, Redemption, Scope, Search, Store, SystemActor, Target,
    Username,
    audit::{RequestContext, Source},
    erasure::Person,
};
use time::Duration;

use super::{ErasureFixture, ErasureStore};
use crate::{
    Fixture, SeededEntropy,
    support::{
        harness::reserved,
        reads::{all_events, all_invitations, all_leases, all_redemptions},
        samples::{
            admin, division, domain, email, newcomer, newcomer_with_email, role, start, user,
        },
    },
};

type Service = Invitations<Arc<dyn ErasureStore>>;

/// The address of the person. No other address of the tests has its mask.
pub(super) const ADDRESS: &str = "quill.canary@Example.com";
/// The mask of the address.
pub(super) const MASK: &str = "q***@example.com";

/// A store with a service, and the person who is erased.
pub(super) struct Scenario {
    pub(super) store: Arc<dyn ErasureStore>,
    pub(super) service: Service,
    pub(super) clock: ManualClock,
    _fixture: Fixture,
}

/// A value of a person that an erasure removes.
const NAME: &str = "Canary Quill";

pub(super) fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("not zero")
}

/// Returns the person with one address.
pub(super) fn person() -> Person {
    Person::new(user("u-7")).with_address(email(ADDRESS)).expect("few addresses")
}

fn context() -> RequestContext {
    RequestContext { correlation: None, source: Source::new("canary-source").ok() }
}

/// Returns the person as a redeemer without a proved address.
pub(super) fn canary() -> Redeemer {
    Redeemer::new(user("u-7"), Username::from_stored(NAME)).with_context(context())
}

/// Returns another redeemer with the same name.
pub(super) fn namesake() -> Redeemer {
    Redeemer::new(user("u-8"), Username::from_stored(NAME))
}

/// Returns the person as a redeemer with the address proved.
pub(super) fn canary_with_email() -> Redeemer {
    canary().with_email(newcomer_with_email("x", ADDRESS).email().expect("it has one").clone())
}

/// Returns the person as an administrator.
pub(super) fn canary_as_admin() -> Actor {
    let actor = Actor::across_divisions(user("u-7"), role("admin")).based_in(division("sales"));
    actor.with_name(Username::from_stored(NAME)).with_context(context())
}

pub(super) fn draft() -> Draft {
    Draft::new().with_role(role("staff"))
}

pub(super) fn for_canary() -> Draft {
    draft().for_email(email(ADDRESS))
}

pub(super) fn for_three() -> Draft {
    draft().for_uses(at_least_one(3))
}

impl Scenario {
    pub(super) fn new(fixture: ErasureFixture) -> Self {
        let ErasureFixture { fixture, whole } = fixture;
        let clock = ManualClock::new(start());
        let service = Invitations::new(Arc::clone(&whole))
            .with_clock(clock.clone())
            .with_entropy(SeededEntropy::new(11));
        Self { store: whole, service, clock, _fixture: fixture }
    }

    pub(super) async fn create(&self, by: &Actor, draft: Draft) -> Created {
        // The order of the list is then that of the creations.
        self.clock.advance(Duration::SECOND);
        self.service.create(by, draft).await.expect("they may create it")
    }

    pub(super) async fn redeem(&self, created: &Created, by: &Redeemer) {
        self.clock.advance(Duration::SECOND);
        let redeemed = self.service.redeem(&created.code().reveal(), by).await;
        redeemed.expect("the code is active");
    }

    /// Creates an invitation, and redeems it by each of these in turn.
    pub(super) async fn redeemed(&self, draft: Draft, by: &[Redeemer]) -> InvitationId {
        let created = self.create(&admin(), draft).await;
        for redeemer in by {
            self.redeem(&created, redeemer).await;
        }
        created.invitation().id()
    }

    /// Puts the person into every place that an erasure looks at. Returns the invitations.
    pub(super) async fn populate(&self) -> Vec<InvitationId> {
        let ben = || newcomer("ben");
        let for_domain = || for_three().for_domain(domain("example.com"));
        let ben_with_email = newcomer_with_email("ben", "ben@example.com");
        let used = self.create(&admin(), draft()).await;
        self.redeem(&used, &ben()).await;
        let refused = self.service.redeem(&used.code().reveal(), &canary()).await;
        assert!(is_refused(&refused), "it is used");
        let mut all = vec![
            used.invitation().id(),
            self.redeemed(draft(), &[canary()]).await,
            self.redeemed(for_three(), &[canary(), ben()]).await,
            self.redeemed(for_three(), &[ben(), canary()]).await,
            self.redeemed(for_three(), &[canary()]).await,
            self.redeemed(for_domain(), &[canary_with_email(), ben_with_email]).await,
            self.redeemed(for_domain(), &[canary_with_email()]).await,
            self.redeemed(for_canary(), &[newcomer_with_email("eve", ADDRESS)]).await,
            self.redeemed(draft().for_email(email("ben@example.com")), &[]).await,
        ];
        for draft in [draft(), for_domain()] {
            let created = self.create(&admin(), draft).await;
            let code = created.code().reveal();
            let _ = reserved(self.service.reserve(&code, &canary_with_email()).await);
            all.push(created.invitation().id());
        }
        let created = self.create(&canary_as_admin(), for_three()).await;
        self.redeem(&created, &ben()).await;
        all.push(created.invitation().id());
        let deleted = [
            self.redeemed(draft(), &[canary()]).await,
            self.redeemed(for_three(), &[canary(), ben()]).await,
            self.create(&canary_as_admin(), for_canary()).await.invitation().id(),
        ];
        for id in deleted {
            self.service.delete(&admin(), id, IfVersion::Any).await.expect("they may");
        }
        all.extend(deleted);
        let revoked = self.create(&admin(), for_canary()).await.invitation().id();
        self.service.revoke(&canary_as_admin(), revoked, None, IfVersion::Any).await.expect("may");
        all.push(revoked);
        let short = for_canary().expiring(Expiry::InDays(1));
        all.push(self.create(&admin(), short).await.invitation().id());
        self.clock.advance(Duration::days(2));
        all.push(self.create(&admin(), for_canary()).await.invitation().id());
        all
    }

    /// Erases the person in pages of this size, as the system.
    pub(super) async fn erase(&self, limit: u32) -> Vec<ErasurePage> {
        let (job, mut pages) = (SystemActor::for_bootstrap(), Vec::new());
        let mut paging = Paging::first(limit).expect("a size");
        loop {
            self.clock.advance(Duration::SECOND);
            let page = self.service.erase_person(&job, &person(), paging).await;
            let page = page.expect("the system may");
            assert!(u32::try_from(page.examined()).is_ok_and(|n| n <= limit), "{page:?}");
            pages.push(page);
            let Some(next) = page.next() else { return pages };
            // As a job does that stores its cursor.
            paging = paging.after(next.to_string().parse().expect("a cursor"));
        }
    }

    pub(super) async fn record(&self, id: InvitationId) -> Record {
        let found = self.store.get(&Target::Id(id), &Scope::All).await.expect("it answers");
        found.expect("it is stored")
    }

    pub(super) async fn events(&self) -> Vec<Event> {
        all_events(&self.store, &Scope::All, &EventFilter::default(), 50).await
    }

    pub(super) async fn redemptions(&self, id: InvitationId) -> Vec<Redemption> {
        all_redemptions(&self.store, &Scope::All, id, 50).await
    }

    /// Returns everything that a store shows of these invitations, as text.
    pub(super) async fn text(&self, all: &[InvitationId]) -> String {
        let mut texts = Vec::new();
        for id in all {
            texts.push(text_of_record(&self.record(*id).await));
            texts.extend(self.redemptions(*id).await.iter().map(text_of_redemption));
        }
        for open in all_leases(&self.store, &Scope::All, 50).await {
            let mailbox = open.lease.mailbox.as_ref().map_or("", |mailbox| mailbox.as_str());
            texts.push(format!("{} {} {mailbox}", open.lease.user, open.lease.username));
        }
        texts.extend(self.events().await.iter().map(text_of_event));
        texts.join("\n")
    }

    /// Returns the invitations that a search finds, sorted.
    pub(super) async fn found(&self, text: &str) -> Vec<InvitationId> {
        let search = Search::parse(text, &invitation_core::CodeFormat::default());
        let filter =
            Filter { search: Some(search.expect("a search")), ..Filter::all(self.service.now()) };
        let found = all_invitations(&self.store, &Scope::All, &filter, 50).await;
        let mut ids: Vec<_> = found.iter().map(|one| one.id).collect();
        ids.sort();
        ids
    }
}

fn text_of_redemption(redemption: &Redemption) -> String {
    let mailbox = redemption.mailbox.as_ref().map_or("", |mailbox| mailbox.as_str());
    format!("{} {} {mailbox}", redemption.user, redemption.username)
}

fn text_of_record(record: &Record) -> String {
    let names = [&record.inviter, &record.grantor].map(Inviter::parts);
    let bound = match &record.binding {
        Binding::Address(address) => [Email::as_str(address), address.key().as_str()],
        Binding::Anyone | Binding::Domain(_) => ["", ""],
    };
    let last = record.last_use.as_ref().map(text_of_redemption);
    format!("{names:?} {bound:?} {last:?}")
}

fn text_of_event(event: &Event) -> String {
    let PerformerParts { user, name, .. } = event.performer.parts();
    format!("{user:?} {name:?} {:?} {:?}", event.context, event.detail)
}

/// Returns how many rows of a stage the pages looked at, and how many they changed.
pub(super) fn sums(pages: &[ErasurePage], stage: ErasureStage) -> (usize, usize) {
    let pages = || pages.iter().filter(|page| page.stage() == stage);
    (pages().map(ErasurePage::examined).sum(), pages().map(ErasurePage::erased).sum())
}

/// Returns the number of open invitations that the pages left.
pub(super) fn left_open(pages: &[ErasurePage]) -> usize {
    pages.iter().map(ErasurePage::open).sum()
}

/// Returns whether a call was refused.
pub(super) fn is_refused<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Refused(_)))
}
