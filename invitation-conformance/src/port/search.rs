//! A search matches addresses, the beginnings of terms, and the beginnings of codes. No
//! character in it acts as a pattern.

use invitation_core::{Binding, CodeFormat, Filter, Outcome, Record, Scope, Search, Status};

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
        let expected = matching(&all, |one| filter.matches(one, []));
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
        let expected = matching(&all, |one| hr.contains(&one.division) && used.matches(one, []));
        let found = all_invitations(&*store, &hr, &used, 50).await;
        assert_same(&found, &expected, &format!("used in hr: {search:?}"));
        let counts = store.count(&hr, &used, 1_000).await.expect("the store counts");
        assert_eq!(counts, counts_of(&expected, &used, 1_000), "counted: used in hr: {search:?}");
    }
    assert!(hits > 60, "most of the searches find something, only {hits} do");
}

/// A search finds the current address, not a former one, and the name of each redeemer. All terms
/// must match the address, or the name of one redeemer. A deleted invitation is not found.
pub async fn search_finds_the_address_and_every_redeemer(fixture: Fixture) {
    use invitation_core::decide::{Command, NewTerms};

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
    for name in ["first user", "second user", "Third.User@example.org"] {
        let redeem = factory.default_redeem(&row, &newcomer(name));
        assert!(matches!(apply(&*store, &redeem).await, Outcome::Applied(_)), "redeemed");
    }
    for search in ["first", "second", "user first", "SECOND us", "third.user@example.org"] {
        assert!(found(search).await, "the name of one redeemer: {search}");
    }
    for search in ["first second", "first third", "user@example.org", "irst"] {
        assert!(!found(search).await, "no name of one redeemer: {search}");
    }

    let current = stored(&*store, &row).await;
    let binding = Some(Binding::Address(email("first@example.org")));
    let terms = NewTerms { binding, role: None, expires_at: None };
    let amend = factory.transition(Command::Amend { current: &current, terms });
    assert!(matches!(apply(&*store, &amend).await, Outcome::Applied(_)), "amended");
    assert!(found("first").await, "an earlier redeemer's, and the address's");
    assert!(found("first@example.org").await, "the whole address");
    assert!(!found("first third").await, "a term of the address, and one of the name");
    assert!(found("second").await, "an earlier redeemer");
    let delete = factory.transition(Command::Delete { id: row.id });
    assert!(matches!(apply(&*store, &delete).await, Outcome::Applied(_)), "deleted");
    for search in ["first", "second", "third", "first@example.org"] {
        assert!(!found(search).await, "a tombstone: {search}");
    }
}

/// Each of many redeemers of one code is found, alone and with a second term, on each kind of
/// list. A term of another redeemer does not help.
pub async fn search_finds_each_of_many_redeemers(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let for_many = || Record {
        max_uses: std::num::NonZeroU32::new(200).expect("not zero"),
        ..factory.invitation()
    };
    let rows: Vec<_> = (0..3).map(|_| for_many()).collect();
    factory.insert(&*store, &rows).await;
    // Transitions of one call may share a statement or a script.
    for row in &rows {
        let names = (0..40).map(|n| newcomer(&format!("anna number{n} of {}", n % 7)));
        let redeem: Vec<_> = names.map(|name| factory.default_redeem(row, &name)).collect();
        let outcomes = store.apply(&redeem).await;
        assert!(outcomes.iter().all(|one| matches!(one, Ok(Outcome::Applied(_)))), "redeemed");
    }
    let others = for_many();
    factory.insert(&*store, std::slice::from_ref(&others)).await;
    let redeem = factory.default_redeem(&others, &newcomer("anna 3"));
    assert!(matches!(apply(&*store, &redeem).await, Outcome::Applied(_)), "redeemed");
    let soonest = Filter {
        status: Some(Status::Active),
        order: invitation_core::ListOrder::SoonestExpiryFirst,
        ..Filter::all(read_time())
    };
    for (search, expected) in [
        ("anna", 4),
        ("number17", 3),
        ("anna number0", 3),
        ("number39 4 anna", 3),
        ("number39 5", 0),
        ("number1 number2", 0),
        ("number11 number12", 0),
        ("anna 3", 4),
        ("of 3", 3),
        ("absent", 0),
    ] {
        for filter in [filter(search), Filter { search: filter(search).search, ..soonest.clone() }]
        {
            let scopes = [Scope::All, Scope::Division(division("sales"))];
            for scope in scopes {
                let found = all_invitations(&*store, &scope, &filter, 2).await;
                assert_eq!(found.len(), expected, "{search:?} in {:?}", filter.order);
                let counts = store.count(&scope, &filter, 100).await.expect("the store counts");
                assert_eq!(counts, counts_of(&found, &filter, 100), "counted: {search:?}");
            }
        }
    }
}
