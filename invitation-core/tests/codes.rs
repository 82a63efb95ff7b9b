//! Codes as text: which typing errors are found, which variations are accepted, and how
//! codes are drawn.

#[path = "support/seeded.rs"]
mod seeded;

use std::collections::HashSet;

use invitation_core::{CodeFormat, Entropy, EntropyError, OsEntropy, ParseCodeError};
use proptest::prelude::*;
use seeded::SeededEntropy;

const SYMBOLS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Returns the canonical symbols of some codes of every length.
fn samples() -> impl Iterator<Item = (CodeFormat, Vec<char>)> {
    let entropy = SeededEntropy::new(5);
    (CodeFormat::MIN_SYMBOLS..=CodeFormat::MAX_SYMBOLS).flat_map(move |symbols| {
        let format = CodeFormat::new(symbols).expect("within bounds");
        let codes = format.generate_many(10, &entropy).expect("it is seeded");
        codes
            .into_iter()
            .map(|code| (format.clone(), code.reveal().chars().filter(|c| *c != '-').collect()))
            .collect::<Vec<_>>()
    })
}

fn parse(format: &CodeFormat, symbols: &[char]) -> Result<(), ParseCodeError> {
    format.parse(&symbols.iter().collect::<String>()).map(|_| ())
}

#[test]
fn every_single_wrong_symbol_is_caught() {
    for (format, code) in samples() {
        for position in 0..code.len() {
            for wrong in SYMBOLS.chars().filter(|symbol| *symbol != code[position]) {
                let mut typed = code.clone();
                typed[position] = wrong;
                assert_eq!(
                    parse(&format, &typed),
                    Err(ParseCodeError::Check),
                    "{wrong} at {position}"
                );
            }
        }
    }
}

#[test]
fn every_swap_of_two_symbols_is_caught() {
    for (format, code) in samples() {
        for (a, b) in (0..code.len()).flat_map(|b| (0..b).map(move |a| (a, b))) {
            let mut typed = code.clone();
            typed.swap(a, b);
            let expected = if code[a] == code[b] { Ok(()) } else { Err(ParseCodeError::Check) };
            assert_eq!(parse(&format, &typed), expected, "{a} and {b} of {}", code.len());
        }
    }
}

#[test]
fn every_missing_or_extra_symbol_is_caught() {
    for (format, code) in samples() {
        for position in 0..code.len() {
            let (mut shorter, mut longer) = (code.clone(), code.clone());
            shorter.remove(position);
            longer.insert(position, '7');
            for typed in [shorter, longer] {
                let expected = ParseCodeError::Length { expected: code.len(), found: typed.len() };
                assert_eq!(parse(&format, &typed), Err(expected));
            }
        }
    }
}

#[test]
fn case_separators_and_look_alikes_are_forgiven() {
    let format = CodeFormat::default();
    let entropy = SeededEntropy::new(6);
    for _ in 0..200 {
        let code = format.generate(&entropy).expect("it is seeded");
        let shown = code.reveal().to_string();
        let typed = [
            shown.to_lowercase(),
            shown.replace('-', ""),
            shown.replace('-', " "),
            shown.replace('-', "\u{2013}"),
            shown.replace('-', "\u{a0}"),
            format!("\t {shown}\r\n"),
            shown.replace('0', "O"),
            shown.replace('0', "o").replace('1', "I"),
            shown.replace('1', "l"),
            shown.replace('1', "i"),
        ];
        for text in &typed {
            assert_eq!(format.parse(text).as_ref(), Ok(&code), "{text:?}");
        }
    }
}

