//! Draws short scenarios: steps that together reach states which independently drawn steps
//! rarely reach.

use proptest::{option, prelude::*, sample::select};

use super::{
    draw::{clock_move, division, expiry, key_creator, key_draft, limits, policy},
    identities::{ActingUser, Creator, DivisionName, MailDomain, Mailbox, Newcomer, RoleName},
    policy::PolicyChoice,
    state::{DAY, HOUR},
    step::{
        AmendmentSpec, BindingSpec, ClockMove, DraftSpec, ExpirySpec, Pick, ReservationPick,
        RevocationReason, Spelling, Step, Version,
    },
};

const LAST: Pick = Pick::FromEnd(0);

/// Draws a few steps that belong together.
pub(super) fn scenario() -> BoxedStrategy<Vec<Step>> {
    prop_oneof![4 => contended(), 2 => interrupted(), 2 => revived(), 1 => cleaned(), 2 => repeated()].boxed()
}

/// Several people compete for the uses of one code while time passes. Some of them prove the same
/// address, which matters for a code that is bound to a domain.
fn contended() -> impl Strategy<Value = Vec<Step>> {
    let between = prop_oneof![
        2 => clock_move(),
        3 => (0_u8..3, -1_i64..=1).prop_map(|(n, micros)| ClockMove::Lease(n, micros)),
    ];
    let turn = (option::weighted(0.15, limits()), option::weighted(0.4, between), take_use());
    let turns = prop::collection::vec(turn, 2..=6);
    let binding = select(&[BindingSpec::Anyone, BindingSpec::Domain(MailDomain::Example)][..]);
    (creation(select(&[1, 2, 2, 2, 3][..]), binding), turns).prop_map(|(create, turns)| {
        let mut steps = vec![create];
        for (bounds, clock_move, take) in turns {
            steps.extend(bounds.map(Step::Limits));
            steps.extend(clock_move.map(Step::Clock));
            steps.push(take);
        }
        steps
    })
}

/// Another step happens between reserving and committing.
fn interrupted() -> impl Strategy<Value = Vec<Step>> {
    let (by, of, version) = (ActingUser::Admin, LAST, Version::Any);
    let change = |terms| Step::Amend { by, of, terms, version };
    let nothing = AmendmentSpec { binding: None, role: None, until: None };
    let other = prop_oneof![
        2 => policy().prop_map(Step::Policy),
        2 => (0_u8..2, -1_i64..=1).prop_map(|(n, micros)| Step::Clock(ClockMove::Lease(n, micros))),
        1 => (-1_i64..=1).prop_map(|micros| Step::Clock(ClockMove::Expiry(LAST, micros))),
        1 => Just(Step::Revoke { by, of, reason: RevocationReason::Left, version }),
        1 => Just(Step::Reinstate { by, of, version }),
        1 => Just(Step::Delete { by, of, version }),
        1 => Just(Step::Rotate { by, of, version }),
        1 => Just(change(AmendmentSpec { binding: Some(BindingSpec::Anyone), ..nothing })),
        1 => Just(change(AmendmentSpec { role: Some(RoleName::Staff), ..nothing })),
        1 => Just(change(AmendmentSpec { until: Some(ExpirySpec::After(2 * HOUR)), ..nothing })),
    ];
    let others = prop::collection::vec(other, 1..=2);
    (creation(select(&[1, 2][..]), Just(BindingSpec::Anyone)), any_person(), others, any_person())
        .prop_map(|(create, first, others, second)| {
            let reserve =
                Step::Reserve { code: LAST, spelling: Spelling::AsShown, newcomer: first };
            let of = ReservationPick { pick: LAST, own: true };
            let mut steps = vec![create, reserve];
            steps.extend(others);
            steps.push(Step::Commit { of, newcomer: first });
            steps.push(Step::Release { of, newcomer: second });
            steps
        })
}

