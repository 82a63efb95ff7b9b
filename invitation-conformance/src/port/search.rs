//! A search matches addresses, the beginnings of terms, and the beginnings of codes. No
//! character in it acts as a pattern.

use invitation_core::{Binding, CodeFormat, Filter, Record, Scope, Search, Status};

use super::list::{assert_same, counts_of};
use crate::{
    Fixture,
    support::{
        factory::{Factory, apply},
        population::{matching, population, read_time},
        reads::{all_invitations, stored},
        samples::{division, email, newcomer},
    },
};

fn filter(search: &str) -> Filter {
    let search = Search::parse(search, &CodeFormat::default()).expect("a search");
    Filter { search: Some(search), ..Filter::all(read_time()) }
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
    "unknown@example.com",
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
pub async fn search_finds_beginnings_of_terms(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let all = population(&factory, 120);
    factory.insert(&*store, &all).await;
    let mut hits = 0;
    for &search in SEARCHES {
        let filter = filter(search);
        let expected = matching(&all, |one| filter.matches(one));
        hits += usize::from(!expected.is_empty());
        let found = all_invitations(&*store, &Scope::All, &filter, 50).await;
        assert_same(&found, &expected, &format!("search {search:?}"));
        let hr = Scope::Division(division("hr"));
        for (scope, cap) in [(&Scope::All, 1_000), (&hr, 1_000), (&hr, 2)] {
            let of_scope = matching(&expected, |one| scope.contains(&one.division));
            let counts = store.count(scope, &filter, cap).await.expect("the store counts");
            let what = format!("counted up to {cap} in {scope:?}: {search:?}");
            assert_eq!(counts, counts_of(&of_scope, &filter, cap), "{what}");
        }
        let used = Filter { status: Some(Status::Used), ..filter.clone() };
        let expected = matching(&all, |one| hr.contains(&one.division) && used.matches(one));
        let found = all_invitations(&*store, &hr, &used, 50).await;
        assert_same(&found, &expected, &format!("used in hr: {search:?}"));
        let counts = store.count(&hr, &used, 1_000).await.expect("the store counts");
        assert_eq!(counts, counts_of(&expected, &used, 1_000), "counted: used in hr: {search:?}");
    }
    assert!(hits > 60, "most of the searches find something, only {hits} do");
}

/// A search uses the current values: an amended address and the latest *Used By*, not the
/// former ones.
pub async fn search_finds_current_values_only(fixture: Fixture) {
    use invitation_core::{
        Outcome,
        decide::{Command, NewTerms},
    };

    let (store, factory) = (fixture.store(), Factory::new());
    let row = Record {
        binding: Binding::Address(email("before@example.org")),
        max_uses: std::num::NonZeroU32::new(4).expect("not zero"),
        ..factory.invitation()
    };
    factory.insert(&*store, std::slice::from_ref(&row)).await;
    let found = async |search: &str| {
        let filter = filter(search);
        let found = all_invitations(&*store, &Scope::All, &filter, 5).await;
        let counts = store.count(&Scope::All, &filter, 5).await.expect("the store counts");
        assert_eq!(counts, counts_of(&found, &filter, 5), "counted: {search:?}");
        found.len() == 1
    };
    assert!(found("before").await, "the first address");
    for (binding, hit, misses) in [
        (Binding::Address(email("after@example.org")), Some("after"), ["before", "other"]),
        (Binding::Anyone, None, ["before", "after"]),
    ] {
        let current = stored(&*store, &row).await;
        let terms = NewTerms { binding: Some(binding), role: None, expires_at: None };
        let amend = factory.transition(Command::Amend { current: &current, terms });
        assert!(matches!(apply(&*store, &amend).await, Outcome::Applied(_)), "amended");
        if let Some(hit) = hit {
            assert!(found(hit).await, "the new address");
        }
        for miss in misses {
            assert!(!found(miss).await, "a former address: {miss}");
        }
    }
    for name in ["first user", "second user"] {
        let redeem = factory.default_redeem(&row, &newcomer(name));
        assert!(matches!(apply(&*store, &redeem).await, Outcome::Applied(_)), "redeemed");
    }
    assert!(found("second").await, "the latest redemption");
    assert!(!found("first").await, "an earlier redemption");
    assert!(found("user").await, "a term of both");
    let redeem = factory.default_redeem(&row, &newcomer("Third.User@example.org"));
    assert!(matches!(apply(&*store, &redeem).await, Outcome::Applied(_)), "redeemed");
    assert!(found("third.user@example.org").await, "the address that is the latest name");
    assert!(!found("second").await && !found("user@example.org").await, "and nothing else");

    let current = stored(&*store, &row).await;
    let binding = Some(Binding::Address(email("first@example.org")));
    let terms = NewTerms { binding, role: None, expires_at: None };
    let amend = factory.transition(Command::Amend { current: &current, terms });
    assert!(matches!(apply(&*store, &amend).await, Outcome::Applied(_)), "amended");
    assert!(found("first").await, "an earlier redeemer's, and the address's");
    assert!(found("first@example.org").await, "the whole address");
    assert!(!found("first third").await, "a term of the address, and one of the name");
}
