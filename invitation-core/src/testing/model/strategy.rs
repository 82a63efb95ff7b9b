//! Draws sequences. Whatever is left of one after shrinking means something.

use proptest::{option, prelude::*, sample::select};

use super::{
    cast::{Creator, Mailbox, Newcomer, Part, Place, Site, Who},
    policy::Rules,
    state::{DAY, HOUR, MAX_USES},
    step::{
        Because, Bound, Mistake, Pick, Somebody, Sought, Step, Terms, Tick, Typing, Until, Version,
        Wanted, WantedEvents, Wish,
    },
};
use crate::{
    event::{Action, EventOutcome},
    invitation::Status,
};

/// Sequences of 1 to `max_len` steps.
pub(super) fn steps(max_len: usize) -> impl Strategy<Value = Vec<Step>> {
    // Nothing much happens before something is created.
    let policy = option::weighted(0.4, Just(Step::Policy(Rules::WithLead)));
    let first = option::weighted(0.9, creates());
    let rest = prop::collection::vec(step(), 0..max_len.max(1));
    (policy, first, rest)
        .prop_map(|(policy, first, rest)| policy.into_iter().chain(first).chain(rest).collect())
}

/// There are leads most of the time: they come across what is above them.
const POLICIES: [Rules; 4] =
    [Rules::Default, Rules::WithLead, Rules::WithLead, Rules::ManagersGrantNothing];

fn step() -> BoxedStrategy<Step> {
    prop_oneof![
        8 => creates(),
        3 => (creator(), prop::collection::vec(wish(), 0..=4))
            .prop_map(|(by, drafts)| Step::CreateMany { by, drafts }),
        14 => (code(), typing(), newcomer())
            .prop_map(|(code, typing, newcomer)| Step::Redeem { code, typing, newcomer }),
        1 => (code(), mistake(), newcomer())
            .prop_map(|(code, mistake, newcomer)| Step::Mistype { code, mistake, newcomer }),
        2 => (who(), pick()).prop_map(|(by, of)| Step::Copy { by, of }),
        2 => (who(), pick()).prop_map(|(by, of)| Step::Get { by, of }),
        5 => (who(), pick(), terms(), version())
            .prop_map(|(by, of, terms, version)| Step::Amend { by, of, terms, version }),
        4 => (who(), pick(), version())
            .prop_map(|(by, of, version)| Step::Rotate { by, of, version }),
        4 => (who(), pick(), because(), version())
            .prop_map(|(by, of, because, version)| Step::Revoke { by, of, because, version }),
        4 => (who(), pick(), version())
            .prop_map(|(by, of, version)| Step::Reinstate { by, of, version }),
        3 => (who(), pick(), version())
            .prop_map(|(by, of, version)| Step::Delete { by, of, version }),
        6 => (who(), wanted(), select(&[1, 1, 1, 2, 3][..]), select(&[0, 1, HOUR, 8 * DAY][..]))
            .prop_map(|(by, wanted, limit, pause)| Step::List { by, wanted, limit, pause }),
        3 => (who(), wanted()).prop_map(|(by, wanted)| Step::Counts { by, wanted }),
        2 => (who(), wanted_events(), 1_u32..=5)
            .prop_map(|(by, wanted, limit)| Step::Events { by, wanted, limit }),
        5 => tick().prop_map(Step::Clock),
        2 => Just(Step::Reopen),
        3 => select(&POLICIES[..])
            .prop_map(Step::Policy),
    ]
    .boxed()
}

fn creates() -> impl Strategy<Value = Step> {
    (creator(), wish()).prop_map(|(by, draft)| Step::Create { by, draft })
}

/// An invitation: often the first, so that some live through a lot.
fn pick() -> impl Strategy<Value = Pick> {
    let known = select(&[0, 0, 0, 0, 1, 1, 2, 3, 4, 5][..]).prop_map(Pick::Known);
    prop_oneof![15 => known, 1 => Just(Pick::Stranger)]
}

/// A code: any that was issued.
fn code() -> impl Strategy<Value = Pick> {
    prop_oneof![15 => (0_u8..8).prop_map(Pick::Known), 1 => Just(Pick::Stranger)]
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        8 => Just(Who::Admin),
        6 => Just(Who::SalesLead),
        3 => Just(Who::SalesManager),
        2 => Just(Who::OperationsManager),
        2 => Just(Who::BasedAdmin),
        1 => Just(Who::SalesStaff),
    ]
}

fn creator() -> impl Strategy<Value = Creator> {
    prop_oneof![9 => who().prop_map(Creator::User), 1 => Just(Creator::System)]
}

fn place() -> impl Strategy<Value = Place> {
    select(&[Place::Sales, Place::Sales, Place::Sales, Place::Operations, Place::Hr][..])
}

fn part() -> impl Strategy<Value = Part> {
    use Part::{Admin, Lead, Manager, Staff, Wizard};
    select(&[Staff, Staff, Staff, Staff, Manager, Manager, Admin, Lead, Wizard][..])
}

fn mailbox() -> impl Strategy<Value = Mailbox> {
    use Mailbox::{Anna, AnnaUntagged, Bob, BobElsewhere, Carol};
    select(&[Anna, Anna, AnnaUntagged, Bob, BobElsewhere, Carol][..])
}

fn bound() -> impl Strategy<Value = Bound> {
    prop_oneof![
        4 => Just(Bound::Anyone),
        3 => (mailbox(), any::<bool>()).prop_map(|(mailbox, other)| Bound::Address(mailbox, other)),
        1 => select(&[Site::Example, Site::MailExample, Site::Umlaut][..]).prop_map(Bound::Domain),
    ]
}

