//! A search matches addresses, the beginnings of terms, and the beginnings of codes. No
//! character in it acts as a pattern.

use invitation_core::{
    Actor, Binding, CodeFormat, Count, Criteria, Draft, Error, Filter, Invitation, InvitationCode,
    Paging, Policy, Right, Rights, Scope, Search, Status,
};

use super::{
    listing::{assert_same, tally_of},
    mint::Mint,
    people::{admin, division, email, role, start, user},
    population::{chosen, looked_at, population},
    world::{World, all_invitations},
};
use crate::Fixture;

fn filter(search: &str) -> Filter {
    let search = Search::parse(search, &CodeFormat::default()).expect("a search");
    Filter { search: Some(search), ..Filter::all(looked_at()) }
}

/// Texts that people search for: pieces of addresses and names, and texts that match
/// nothing.
const SEARCHES: &[&str] = &[
    "anna",
    "ANNA",
    "an",
    "nna",
    "anna lind",
    "lind anna",
    "anna  lin",
    "anna.lind+hr@example.com",
    "Anna.Lind",
    "ann li ex",
    "joanna",
    "100",
    "100%",
    "real",
    "%eal",
    "_eal",
    "an%",
    "an%na",
    "li_nd",
    "zoë",
    "zoe\u{308}",
    "ZOË",
    "zoe",
    "école",
    "e\u{301}cole",
    "\u{c9}COLE",
    "ecole",
    "straße",
    "STRASSE",
    "strasse",
    "istanbul",
    "stanbul",
    "σας",
    "ΣΑΣ",
    "σα",
    "漢字",
    "漢字 かな",
    "brien",
    "example",
    "xn",
    "exa",
    "exä",
    "x1",
    "x1 org",
    "cd ef",
    "ab-cd",
    "*an*",
    "anna?",
    "zz",
    "ex co an",
    "co",
    "com anna",
    // Whole addresses, in the e-mail and in *Used By*.
    "j.smith@example.com",
    "J.Smith@EXAMPLE.com ",
    "smith@example.com",
    "j.smith@example.co",
    "anna+1@example.com",
    "anna+1@exa\u{308}mple.com",
    "anna+1@xn--exmple-cua.com",
    "o'brien@example.com",
    "nobody@example.com",
    // Terms of one character, alone and with others.
    "j",
    "j.smith",
    "j smith example",
    "s j",
    "a",
    "a b",
    "x",
    "1",
    "7 x",
    "李",
    "漢",
    "漢字 か",
    "%j%",
    // Searches with many terms.
    "a b c d e f g 1 2 3 7 x",
    "x 7 3 2 1 g f e d c b a",
    "a b c d e f g 1 2 3 7 y",
    "anna lind hr example com an li ex co ann lin",
    "ab cd ef x1 org abc",
    // All of the address, or all of the name.
    "anna école",
    "smith neil",
    "o\u{2019}neil j",
    "O'NEIL",
    // Combining marks belong to their letters.
    "हिन्दी",
    "हिन्",
    "ह",
    "สมชาย",
    "สมช",
    "ａｎｎａ",
    "an\u{ad}na",
    "ıstanbul",
];

