//! Draws the parts of steps.

use invitation_core::{Action, OutcomeFilter, Status};
use proptest::{option, prelude::*, sample::select};

use super::{
    identities::{ActingUser, Creator, DivisionName, MailDomain, Mailbox, Newcomer, RoleName},
    limits::{LimitsSpec, MAX_USES},
    policy::PolicyChoice,
    state::{DAY, HOUR},
    step::{
        AccountCreation, AmendmentSpec, BindingSpec, ClockMove, DraftSpec, EventCriteriaSpec,
        EventPerformer, ExpirySpec, ListCriteria, Pick, ReservationPick, RevocationReason,
        SearchText, Spelling, TypingMistake, Version,
    },
};

/// Draws a policy. Most of the time it knows leads, because they meet the limits of their
/// rights most often.
pub(super) fn policy() -> impl Strategy<Value = PolicyChoice> {
    use PolicyChoice::{Default, ManagersGrantNothing, ManagersSeeNoCodes, WithLead};
    select(&[Default, WithLead, WithLead, ManagersGrantNothing, ManagersSeeNoCodes][..])
}

/// Draws an invitation, often the first one, so that some invitations go through many
/// changes.
pub(super) fn pick() -> impl Strategy<Value = Pick> {
    let known = select(&[0, 0, 0, 0, 1, 1, 2, 3, 4, 5][..]).prop_map(Pick::Known);
    prop_oneof![15 => known, 1 => Just(Pick::Stranger)]
}

/// Draws a code: usually one that was issued.
pub(super) fn code() -> impl Strategy<Value = Pick> {
    prop_oneof![15 => (0_u8..8).prop_map(Pick::Known), 1 => Just(Pick::Stranger)]
}

pub(super) fn acting_user() -> impl Strategy<Value = ActingUser> {
    prop_oneof![
        8 => Just(ActingUser::Admin),
        6 => Just(ActingUser::SalesLead),
        3 => Just(ActingUser::SalesManager),
        2 => Just(ActingUser::OperationsManager),
        2 => Just(ActingUser::BasedAdmin),
        1 => Just(ActingUser::SalesStaff),
    ]
}

pub(super) fn creator() -> impl Strategy<Value = Creator> {
    prop_oneof![9 => acting_user().prop_map(Creator::User), 1 => Just(Creator::System)]
}

pub(super) fn division() -> impl Strategy<Value = DivisionName> {
    select(
        &[
            DivisionName::Sales,
            DivisionName::Sales,
            DivisionName::Sales,
            DivisionName::Operations,
            DivisionName::Hr,
        ][..],
    )
}

pub(super) fn role() -> impl Strategy<Value = RoleName> {
    use RoleName::{Admin, Lead, Manager, Staff, Wizard};
    select(&[Staff, Staff, Staff, Staff, Manager, Manager, Admin, Lead, Wizard][..])
}

pub(super) fn mailbox() -> impl Strategy<Value = Mailbox> {
    use Mailbox::{Anna, AnnaUntagged, Bob, BobElsewhere, Carol};
    select(&[Anna, Anna, AnnaUntagged, Bob, BobElsewhere, Carol][..])
}

pub(super) fn binding() -> impl Strategy<Value = BindingSpec> {
    prop_oneof![
        4 => Just(BindingSpec::Anyone),
        3 => (mailbox(), any::<bool>()).prop_map(|(mailbox, other)| BindingSpec::Address(mailbox, other)),
        1 => select(&[MailDomain::Example, MailDomain::MailExample, MailDomain::Umlaut][..]).prop_map(BindingSpec::Domain),
    ]
}

pub(super) fn expiry() -> impl Strategy<Value = ExpirySpec> {
    let exact = [
        HOUR,
        HOUR,
        HOUR,
        2 * HOUR,
        DAY,
        DAY,
        365 * DAY,
        // Invalid from here on.
        HOUR - 1,
        365 * DAY + 1,
        0,
        -DAY,
    ];
    prop_oneof![
        5 => Just(ExpirySpec::Default),
        4 => prop::sample::select(exact.to_vec()).prop_map(ExpirySpec::After),
        2 => select(&[1, 1, 7, 7, 30, 365, 0, 366, u32::MAX][..]).prop_map(ExpirySpec::Days),
    ]
}

