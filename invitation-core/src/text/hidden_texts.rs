//! Texts with hidden characters, for the tests of all fields.

/// Each text, and what an error message says after "must not contain".
pub(crate) const HIDDEN: [(&str, &str); 23] = [
    ("a\0b", "control characters (position 2)"),
    ("a\nb", "control characters (position 2)"),
    ("ab\u{85}c", "control characters (position 3)"),
    ("\tb", "control characters (position 1)"),
    ("a\u{2028}b", "line separators (position 2)"),
    ("a\u{2029}b", "line separators (position 2)"),
    ("admin\u{200b}", "invisible characters (position 6)"),
    ("ad\u{ad}min", "invisible characters (position 3)"),
    ("\u{feff}admin", "invisible characters (position 1)"),
    ("ad\u{200d}min", "invisible characters (position 3)"),
    ("ad\u{200c}min", "invisible characters (position 3)"),
    ("admin\u{2060}", "invisible characters (position 6)"),
    ("jürgen\u{34f}", "invisible characters (position 7)"),
    ("\u{2800}", "invisible characters (position 1)"),
    ("\u{3164}", "invisible characters (position 1)"),
    ("a\u{115f}", "invisible characters (position 2)"),
    ("admin\u{1d159}", "invisible characters (position 6)"),
    ("ad\u{fffc}min", "invisible characters (position 3)"),
    ("\u{13441}", "invisible characters (position 1)"),
    ("a\u{13442}", "invisible characters (position 2)"),
    ("admin\u{16fe4}", "invisible characters (position 6)"),
    ("admin\u{e0041}", "invisible characters (position 6)"),
    ("a\u{202e}nimd", "characters that change the direction of text (position 2)"),
];