fn until() -> impl Strategy<Value = Until> {
    let exact = [
        HOUR,
        HOUR,
        HOUR,
        2 * HOUR,
        DAY,
        DAY,
        365 * DAY,
        // Illegal from here on.
        HOUR - 1,
        365 * DAY + 1,
        0,
        -DAY,
    ];
    prop_oneof![
        5 => Just(Until::Default),
        4 => prop::sample::select(exact.to_vec()).prop_map(Until::After),
        2 => select(&[1, 1, 7, 7, 30, 365, 0, 366, u32::MAX][..]).prop_map(Until::Days),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    let uses = select(&[1, 1, 1, 1, 1, 1, 2, 2, 2, 3, MAX_USES, MAX_USES + 1][..]);
    let note = option::weighted(0.3, 0_u8..3);
    let places = option::weighted(0.85, place());
    (bound(), option::weighted(0.9, part()), places, until(), uses, note).prop_map(
        |(bound, role, place, until, uses, note)| Wish { bound, role, place, until, uses, note },
    )
}

fn terms() -> impl Strategy<Value = Terms> {
    let bound = option::weighted(0.4, bound());
    (bound, option::weighted(0.4, part()), option::weighted(0.4, until()))
        .prop_map(|(bound, role, until)| Terms { bound, role, until })
}

fn version() -> impl Strategy<Value = Version> {
    use Version::{Any, Current, Former, Later};
    select(&[Any, Any, Any, Current, Current, Former, Later][..])
}

fn because() -> impl Strategy<Value = Because> {
    use Because::{Control, Left, Longest, TooLong, Unsaid};
    select(&[Unsaid, Unsaid, Left, Left, Longest, TooLong, Control][..])
}

fn typing() -> impl Strategy<Value = Typing> {
    use Typing::{AsShown, LookAlikes, Lower, Spaced};
    select(&[AsShown, AsShown, Lower, Spaced, LookAlikes][..])
}

fn mistake() -> impl Strategy<Value = Mistake> {
    prop_oneof![
        Just(Mistake::Empty),
        Just(Mistake::TooLong),
        any::<u8>().prop_map(Mistake::Cut),
        Just(Mistake::Longer),
        any::<u8>().prop_map(Mistake::Alien),
        any::<u8>().prop_map(Mistake::Wrong),
        any::<u8>().prop_map(Mistake::Swapped),
    ]
}

fn newcomer() -> impl Strategy<Value = Newcomer> {
    let proof = option::weighted(0.6, (mailbox(), any::<bool>()));
    (0_u8..4, prop::bool::weighted(0.1), proof, option::weighted(0.3, place()))
        .prop_map(|(person, renamed, proof, place)| Newcomer { person, renamed, proof, place })
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let statuses = [Status::Active, Status::Used, Status::Expired, Status::Revoked];
    let end = || option::weighted(0.15, (pick(), any::<bool>()));
    let narrow = (
        option::weighted(0.4, select(statuses.to_vec())),
        option::weighted(0.15, part()),
        option::weighted(0.15, place()),
        option::weighted(0.15, who()),
        end(),
        end(),
        option::weighted(0.5, sought()),
    )
        .prop_map(|(status, role, place, inviter, created, expires, sought)| Wanted {
            status,
            role,
            place,
            inviter,
            created,
            expires,
            sought,
        });
    prop_oneof![1 => Just(Wanted::default()), 3 => narrow]
}

/// What people type into a search: right, wrong, and what could be a code.
const TEXTS: &[&str] = &[
    "anna",
    "ANN",
    "bob",
    "an",
    "lind hr",
    "hr anna com",
    "example",
    "Anna.Lind+hr@Example.com",
    "bob@mail",
    "bob bob bob bob bob",
    "berg",
    "erg",
    "nna",
    "ind",
    "xample",
    "om",
    "ob",
    "car exa\u{308}mple",
    "exämple.org",
    "renamed anna",
    "xn exmple",
    // Refused.
    "",
    " - ",
    "a",
    "an a",
    "bob bob bob bob bob bob bob bob bob",
    "us u",
    "ab cd ef gh ij kl",
    "abcd-efgh x",
];

fn sought() -> impl Strategy<Value = Sought> {
    prop_oneof![
        12 => select(TEXTS).prop_map(Sought::Text),
        1 => Just(Sought::TooLong),
        8 => (code(), typing(), select(&[4, 3, 5, 6, 7, 12, 29, 40][..]))
            .prop_map(|(pick, typing, length)| Sought::Code(pick, typing, length)),
        2 => (code(), 4_u8..=24).prop_map(|(pick, length)| Sought::NearlyCode(pick, length)),
    ]
}

fn wanted_events() -> impl Strategy<Value = WantedEvents> {
    let somebody =
        prop_oneof![who().prop_map(Somebody::Actor), (0_u8..4).prop_map(Somebody::Person),];
    let outcomes = [EventOutcome::Succeeded, EventOutcome::Refused, EventOutcome::Denied];
    (
        option::weighted(0.3, pick()),
        option::weighted(0.2, somebody),
        option::weighted(0.2, select(Action::ALL)),
        option::weighted(0.2, select(outcomes.to_vec())),
        option::weighted(0.3, place()),
        option::weighted(0.2, any::<bool>()),
    )
        .prop_map(|(about, by, action, outcome, place, now)| WantedEvents {
            about,
            by,
            action,
            outcome,
            place,
            now,
        })
}

fn tick() -> impl Strategy<Value = Tick> {
    let by = [1, 999, HOUR - 1, HOUR, DAY, 30 * DAY, -1, -1_500, -2 * HOUR];
    prop_oneof![
        1 => select(by.to_vec()).prop_map(Tick::By),
        2 => (pick(), -1_i64..=1).prop_map(|(pick, micros)| Tick::Expiry(pick, micros)),
    ]
}
