//! The tests of addresses and domains.

use super::*;

fn key(text: &str) -> String {
    Email::parse(text).unwrap().key().as_str().to_owned()
}

#[test]
fn compares_by_case_and_international_domain_only() {
    assert_eq!(key("Bob.X+y@Example.COM"), "bob.x+y@example.com");
    assert_ne!(key("bob@example.com"), key("bo.b@example.com"));
    // NFC and NFD of the domain, full width and punycode are one domain.
    let names = ["a@exämple.com", "a@exa\u{308}mple.com", "a@EXÄMPLE.com", "a@xn--exmple-cua.com"];
    for text in names {
        assert_eq!(key(text), "a@xn--exmple-cua.com", "{text}");
    }
    // A homoglyph, here the Cyrillic а, makes a different domain.
    assert_ne!(key("a@example.com"), key("a@ex\u{430}mple.com"));
}

#[test]
fn refuses_what_nobody_sees_and_names_its_position() {
    for (text, expected) in [
        ("anna@example.com\u{200b}", "invisible characters (position 17)"),
        ("\u{feff}anna@example.com", "invisible characters (position 1)"),
        ("an\u{ad}na@example.com", "invisible characters (position 3)"),
        ("anna@exam\u{ad}ple.com", "invisible characters (position 10)"),
        ("anna@exam\u{200d}ple.com", "invisible characters (position 10)"),
        ("anna@exam\u{200c}ple.com", "invisible characters (position 10)"),
        ("anna@\u{2060}example.com", "invisible characters (position 6)"),
        ("anna@example.c\u{34f}om", "invisible characters (position 15)"),
        ("anna@example.com\u{fe0f}", "invisible characters (position 17)"),
        ("anna@exämple\u{3164}.com", "invisible characters (position 13)"),
        ("anna@example.com\u{e0020}", "invisible characters (position 17)"),
        ("\u{200e}anna@example.com", "characters that change the direction of text (position 1)"),
        ("anna@\u{202e}moc.example", "characters that change the direction of text (position 6)"),
        ("anna@example.com\u{2069}", "characters that change the direction of text (position 17)"),
        ("anna@example.com\u{2028}", "line separators (position 17)"),
        ("anna@example.com\n", "control characters (position 17)"),
        ("anna@example.com\u{85}", "control characters (position 17)"),
        ("anna@exa\u{a0}mple.com", "white space (position 9)"),
        ("anna@example.com ", "white space (position 17)"),
    ] {
        let refused = Email::parse(text).unwrap_err();
        assert_eq!(refused.message(), format!("must not contain {expected}"), "{text:?}");
        assert_eq!(refused.field(), "email");
    }
    let refused = EmailDomain::parse("exam\u{ad}ple.com").unwrap_err();
    assert_eq!(refused.message(), "must not contain invisible characters (position 5)");
    assert_eq!(refused.field(), "email_domain");
}

#[test]
fn keeps_what_mail_is_sent_to() {
    for (text, kept) in [
        ("Anna@Exämple.com", "Anna@Exämple.com"),
        ("anna@xn--exmple-cua.com", "anna@xn--exmple-cua.com"),
        ("anna@ｅｘａｍｐｌｅ．ｃｏｍ", "anna@example.com"),
        ("anna@example。com", "anna@example.com"),
        ("anna@example｡com", "anna@example.com"),
        ("anna@exa\u{308}mple.com", "anna@exämple.com"),
        ("anna@ex\u{430}mple.com", "anna@ex\u{430}mple.com"),
        ("anna@例え。jp", "anna@例え.jp"),
    ] {
        let email = Email::parse(text).unwrap();
        assert_eq!(email.as_str(), kept);
        assert_eq!(Email::parse(kept).unwrap().key(), email.key(), "{text}");
    }
    // The address of one mailbox is never read as a longer or different one.
    for text in ["anna＠example.com", "anna@example.com．", "anna@exam／ple.com", "a@b＠c.com"]
    {
        assert!(Email::parse(text).is_err(), "{text}");
    }
}

#[test]
fn restores_what_an_earlier_release_stored() {
    let stored = Email::from_stored("anna@example.com\u{200b}", "anna@example.com");
    assert_eq!(stored.as_str(), "anna@example.com\u{200b}");
    assert_eq!(stored.key(), Email::parse("anna@example.com").unwrap().key());
    assert_eq!(EmailDomain::from_stored("localhost").as_str(), "localhost");
}

#[test]
fn refuses_local_parts_that_fold_onto_others() {
    for local in
        ["\u{212a}im", "ad\u{131}n", "\u{fb01}n", "\u{ff41}nna", "\u{430}nna", "anna\u{301}"]
    {
        assert!(Email::parse(&format!("{local}@example.com")).is_err(), "{local}");
    }
}

#[test]
fn never_yields_more_than_one_recipient() {
    let long = format!("{}@example.com", "a".repeat(10_000));
    let abuse = [
        "",
        " ",
        "@",
        "a",
        "a@",
        "@example.com",
        "a@localhost",
        "a@example.com ",
        " a@example.com",
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com\0",
        "a@example.com,b@example.com",
        "a@example.com;b@example.com",
        "a@b@example.com",
        "Anna <a@example.com>",
        "<a@example.com>",
        "\"a b\"@example.com",
        "\"a\"@example.com",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "[a@example.com]",
        "a%0a@example.com",
        "a%0Abcc@example.com",
        "victim%0abcc@example.com",
        "a%00@example.com",
        "a%2cb@example.com",
        "a@example..com",
        "a@.example.com",
        "a@example.com.",
        "a(x)@example.com",
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a@-example.com",
        "a@ex_ample.com",
        &long,
    ];
    for text in abuse {
        assert!(Email::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn accepts_a_percent_sign_that_encodes_nothing() {
    for text in ["%@example.com", "100%@example.com", "a%host@example.com", "a%0@example.com"] {
        assert!(Email::parse(text).is_ok(), "{text}");
    }
    let refused = Email::parse("a%0a@example.com").unwrap_err();
    assert_eq!(refused.message(), "must not have percent-encoded characters before the @");
}

#[test]
fn shows_itself_masked_to_the_debugger() {
    let shown = format!("{:?}", Email::parse("anna@example.com").unwrap());
    assert_eq!(shown, "Email(a***@example.com)");
}

#[test]
fn keeps_the_given_spelling_through_serde() {
    let email = Email::parse("Anna@Example.com").unwrap();
    let json = serde_json::to_string(&email).unwrap();
    assert_eq!(json, "\"Anna@Example.com\"");
    assert_eq!(serde_json::from_str::<Email>(&json).unwrap(), email);
    assert!(serde_json::from_str::<Email>("\"anna\"").is_err());
}