#[test]
fn what_is_no_code_is_told_apart_and_never_echoed() {
    let format = CodeFormat::default();
    let too_long = "7".repeat(CodeFormat::MAX_INPUT + 1);
    for (text, expected) in [
        ("", ParseCodeError::Empty),
        (" - \u{2014} ", ParseCodeError::Empty),
        ("\0", ParseCodeError::Empty),
        ("https://example.com/register#", ParseCodeError::Empty),
        ("#", ParseCodeError::Empty),
        ("null", ParseCodeError::Symbol { position: 2 }),
        ("7KQ2\0", ParseCodeError::Length { expected: 24, found: 4 }),
        ("é", ParseCodeError::Symbol { position: 1 }),
        ("７KQ2", ParseCodeError::Length { expected: 24, found: 4 }),
        ("\u{200e}７-Ü", ParseCodeError::Symbol { position: 4 }),
        ("7KQ2 ٣", ParseCodeError::Symbol { position: 6 }),
        ("7KQ2\u{a0}к", ParseCodeError::Symbol { position: 6 }),
        ("https://example.com/register#7KQ2-U", ParseCodeError::Symbol { position: 35 }),
        ("https://example.com/register#7KQ2", ParseCodeError::Length { expected: 24, found: 4 }),
        ("Code #7KQ2-U", ParseCodeError::Symbol { position: 12 }),
        ("0", ParseCodeError::Length { expected: 24, found: 1 }),
        (&"0".repeat(24), ParseCodeError::Check),
        (&"O".repeat(24), ParseCodeError::Check),
        (&too_long, ParseCodeError::TooLong),
    ] {
        assert_eq!(format.parse(text), Err(expected), "{text:?}");
    }
    for length in CodeFormat::MIN_SYMBOLS..=CodeFormat::MAX_SYMBOLS {
        let format = CodeFormat::new(length).expect("within bounds");
        assert_eq!(
            format.parse(&"0".repeat(length.into())),
            Err(ParseCodeError::Check),
            "all zero"
        );
    }
}

/// Returns the full-width, mathematical bold and circled forms of the symbols.
fn other_forms(text: &str) -> [String; 3] {
    let shift = |c: char, by: [u32; 2]| match c {
        'A'..='Z' => char::from_u32(by[0] + u32::from(c) - u32::from('A')),
        '0'..='9' => char::from_u32(by[1] + u32::from(c) - u32::from('0')),
        c => Some(c),
    };
    let of = |by| text.chars().map(|c| shift(c, by).expect("there is such a form")).collect();
    let circled =
        |c: char| if c == '0' { '\u{24ea}' } else { shift(c, [0x24b6, 0x245f]).unwrap_or(c) };
    [of([0xff21, 0xff10]), of([0x1d400, 0x1d7ce]), text.chars().map(circled).collect()]
}

#[test]
fn a_code_is_read_as_people_paste_it() {
    let entropy = SeededEntropy::new(9);
    for format in [
        CodeFormat::default(),
        CodeFormat::new(16).and_then(|format| format.with_prefix("ULI")).expect("a format"),
        CodeFormat::new(12).and_then(|format| format.with_prefix("7K")).expect("a format"),
    ] {
        for _ in 0..100 {
            let code = format.generate(&entropy).expect("it is seeded");
            let shown = code.reveal().to_string();
            let mut pasted: Vec<String> = other_forms(&shown).into();
            pasted.extend(
                [
                    "\u{200e}CODE",
                    "\u{feff}CODE",
                    "CODE.",
                    "CODE\u{200b}",
                    "\"CODE\"",
                    "„CODE“",
                    "[CODE]",
                    "<CODE>",
                    "(CODE),",
                    "*CODE*",
                    "`CODE`",
                    "CODE\0",
                    "\tCODE\r\n\r\n",
                    "\u{2066}CODE\u{2069}",
                    "→ CODE ←",
                    "#CODE",
                    "Nr. #CODE",
                    "https://example.com/register#CODE",
                    "https://example.com/register#CODE.",
                    " <https://example.com/a/b/register#CODE>\n",
                    "http://127.0.0.1:8080/register#CODE)",
                    "example.com/register#CODE",
                    "[Register](https://münchen.example/register#CODE)",
                    "https://example.com/register?lang=de&x=1#CODE",
                ]
                .map(|around| around.replace("CODE", &shown)),
            );
            pasted.extend(
                ["\u{2011}", "\u{ad}", " \u{2013} ", "\n", "\u{a0}", "\u{2212}", "/", "\u{301}"]
                    .map(|between| shown.replace('-', between)),
            );
            pasted.push(shown.chars().flat_map(|c| [c, '\u{200b}']).collect());
            for text in &pasted {
                assert_eq!(format.parse(text).as_ref(), Ok(&code), "{text:?}");
                let lower = text.to_lowercase();
                assert_eq!(format.parse(&lower).as_ref(), Ok(&code), "{lower:?}");
            }
        }
    }
}

