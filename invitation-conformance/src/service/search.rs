//! Searches through the service: by the beginning of a code, and with invalid text.

use invitation_core::{
    Actor, CodeFormat, Criteria, Draft, Error, InvitationCode, Paging, Policy, Right, Rights,
    Status,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::Harness,
        samples::{admin, division, email, newcomer, role, start, user},
    },
};

/// Returns another code with the same first four symbols, and so with the same tag.
fn code_with_the_same_tag(code: &InvitationCode) -> InvitationCode {
    let text = code.reveal();
    let first = &text[..4];
    let format = CodeFormat::default();
    let other = if text.as_bytes()[5] == b'7' { "8" } else { "7" };
    "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
        .chars()
        .find_map(|check| format.parse(&format!("{first}{}{check}", other.repeat(19))).ok())
        .expect("one of the check symbols fits")
}

/// The beginning of a code, at least its complete first group, finds exactly the codes
/// that begin with it, in any spelling. A shorter piece finds none.
pub async fn search_by_the_beginning_of_a_code_finds_it(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let factory = Factory::new();
    let one = factory.invitation();
    let code = factory.code_of(&one);
    let near = factory.invitation_with_code(&code_with_the_same_tag(&code));
    assert!(near.tag == one.tag && near.digest != one.digest, "a neighbour");
    let rows = [one.clone(), near.clone(), factory.invitation(), factory.invitation()];
    factory.insert(&*harness.store, &rows).await;
    let found = async |search: &str| {
        let criteria = Criteria::new().matching(search);
        let page = harness.service.list(&admin(), &criteria, Paging::default()).await;
        let page = page.expect("the administrator may search");
        let mut ids: Vec<_> = page.items().iter().map(|item| item.invitation().id()).collect();
        ids.sort();
        ids
    };
    let text = code.reveal();
    let symbols = text.replace('-', "");
    assert_eq!(found(&text[..4]).await, [one.id, near.id], "the first group of both");
    assert_eq!(found(&text[..4].to_lowercase()).await, [one.id, near.id], "in lower case");
    for typed in [
        text[..6].to_owned(),
        text[..9].to_lowercase(),
        symbols[..5].to_owned(),
        format!(" {} {} ", &symbols[..4], &symbols[4..8]),
        text.to_string(),
        symbols.to_lowercase(),
        symbols.replace('0', "o").replace('1', "l"),
    ] {
        assert_eq!(found(&typed).await, [one.id], "a longer beginning");
    }
    for typed in [&symbols[..3], &symbols[1..7], &symbols[4..], &text[5..9]] {
        assert_eq!(found(typed).await, [], "not a beginning with a complete first group");
    }
    assert_eq!(found(&format!("{symbols}7")).await, [], "longer than a code");
    let counts = harness.service.counts(&admin(), &Criteria::new().matching(&text[..4])).await;
    let counts = counts.expect("the administrator may count");
    assert_eq!(counts.of(Status::Active), 2, "counted by the first group");
}

/// A search without a letter or digit, or longer than 200 bytes, is refused instead of
/// ignored. It writes no event.
pub async fn search_without_letter_or_digit_is_invalid(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let factory = Factory::new();
    factory.insert(&*harness.store, &[factory.invitation()]).await;
    let before = harness.snapshot().await;
    let long = "ab ".repeat(67);
    for search in ["", " ", "%", "%%", "_", "-", "@", "'", "\u{301}", "\u{200b}", "🦊", &long] {
        let criteria = Criteria::new().matching(search);
        let listed = harness.service.list(&admin(), &criteria, Paging::default()).await;
        let counted = harness.service.counts(&admin(), &criteria).await;
        for error in [listed.err(), counted.err()] {
            let Some(Error::Invalid(invalid)) = error else {
                panic!("the search {search:?} must be refused, not {error:?}");
            };
            assert_eq!(invalid.errors()[0].field(), "search", "of {search:?}");
        }
    }
    assert_eq!(harness.snapshot().await, before, "no evidence of it, at {}", start());
}