/// Every search term must begin a term of the address, or every one a term of *Used By*,
/// in any case and Unicode form. A search term of one character must be a whole term. A
/// store finds exactly what [`Search::matches`](invitation_core::Search::matches) matches.
pub async fn a_search_finds_beginnings_of_words(fixture: Fixture) {
    let (store, mint) = (fixture.store(), Mint::new());
    let all = population(&mint, 120);
    mint.store(&*store, &all).await;
    let mut hits = 0;
    for &search in SEARCHES {
        let filter = filter(search);
        let expected = chosen(&all, |one| filter.matches(one));
        hits += usize::from(!expected.is_empty());
        let found = all_invitations(&*store, &Scope::All, &filter, 50).await;
        assert_same(&found, &expected, &format!("search {search:?}"));
        let hr = Scope::Division(division("hr"));
        for (scope, cap) in [(&Scope::All, 1_000), (&hr, 1_000), (&hr, 2)] {
            let of_scope = chosen(&expected, |one| scope.contains(&one.division));
            let tally = store.count(scope, &filter, cap).await.expect("the store counts");
            let what = format!("counted up to {cap} in {scope:?}: {search:?}");
            assert_eq!(tally, tally_of(&of_scope, &filter, cap), "{what}");
        }
        let used = Filter { status: Some(Status::Used), ..filter.clone() };
        let expected = chosen(&all, |one| hr.contains(&one.division) && used.matches(one));
        let found = all_invitations(&*store, &hr, &used, 50).await;
        assert_same(&found, &expected, &format!("used in hr: {search:?}"));
        let tally = store.count(&hr, &used, 1_000).await.expect("the store counts");
        assert_eq!(tally, tally_of(&expected, &used, 1_000), "counted: used in hr: {search:?}");
    }
    assert!(hits > 60, "most of the searches find something, only {hits} do");
}

/// A search uses the current values: an amended address and the latest *Used By*, not the
/// former ones.
pub async fn a_search_follows_changes(fixture: Fixture) {
    use super::{mint::apply, people::newcomer};
    use invitation_core::{
        Outcome,
        decide::{Command, NewTerms},
    };

    let (store, mint) = (fixture.store(), Mint::new());
    let row = Invitation {
        binding: Binding::Address(email("before@example.org")),
        max_uses: std::num::NonZeroU32::new(4).expect("not zero"),
        ..mint.row()
    };
    mint.store(&*store, std::slice::from_ref(&row)).await;
    let found = async |search: &str| {
        let filter = filter(search);
        let found = all_invitations(&*store, &Scope::All, &filter, 5).await;
        let tally = store.count(&Scope::All, &filter, 5).await.expect("the store counts");
        assert_eq!(tally, tally_of(&found, &filter, 5), "counted: {search:?}");
        found.len() == 1
    };
    assert!(found("before").await, "the first address");
    for (binding, hit, misses) in [
        (Binding::Address(email("after@example.org")), Some("after"), ["before", "other"]),
        (Binding::Anyone, None, ["before", "after"]),
    ] {
        let current = super::changes::stored(&*store, &row).await;
        let terms = NewTerms { binding: Some(binding), role: None, expires_at: None };
        let amend = mint.transition(Command::Amend { current: &current, terms });
        assert!(matches!(apply(&*store, &amend).await, Outcome::Applied(_)), "amended");
        if let Some(hit) = hit {
            assert!(found(hit).await, "the new address");
        }
        for miss in misses {
            assert!(!found(miss).await, "a former address: {miss}");
        }
    }
    for name in ["first user", "second user"] {
        let redeem = mint.plain_redeem(&row, &newcomer(name));
        assert!(matches!(apply(&*store, &redeem).await, Outcome::Applied(_)), "redeemed");
    }
    assert!(found("second").await, "the latest redemption");
    assert!(!found("first").await, "an earlier redemption");
    assert!(found("user").await, "a term of both");
    let redeem = mint.plain_redeem(&row, &newcomer("Third.User@example.org"));
    assert!(matches!(apply(&*store, &redeem).await, Outcome::Applied(_)), "redeemed");
    assert!(found("third.user@example.org").await, "the address that is the latest name");
    assert!(!found("second").await && !found("user@example.org").await, "and nothing else");

    let current = super::changes::stored(&*store, &row).await;
    let binding = Some(Binding::Address(email("first@example.org")));
    let terms = NewTerms { binding, role: None, expires_at: None };
    let amend = mint.transition(Command::Amend { current: &current, terms });
    assert!(matches!(apply(&*store, &amend).await, Outcome::Applied(_)), "amended");
    assert!(found("first").await, "an earlier redeemer's, and the address's");
    assert!(found("first@example.org").await, "the whole address");
    assert!(!found("first third").await, "a term of the address, and one of the name");
}

