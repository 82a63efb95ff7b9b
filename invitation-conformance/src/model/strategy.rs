//! Draws sequences. Every part of a sequence is a valid sequence, so shrinking can remove
//! any steps.

use proptest::{option, prelude::*, sample::select};

use super::{
    draw::{
        account_creation, acting_user, amendment, clock_move, code, creator, division, draft_spec,
        event_criteria, key_creator, key_draft, limits, list_criteria, mistake, newcomer, pick,
        policy, reservation_pick, revocation_reason, spelling, version,
    },
    identities::ActingUser,
    keys::KeyChoice,
    policy::PolicyChoice,
    scenarios::scenario,
    state::{DAY, HOUR},
    step::{ListCriteria, SearchText, Step},
};

/// Draws sequences of 1 to `max_len` steps or scenarios.
pub(super) fn steps(max_len: usize) -> impl Strategy<Value = Vec<Step>> {
    // Most calls have no effect before an invitation was created.
    let policy = option::weighted(0.4, Just(Step::Policy(PolicyChoice::WithLead)));
    let limits = option::weighted(0.2, limits().prop_map(Step::Limits));
    let first = option::weighted(0.9, creation());
    let some = prop_oneof![30 => step().prop_map(|step| vec![step]), 1 => scenario()];
    let rest = prop::collection::vec(some, 0..max_len.max(1));
    (policy, limits, first, rest).prop_map(|(policy, limits, first, rest)| {
        let rest = rest.into_iter().flatten();
        policy.into_iter().chain(limits).chain(first).chain(rest).collect()
    })
}

/// How long invitations must have been over to be purged. The last two ages are too
/// short.
const AGES: [i64; 6] = [DAY, DAY, DAY, 8 * DAY, DAY - 1, HOUR];

fn step() -> BoxedStrategy<Step> {
    prop_oneof![
        7 => creating(),
        6 => creating_once(),
        36 => presenting(),
        29 => changing(),
        5 => bulk_step(),
        15 => reading(),
        8 => clock_move().prop_map(Step::Clock),
        2 => Just(Step::Reopen),
        3 => policy().prop_map(Step::Policy),
        3 => limits().prop_map(Step::Limits),
        2 => option::weighted(0.8, acting_user()).prop_map(Step::Standing),
    ]
    .boxed()
}

fn creation() -> impl Strategy<Value = Step> {
    (creator(), draft_spec()).prop_map(|(by, draft)| Step::Create { by, draft, key: None })
}

fn creating() -> BoxedStrategy<Step> {
    prop_oneof![
        8 => creation(),
        3 => (creator(), prop::collection::vec(draft_spec(), 0..=4))
            .prop_map(|(by, drafts)| Step::CreateMany { by, drafts, key: None }),
    ]
    .boxed()
}

fn creating_once() -> BoxedStrategy<Step> {
    let key = || (0_u8..2).prop_map(Some);
    prop_oneof![
        5 => (key_creator(), key_draft(), key())
            .prop_map(|(by, draft, key)| Step::Create { by, draft, key }),
        3 => (key_creator(), prop::collection::vec(key_draft(), 1..=2), key())
            .prop_map(|(by, drafts, key)| Step::CreateMany { by, drafts, key }),
    ]
    .boxed()
}

fn presenting() -> BoxedStrategy<Step> {
    prop_oneof![
        12 => (code(), spelling(), newcomer())
            .prop_map(|(code, spelling, newcomer)| Step::Redeem { code, spelling, newcomer }),
        12 => (code(), spelling(), newcomer())
            .prop_map(|(code, spelling, newcomer)| Step::Reserve { code, spelling, newcomer }),
        5 => (reservation_pick(), newcomer()).prop_map(|(of, newcomer)| Step::Commit { of, newcomer }),
        3 => (reservation_pick(), newcomer()).prop_map(|(of, newcomer)| Step::Release { of, newcomer }),
        3 => (code(), newcomer(), account_creation())
            .prop_map(|(code, newcomer, creation)| Step::RedeemWith { code, newcomer, creation }),
        1 => (code(), mistake(), newcomer())
            .prop_map(|(code, mistake, newcomer)| Step::Mistype { code, mistake, newcomer }),
    ]
    .boxed()
}

fn changing() -> BoxedStrategy<Step> {
    prop_oneof![
        6 => (acting_user(), pick(), amendment(), version())
            .prop_map(|(by, of, terms, version)| Step::Amend { by, of, terms, version }),
        4 => (acting_user(), pick(), version())
            .prop_map(|(by, of, version)| Step::Rotate { by, of, version }),
        4 => (acting_user(), pick(), revocation_reason(), version())
            .prop_map(|(by, of, reason, version)| Step::Revoke { by, of, reason, version }),
        5 => (acting_user(), pick(), version())
            .prop_map(|(by, of, version)| Step::Reinstate { by, of, version }),
        3 => (acting_user(), pick(), version())
            .prop_map(|(by, of, version)| Step::Delete { by, of, version }),
    ]
    .boxed()
}

fn bulk_step() -> BoxedStrategy<Step> {
    prop_oneof![
        2 => (acting_user(), list_criteria(), revocation_reason(), 1_u32..=3)
            .prop_map(|(by, wanted, reason, limit)| Step::RevokeAll { by, wanted, reason, limit }),
        // A search by the beginning of a code with a mistyped last symbol.
        1 => (revocation_reason(), code(), 5_u8..=24).prop_map(|(reason, code, length)| {
            let search = Some(SearchText::NearlyCode(code, length));
            let wanted = ListCriteria { search, ..ListCriteria::default() };
            Step::RevokeAll { by: ActingUser::Admin, wanted, reason, limit: 2 }
        }),
        3 => (creator(), select(&AGES[..]), 1_u32..=3)
            .prop_map(|(by, age, max)| Step::Purge { by, age, max }),
        1 => creator().prop_map(|by| Step::Purge { by, age: DAY, max: 4 }),
        2 => (creator(), select(&[KeyChoice::First, KeyChoice::Second][..]), 1_u32..=3)
            .prop_map(|(by, key, limit)| Step::Reseal { by, key, limit }),
    ]
    .boxed()
}

fn reading() -> BoxedStrategy<Step> {
    let pages = || select(&[1, 1, 1, 2, 3][..]);
    prop_oneof![
        2 => (acting_user(), pick()).prop_map(|(by, of)| Step::Copy { by, of }),
        2 => (acting_user(), pick()).prop_map(|(by, of)| Step::Get { by, of }),
        6 => (acting_user(), list_criteria(), pages(), select(&[0, 1, HOUR, 8 * DAY][..]))
            .prop_map(|(by, wanted, limit, pause)| Step::List { by, wanted, limit, pause }),
        3 => (acting_user(), list_criteria()).prop_map(|(by, wanted)| Step::StatusCounts { by, wanted }),
        2 => (acting_user(), event_criteria(), 1_u32..=5)
            .prop_map(|(by, wanted, limit)| Step::Events { by, wanted, limit }),
        2 => (acting_user(), pick(), pages())
            .prop_map(|(by, of, limit)| Step::Redemptions { by, of, limit }),
        2 => (acting_user(), option::weighted(0.3, division()), pages())
            .prop_map(|(by, division, limit)| Step::Reservations { by, division, limit }),
    ]
    .boxed()
}