/// An actor with the right to view but not to copy finds nothing by a code, not even by
/// its first group. Every symbol that a search confirms would reveal part of the code.
pub async fn search_by_code_without_the_right_to_copy_finds_nothing(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new().for_email(email("anna@example.com"))).await;
    let code = created.code().reveal();
    let policy = Policy::default()
        .with_role(role("viewer"), Rights::none().may([Right::View]))
        .with_role(role("copier"), Rights::none().may([Right::View, Right::Copy]));
    let service = harness.service.clone().with_policy(policy);
    for (who, sees_codes) in [("viewer", false), ("copier", true)] {
        let actor = Actor::in_division(user(&format!("u-{who}")), role(who), division("sales"));
        for text in [&code[..4], &code[..6], &code[..20], &code[..]] {
            let criteria = Criteria::new().matching(text);
            let page = service.list(&actor, &criteria, Paging::default()).await;
            let found = page.expect("it may be searched for").items().len();
            assert_eq!(found, usize::from(sees_codes), "{who} looks for a piece of a code");
            let counts = service.counts(&actor, &criteria).await.expect("it may be counted");
            let expected = u32::from(sees_codes);
            assert_eq!(counts.of(Status::Active), expected, "{who} counts a piece of a code");
        }
        let criteria = Criteria::new().matching("anna");
        let page = service.list(&actor, &criteria, Paging::default()).await;
        assert_eq!(page.expect("by words").items().len(), 1, "{who} looks for a word");
    }
}

/// A name whose letters read as a complete code is found as it is shown, also by an actor without
/// the right to copy: one name in 32 of the right length has a correct check symbol.
pub async fn search_by_a_name_that_reads_as_a_code_finds_it(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let policy = Policy::default().with_role(role("viewer"), Rights::none().may([Right::View]));
    let service = harness.service.clone().with_policy(policy);
    let viewer = Actor::in_division(user("u-viewer"), role("viewer"), division("sales"));
    let draft = Draft::new().with_role(role("staff")).in_division(division("sales"));
    for name in ["Johann Isabella Zimmermann", "Hans Christopher Friedrich"] {
        assert!(CodeFormat::default().parse(name).is_ok(), "{name} reads as a code");
        let created = harness.create(draft.clone()).await;
        let id = created.invitation().id();
        let code = created.code().reveal();
        service.redeem(&code, &newcomer(name)).await.expect("a use is left");
        for actor in [&admin(), &viewer] {
            let criteria = Criteria::new().matching(name);
            let page = service.list(actor, &criteria, Paging::default()).await;
            let page = page.expect("it may be searched for");
            let found: Vec<_> = page.items().iter().map(|item| item.invitation().id()).collect();
            assert_eq!(found, [id], "{name}");
            let counts = service.counts(actor, &criteria).await.expect("it may be counted");
            assert_eq!(counts.of(Status::Used), 1, "{name}");
        }
    }
}

/// A search that reads as the beginning of a code finds an invitation by the name of an earlier
/// redeemer, even if the code of that invitation begins almost like the search.
pub async fn search_that_may_be_a_code_finds_an_earlier_redeemer(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let draft = Draft::new()
        .with_role(role("staff"))
        .in_division(division("sales"))
        .for_uses(std::num::NonZeroU32::new(4).expect("not zero"));
    let created = harness.create(draft).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let symbols = code.replace('-', "");
    let nearly = |other: [char; 2]| {
        let fifth = symbols.chars().nth(4);
        let other = other.into_iter().find(|other| Some(*other) != fifth).expect("one of two");
        format!("{}{other}", &symbols[..4])
    };
    let (name, absent) = (nearly(['7', '8']), nearly(['5', '6']));
    for name in [&*name, "zoe", "una"] {
        harness.service.redeem(&code, &newcomer(name)).await.expect("a use is left");
    }
    for (search, expected) in [(&name, 1), (&absent, 0)] {
        let criteria = Criteria::new().matching(search.to_lowercase());
        let page = harness.service.list(&admin(), &criteria, Paging::default()).await;
        let page = page.expect("the administrator may list");
        let found: Vec<_> = page.items().iter().map(|item| item.invitation().id()).collect();
        assert_eq!(found, vec![id; expected], "{search}");
        let counts = harness.service.counts(&admin(), &criteria).await.expect("may count");
        assert_eq!(usize::try_from(counts.of(Status::Active)), Ok(expected), "{search}");
    }
    for (search, expected) in [(absent, 0), (name, 1)] {
        let criteria = Criteria::new().matching(search);
        let page = harness.service.revoke_all(&admin(), &criteria, None, Paging::default()).await;
        assert_eq!(page.expect("may revoke").revoked(), vec![id; expected]);
    }
}