/// An invitation becomes pending again after other invitations have taken its place in
/// the quota.
fn revived() -> impl Strategy<Value = Vec<Step>> {
    let (of, version) = (Pick::FromEnd(1), Version::Any);
    let back = expiry().prop_map(move |until| {
        let terms = AmendmentSpec { binding: None, role: None, until: Some(until) };
        let over = Step::Clock(ClockMove::Expiry(LAST, 0));
        (over, Step::Amend { by: ActingUser::Admin, of, terms, version })
    });
    let revoke =
        Step::Revoke { by: ActingUser::Admin, of: LAST, reason: RevocationReason::Unsaid, version };
    let again = Just((revoke, Step::Reinstate { by: ActingUser::Admin, of, version }));
    let uses = || creation(Just(1), Just(BindingSpec::Anyone));
    (limits(), uses(), prop_oneof![back, again], uses()).prop_map(
        |(bounds, first, (over, back), second)| {
            vec![Step::Limits(bounds), first, over, second, back]
        },
    )
}

/// The invitations of a key are over and purged, and the request is repeated.
fn cleaned() -> impl Strategy<Value = Vec<Step>> {
    let over = (-1_i64..=1).prop_map(|micros| Step::Clock(ClockMove::Over(LAST, micros)));
    let admin = Creator::User(ActingUser::Admin);
    let cleaner = select(vec![Creator::System, admin, Creator::User(ActingUser::SalesLead)]);
    let created = (division(), 1_usize..=2, key_draft());
    (created, over, cleaner, 1_u32..=3).prop_map(move |((at, count, draft), over, by, max)| {
        let draft = DraftSpec { division: Some(at), ..draft };
        let (drafts, key) = (vec![draft; count], Some(0));
        let create = match count {
            1 => Step::Create { by: admin, draft, key },
            _ => Step::CreateMany { by: admin, drafts, key },
        };
        let purge = Step::Purge { by, age: DAY, max };
        vec![Step::Policy(PolicyChoice::WithLead), create.clone(), over, purge, create]
    })
}

/// A request under a key is repeated exactly or with a small difference.
fn repeated() -> impl Strategy<Value = Vec<Step>> {
    let rotate = Step::Rotate { by: ActingUser::Admin, of: LAST, version: Version::Any };
    let between = prop_oneof![
        2 => policy().prop_map(Step::Policy),
        1 => Just(rotate),
        1 => limits().prop_map(Step::Limits),
        1 => clock_move().prop_map(Step::Clock),
    ];
    let between = prop::collection::vec(between, 0..=2);
    (key_creator(), key_draft(), between, option::weighted(0.5, key_draft())).prop_map(
        |(by, first, between, second)| {
            let create = |draft| Step::Create { by, draft, key: Some(1) };
            let mut steps = vec![create(first)];
            steps.extend(between);
            steps.push(create(second.unwrap_or(first)));
            steps
        },
    )
}

/// Creates an invitation for staff in sales.
fn creation(
    uses: impl Strategy<Value = u32>,
    binding: impl Strategy<Value = BindingSpec>,
) -> impl Strategy<Value = Step> {
    let by = select(
        &[ActingUser::Admin, ActingUser::Admin, ActingUser::SalesLead, ActingUser::SalesManager][..],
    );
    let until = select(&[ExpirySpec::Default, ExpirySpec::Default, ExpirySpec::After(HOUR)][..]);
    (by, until, uses, binding).prop_map(|(by, until, uses, binding)| {
        // Only administrators may create several uses, or bind a code to a domain.
        let (uses, binding) =
            if by == ActingUser::Admin { (uses, binding) } else { (1, BindingSpec::Anyone) };
        let (role, division) = (Some(RoleName::Staff), Some(DivisionName::Sales));
        let draft = DraftSpec { binding, role, division, until, uses, note: None };
        Step::Create { by: Creator::User(by), draft, key: None }
    })
}

/// A person redeems or reserves a use of the last code.
fn take_use() -> impl Strategy<Value = Step> {
    (any_person(), prop::bool::weighted(0.7)).prop_map(|(newcomer, holds)| {
        let (code, spelling) = (LAST, Spelling::AsShown);
        if holds {
            Step::Reserve { code, spelling, newcomer }
        } else {
            Step::Redeem { code, spelling, newcomer }
        }
    })
}

fn any_person() -> impl Strategy<Value = Newcomer> {
    let renamed = prop::bool::weighted(0.2);
    let proof = (select(&[Mailbox::Anna, Mailbox::Anna, Mailbox::Bob][..]), any::<bool>());
    (0_u8..4, renamed, option::weighted(0.9, proof)).prop_map(|(person, renamed, proof)| Newcomer {
        person,
        renamed,
        proof,
        division: None,
    })
}