/// Generates characters that are neither letters nor digits by the standard library,
/// whose tables are independent of this crate's. The blocks are those in which no
/// release of Unicode assigns a new letter or digit.
fn decoration() -> impl Strategy<Value = String> {
    let blocks = [
        '\0'..='\u{52f}',
        '\u{2000}'..='\u{206f}',
        '\u{20d0}'..='\u{20ff}',
        '\u{2100}'..='\u{2bff}',
        '\u{3000}'..='\u{303f}',
        '\u{fe00}'..='\u{fe6f}',
        '\u{1f300}'..='\u{1faff}',
        '\u{e0000}'..='\u{e01ef}',
    ];
    let skipped = proptest::char::ranges(blocks.to_vec().into())
        .prop_filter("is a letter or digit", |c| !c.is_alphanumeric());
    proptest::collection::vec(skipped, 0..4).prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn a_code_is_read_among_anything_but_letters_and_digits(
        seed in any::<u64>(),
        prefixed in any::<bool>(),
        decorations in proptest::collection::vec(decoration(), 40),
    ) {
        let format = CodeFormat::default();
        let format = if prefixed { format.with_prefix("ACME").expect("a prefix") } else { format };
        let code = format.generate(&SeededEntropy::new(seed)).expect("it is seeded");
        let shown = code.reveal();
        let mut typed = String::new();
        for (c, around) in shown.chars().zip(&decorations) {
            typed.push_str(around);
            typed.push(c);
        }
        typed.push_str(&decorations[39]);
        let read = format.parse(&typed);
        prop_assert_eq!(read.as_ref(), Ok(&code), "{:?}", typed);
    }

    #[test]
    fn any_text_is_read_without_panic_and_positions_lie_within_it(text in any::<String>()) {
        if let Err(ParseCodeError::Symbol { position }) = CodeFormat::default().parse(&text) {
            let c = text.chars().nth(position - 1);
            prop_assert!(c.is_some_and(|c| !c.is_ascii_punctuation()), "{:?} in {:?}", c, text);
        }
    }
}

#[test]
fn formats_are_bounded() {
    assert!(CodeFormat::new(11).is_err() && CodeFormat::new(32).is_err());
    assert_eq!(CodeFormat::new(12).map(|format| format.bits()), Ok(55));
    assert_eq!(CodeFormat::default().bits(), 115);
    for group in [0, 2, 9] {
        assert!(CodeFormat::default().with_groups_of(group).is_err());
    }
    for prefix in ["", "acme", "AC-ME", "ÄCME", "ABCDEFGHIJKLM"] {
        assert!(CodeFormat::default().with_prefix(prefix).is_err(), "{prefix}");
    }
    let fives = CodeFormat::default().with_groups_of(5).expect("within bounds");
    let code = fives.generate(&OsEntropy).expect("the system has randomness");
    assert_eq!(code.reveal().split('-').map(str::len).collect::<Vec<_>>(), [5, 5, 5, 5, 4]);
}

/// χ² with 31 degrees of freedom: a uniform symbol exceeds 61.1 once in 1,000 cases. The
/// seed is fixed, so the test always has the same result.
#[test]
fn every_position_is_uniform_and_no_code_comes_twice() {
    let (format, entropy) = (CodeFormat::default(), SeededEntropy::new(8));
    let draws = 64_000;
    let mut counts = vec![[0_u32; 32]; format.symbols()];
    let mut seen = HashSet::new();
    for code in format.generate_many(draws, &entropy).expect("it is seeded") {
        let symbols: String = code.reveal().chars().filter(|c| *c != '-').collect();
        for (position, symbol) in symbols.chars().enumerate() {
            counts[position][SYMBOLS.find(symbol).expect("a symbol")] += 1;
        }
        assert!(seen.insert(symbols));
    }
    let expected = 64_000.0 / 32.0;
    for (position, counts) in counts.iter().enumerate() {
        let chi: f64 = counts.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
        assert!(chi < 61.1, "position {position}: {chi}");
    }
}

#[test]
fn one_and_many_are_drawn_alike() {
    let format = CodeFormat::default();
    let many = format.generate_many(1_000, &OsEntropy).expect("the system has randomness");
    assert_eq!(many.len(), 1_000);
    for code in &many {
        assert_eq!(format.parse(&code.reveal()).as_ref(), Ok(code));
    }
    assert_eq!(format.generate_many(0, &OsEntropy).map(|none| none.len()).ok(), Some(0));
}

#[test]
fn without_randomness_there_is_no_code() {
    #[derive(Debug)]
    struct Broken;
    impl Entropy for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError::new("no entropy today"))
        }
    }
    assert!(CodeFormat::default().generate(&Broken).is_err());
    assert!(CodeFormat::default().generate_many(3, &Broken).is_err());
}
