//! The character encoding of a file.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use crate::problem::{Problem, ProblemKind};

/// The number of bytes that are examined to guess the encoding of a file that is not
/// UTF-8.
const LOOKED_AT: usize = 64 * 1_024;

/// Decodes a file that is UTF-8, or UTF-16 with a byte order mark. Any other encoding is refused
/// with a guess of its name: decoding it would silently change the text.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Problem> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Err(refused("UTF-32", 1)),
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes).map(Cow::Owned),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes).map(Cow::Owned),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf_8(rest).map(Cow::Borrowed),
        other => utf_8(other).map(Cow::Borrowed),
    }
}

fn utf_8(bytes: &[u8]) -> Result<&str, Problem> {
    let begin = &bytes[..bytes.len().min(256)];
    let zeros = begin.split(|byte| *byte == 0).count() - 1;
    // Every second byte of most texts in UTF-16 is zero.
    if zeros > begin.len() / 4 {
        return Err(refused("UTF-16 without a byte order mark", 1));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let (before, from) = bytes.split_at(error.valid_up_to());
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        // The detector gets the part after the valid UTF-8: plain ASCII says nothing
        // about the encoding.
        detector.feed(&from[..from.len().min(LOOKED_AT)], true);
        let name = detector.guess(None, Utf8Detection::Deny).name();
        refused(name, 1 + line_breaks(before))
    })
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Problem> {
    let (units, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(units.len());
    let broken = |text: &str| {
        let line = 1 + line_breaks(text.as_bytes());
        malformed(format!("the file is not valid UTF-16, line {line}"))
    };
    for character in char::decode_utf16(units.iter().copied().map(unit)) {
        text.push(character.map_err(|_| broken(&text))?);
    }
    if rest.is_empty() { Ok(text) } else { Err(broken(&text)) }
}

fn refused(looks_like: &str, line: usize) -> Problem {
    malformed(format!(
        "the file is not UTF-8 (it looks like {looks_like}, line {line}); save it as UTF-8"
    ))
}

pub(super) fn malformed(what: String) -> Problem {
    Problem::new(ProblemKind::Malformed).with_detail(what)
}

/// Counts the line breaks of a text: a line feed, a carriage return, or both together.
pub(super) fn line_breaks(text: &[u8]) -> usize {
    let mut last = 0;
    let mut lines = 0;
    for byte in text {
        if *byte == b'\r' || (*byte == b'\n' && last != b'\r') {
            lines += 1;
        }
        last = *byte;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn utf_8_and_marked_utf_16_are_read() {
        let text = "e-mail,division\nanna@example.com,Süd 漢字 😀\n";
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            units(text, u16::to_le_bytes),
            units(text, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).unwrap(), text);
        }
        assert_eq!(decode(b"").unwrap(), "");
    }

    #[test]
    fn other_encodings_are_refused_by_name() {
        let le =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        let be =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_be_bytes).collect() };
        let utf_32: Vec<u8> =
            "\u{feff}role".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let surrogate = [&[0xff, 0xfe][..], &le("a\nb"), &[0, 0xd8, b'x', 0]].concat();
        let odd = [&units("a\nb", u16::to_le_bytes)[..], b"x"].concat();
        for (bytes, name, line) in [
            (b"role,division\r\nstaff,\"a\rb\"\nstaff,S\xfcd".to_vec(), "windows-1252", 4),
            (b"role\nstaff\n\x8f\xe6\x97\x91\x8c\xa7\x82\xcc\x8e\x73\n".to_vec(), "Shift_JIS", 3),
            (b"\xef\xbb\xbfrole\nS\xfcd Nord\xf6stlich\n".to_vec(), "windows-1252", 2),
            (le("role\nstaff\n"), "UTF-16 without", 1),
            (be("role\nstaff\n"), "UTF-16 without", 1),
            (utf_32, "UTF-32", 1),
            (surrogate, "not valid UTF-16", 2),
            (odd, "not valid UTF-16", 2),
        ] {
            let problem = decode(&bytes).unwrap_err();
            assert_eq!(problem.kind(), ProblemKind::Malformed);
            let detail = problem.detail().unwrap();
            assert!(detail.contains(name), "{name} in {detail}");
            assert!(detail.contains(&format!("line {line}")), "line {line} in {detail}");
        }
    }
}