pub(super) fn draft_spec() -> impl Strategy<Value = DraftSpec> {
    let uses = select(&[1, 1, 1, 1, 1, 1, 2, 2, 2, 3, MAX_USES, MAX_USES + 1][..]);
    let note = option::weighted(0.3, 0_u8..3);
    let places = option::weighted(0.85, division());
    (binding(), option::weighted(0.9, role()), places, expiry(), uses, note).prop_map(
        |(binding, role, division, until, uses, note)| DraftSpec {
            binding,
            role,
            division,
            until,
            uses,
            note,
        },
    )
}

pub(super) fn amendment() -> impl Strategy<Value = AmendmentSpec> {
    let binding = option::weighted(0.4, binding());
    (binding, option::weighted(0.4, role()), option::weighted(0.4, expiry()))
        .prop_map(|(binding, role, until)| AmendmentSpec { binding, role, until })
}

pub(super) fn version() -> impl Strategy<Value = Version> {
    use Version::{Any, Current, Former, Later};
    select(&[Any, Any, Any, Current, Current, Former, Later][..])
}

pub(super) fn revocation_reason() -> impl Strategy<Value = RevocationReason> {
    use RevocationReason::{Control, Left, Longest, TooLong, Unsaid};
    select(&[Unsaid, Unsaid, Left, Left, Longest, TooLong, Control][..])
}

pub(super) fn spelling() -> impl Strategy<Value = Spelling> {
    use Spelling::{AsShown, LookAlikes, Lower, Spaced};
    select(&[AsShown, AsShown, Lower, Spaced, LookAlikes][..])
}

pub(super) fn mistake() -> impl Strategy<Value = TypingMistake> {
    prop_oneof![
        Just(TypingMistake::Empty),
        Just(TypingMistake::TooLong),
        any::<u8>().prop_map(TypingMistake::Cut),
        Just(TypingMistake::Longer),
        any::<u8>().prop_map(TypingMistake::Alien),
        any::<u8>().prop_map(TypingMistake::Wrong),
        any::<u8>().prop_map(TypingMistake::Swapped),
    ]
}

pub(super) fn newcomer() -> impl Strategy<Value = Newcomer> {
    let proof = option::weighted(0.6, (mailbox(), any::<bool>()));
    (0_u8..4, prop::bool::weighted(0.1), proof, option::weighted(0.3, division())).prop_map(
        |(person, renamed, proof, division)| Newcomer { person, renamed, proof, division },
    )
}

pub(super) fn list_criteria() -> impl Strategy<Value = ListCriteria> {
    let statuses = [Status::Active, Status::Used, Status::Expired, Status::Revoked];
    let end = || option::weighted(0.15, (pick(), any::<bool>()));
    let narrow = (
        option::weighted(0.4, select(statuses.to_vec())),
        option::weighted(0.15, role()),
        option::weighted(0.15, division()),
        option::weighted(0.15, acting_user()),
        option::weighted(0.15, pick()),
        end(),
        end(),
        option::weighted(0.5, search_text()),
        prop::bool::weighted(0.2),
    )
        .prop_map(
            |(status, role, division, inviter, batch, created, expires, search, by_expiry)| {
                ListCriteria {
                    status,
                    role,
                    division,
                    inviter,
                    batch,
                    created,
                    expires,
                    search,
                    by_expiry,
                }
            },
        );
    prop_oneof![1 => Just(ListCriteria::default()), 3 => narrow]
}

/// Texts that people type into a search: valid ones, invalid ones, and ones that could be
/// codes.
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
    "ANNA.lind@example.com",
    " bob@EXAMPLE.com",
    "ob@example.com",
    "carol@exa\u{308}mple.org",
    "carol@xn--exmple-cua.org",
    "anna berg",
    "bob berg",
    "a",
    "an a",
    "h lind",
    "bob bob bob bob bob bob bob bob bob",
    "us u",
    "an li hr ex co anna lind example com",
    "ab cd ef gh ij kl",
    "abcd-efgh x",
    // Searches that are refused.
    "",
    " - ",
    "@.+",
];

pub(super) fn search_text() -> impl Strategy<Value = SearchText> {
    prop_oneof![
        12 => select(TEXTS).prop_map(SearchText::Text),
        1 => Just(SearchText::TooLong),
        8 => (code(), spelling(), select(&[4, 3, 5, 6, 7, 12, 29, 40][..]))
            .prop_map(|(pick, spelling, length)| SearchText::Code(pick, spelling, length)),
        2 => (code(), 4_u8..=24).prop_map(|(pick, length)| SearchText::NearlyCode(pick, length)),
    ]
}