/// Returns another code with the same first four symbols, and so with the same tag.
fn neighbour(code: &InvitationCode) -> InvitationCode {
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
pub async fn a_search_finds_beginnings_of_codes(fixture: Fixture) {
    let world = World::new(fixture);
    let mint = Mint::new();
    let one = mint.row();
    let code = mint.open(&one);
    let near = mint.row_with(&neighbour(&code));
    assert!(near.tag == one.tag && near.digest != one.digest, "a neighbour");
    let rows = [one.clone(), near.clone(), mint.row(), mint.row()];
    mint.store(&*world.store, &rows).await;
    let found = async |search: &str| {
        let criteria = Criteria::new().matching(search);
        let page = world.service.list(&admin(), &criteria, Paging::default()).await;
        let page = page.expect("the administrator may search");
        let mut ids: Vec<_> = page.items().iter().map(|item| item.invitation().id).collect();
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
    let counts = world.service.counts(&admin(), &Criteria::new().matching(&text[..4])).await;
    let counts = counts.expect("the administrator may count");
    assert_eq!(counts.of(Status::Active), Count::Exactly(2), "counted by the first group");
}

/// A search without a letter or digit, or longer than 200 bytes, is refused instead of
/// ignored. It writes no event.
pub async fn a_search_without_words_is_refused(fixture: Fixture) {
    let world = World::new(fixture);
    let mint = Mint::new();
    mint.store(&*world.store, &[mint.row()]).await;
    let before = world.everything().await;
    let long = "ab ".repeat(67);
    for search in ["", " ", "%", "%%", "_", "-", "@", "'", "\u{301}", "\u{200b}", "🦊", &long] {
        let criteria = Criteria::new().matching(search);
        let listed = world.service.list(&admin(), &criteria, Paging::default()).await;
        let counted = world.service.counts(&admin(), &criteria).await;
        for error in [listed.err(), counted.err()] {
            let Some(Error::Invalid(invalid)) = error else {
                panic!("the search {search:?} must be refused, not {error:?}");
            };
            assert_eq!(invalid.errors()[0].field(), "search", "of {search:?}");
        }
    }
    assert_eq!(world.everything().await, before, "no evidence of it, at {}", start());
}

/// An actor with the right to view but not to copy finds nothing by a code, not even by
/// its first group. Every symbol that a search confirms would reveal part of the code.
pub async fn a_search_confirms_no_code_to_who_may_not_copy(fixture: Fixture) {
    let world = World::new(fixture);
    let created = world.issue(Draft::new().for_email(email("anna@example.com"))).await;
    let code = created.code().reveal();
    let policy = Policy::default()
        .with_role(role("viewer"), Rights::none().may([Right::View]))
        .with_role(role("copier"), Rights::none().may([Right::View, Right::Copy]));
    let service = world.service.clone().with_policy(policy);
    for (who, sees_codes) in [("viewer", false), ("copier", true)] {
        let actor = Actor::in_division(user(&format!("u-{who}")), role(who), division("sales"));
        for text in [&code[..4], &code[..6], &code[..20], &code[..]] {
            let criteria = Criteria::new().matching(text);
            let page = service.list(&actor, &criteria, Paging::default()).await;
            let found = page.expect("it may be searched for").items().len();
            assert_eq!(found, usize::from(sees_codes), "{who} looks for a piece of a code");
            let counts = service.counts(&actor, &criteria).await.expect("it may be counted");
            let expected = Count::Exactly(u32::from(sees_codes));
            assert_eq!(counts.of(Status::Active), expected, "{who} counts a piece of a code");
        }
        let criteria = Criteria::new().matching("anna");
        let page = service.list(&actor, &criteria, Paging::default()).await;
        assert_eq!(page.expect("by words").items().len(), 1, "{who} looks for a word");
    }
}