pub(super) fn event_criteria() -> impl Strategy<Value = EventCriteriaSpec> {
    let performer = prop_oneof![
        acting_user().prop_map(EventPerformer::Actor),
        (0_u8..4).prop_map(EventPerformer::Person),
    ];
    let outcomes: Vec<_> = OutcomeFilter::all().collect();
    (
        option::weighted(0.3, pick()),
        option::weighted(0.2, performer),
        option::weighted(0.2, select(Action::ALL)),
        option::weighted(0.2, select(outcomes)),
        option::weighted(0.2, 0_u8..40),
        option::weighted(0.3, division()),
        option::weighted(0.2, any::<bool>()),
    )
        .prop_map(|(about, by, action, outcome, step, division, now)| EventCriteriaSpec {
            about,
            by,
            action,
            outcome,
            step,
            division,
            now,
        })
}

pub(super) fn clock_move() -> impl Strategy<Value = ClockMove> {
    let by = [1, 999, HOUR - 1, HOUR, DAY, 30 * DAY, -1, -1_500, -2 * HOUR];
    prop_oneof![
        1 => select(by.to_vec()).prop_map(ClockMove::By),
        2 => (pick(), -1_i64..=1).prop_map(|(pick, micros)| ClockMove::Expiry(pick, micros)),
        3 => (0_u8..4, -1_i64..=1).prop_map(|(n, micros)| ClockMove::Lease(n, micros)),
        2 => (pick(), -1_i64..=1).prop_map(|(pick, micros)| ClockMove::Over(pick, micros)),
    ]
}

/// Draws a reservation, most of the time an existing one presented by its redeemer.
pub(super) fn reservation_pick() -> impl Strategy<Value = ReservationPick> {
    let newest = (0_u8..2).prop_map(Pick::FromEnd);
    (prop_oneof![newest, code()], prop::bool::weighted(0.9))
        .prop_map(|(pick, own)| ReservationPick { pick, own })
}

pub(super) fn account_creation() -> impl Strategy<Value = AccountCreation> {
    let time = select(&[0, 1, HOUR, HOUR][..]);
    (time, prop::bool::weighted(0.7)).prop_map(|(time, works)| {
        if works { AccountCreation::Works(time) } else { AccountCreation::Fails(time) }
    })
}

pub(super) fn limits() -> impl Strategy<Value = LimitsSpec> {
    let max = || select(&[None, None, Some(1), Some(2), Some(3)][..]);
    let lease = select(&[HOUR, HOUR, 1, HOUR / 6, DAY][..]);
    (max(), max(), lease).prop_map(|(inviter, division, lease)| LimitsSpec {
        inviter,
        division,
        lease,
    })
}

/// Draws the creator of a request under a key: few, so that requests are repeated.
pub(super) fn key_creator() -> impl Strategy<Value = Creator> {
    let who = select(
        &[
            ActingUser::SalesManager,
            ActingUser::SalesManager,
            ActingUser::SalesLead,
            ActingUser::Admin,
        ][..],
    );
    prop_oneof![9 => who.prop_map(Creator::User), 1 => Just(Creator::System)]
}

/// Draws the draft of a request under a key: few drafts that differ in one field each.
pub(super) fn key_draft() -> impl Strategy<Value = DraftSpec> {
    let usual = DraftSpec {
        binding: BindingSpec::Anyone,
        role: Some(RoleName::Staff),
        division: Some(DivisionName::Sales),
        until: ExpirySpec::Default,
        uses: 1,
        note: None,
    };
    let binding = |binding| DraftSpec { binding, ..usual };
    let others = [
        binding(BindingSpec::Address(Mailbox::Bob, false)),
        binding(BindingSpec::Address(Mailbox::Bob, true)),
        binding(BindingSpec::Address(Mailbox::Carol, false)),
        binding(BindingSpec::Address(Mailbox::BobElsewhere, false)),
        binding(BindingSpec::Domain(MailDomain::Example)),
        DraftSpec { role: Some(RoleName::Manager), ..usual },
        DraftSpec { division: Some(DivisionName::Hr), ..usual },
        // These expire at the same instant as the usual draft.
        DraftSpec { until: ExpirySpec::Days(7), ..usual },
        DraftSpec { until: ExpirySpec::After(7 * DAY), ..usual },
        DraftSpec { uses: 2, ..usual },
        DraftSpec { note: Some(1), ..usual },
        // For some creators these mean the same as the usual draft.
        DraftSpec { role: None, ..usual },
        DraftSpec { division: None, ..usual },
    ];
    prop_oneof![1 => Just(usual), 1 => select(others.to_vec())]
}
