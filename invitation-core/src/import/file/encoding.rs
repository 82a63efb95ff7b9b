//! The character encoding of a file, decoded piece by piece.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use super::FileError;

/// The number of bytes that are examined to guess the encoding of a file that is not
/// UTF-8.
const LOOKED_AT: usize = 64 * 1_024;

/// The number of bytes at the beginning of a file that tell UTF-16 without a byte order mark.
const BEGINNING: usize = 256;

/// A decoder of a file that is UTF-8, or UTF-16 with a byte order mark. Any other encoding is
/// refused with a guess of its name: decoding it would silently change the text.
#[derive(Debug)]
pub(super) struct Decoder {
    stage: Stage,
    lines: LineCounter,
}

/// What the bytes so far say about the file.
#[derive(Debug)]
enum Stage {
    /// Too few bytes to choose an encoding.
    Begin(Vec<u8>),
    /// UTF-8, with the bytes of an incomplete character.
    Utf8(Vec<u8>),
    /// UTF-16, with the bytes of an incomplete character.
    Utf16 { read: fn([u8; 2]) -> u16, rest: Vec<u8> },
    /// Neither, from this line on: the bytes from there, for the guess.
    Foreign { bytes: Vec<u8>, line: usize },
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { stage: Stage::Begin(Vec::new()), lines: LineCounter::default() }
    }

    /// Appends the text of further bytes. A mistake may be reported by a later call, because the
    /// guess of the encoding needs the bytes behind it.
    pub(super) fn push(&mut self, bytes: &[u8], text: &mut String) -> Result<(), FileError> {
        match &mut self.stage {
            Stage::Begin(begin) => {
                begin.extend_from_slice(bytes);
                if begin.len() < BEGINNING { Ok(()) } else { self.begin(text) }
            }
            Stage::Utf8(rest) => {
                if rest.is_empty() {
                    return self.utf_8(bytes, text);
                }
                let mut all = std::mem::take(rest);
                all.extend_from_slice(bytes);
                self.utf_8(&all, text)
            }
            Stage::Utf16 { rest, .. } => {
                let mut all = std::mem::take(rest);
                all.extend_from_slice(bytes);
                self.utf_16(&all, text)
            }
            Stage::Foreign { bytes: known, line } => {
                known.extend_from_slice(&bytes[..bytes.len().min(LOOKED_AT)]);
                if known.len() < LOOKED_AT { Ok(()) } else { Err(foreign(known, *line)) }
            }
        }
    }

    /// Ends the file: bytes of an incomplete character are a mistake.
    pub(super) fn finish(&mut self, text: &mut String) -> Result<(), FileError> {
        if matches!(self.stage, Stage::Begin(_)) {
            self.begin(text)?;
        }
        match &self.stage {
            Stage::Utf8(rest) if !rest.is_empty() => Err(foreign(rest, self.lines.line())),
            Stage::Utf16 { rest, .. } if !rest.is_empty() => Err(self.broken_utf_16()),
            Stage::Foreign { bytes, line } => Err(foreign(bytes, *line)),
            _ => Ok(()),
        }
    }

    /// Chooses the encoding by the first bytes.
    fn begin(&mut self, text: &mut String) -> Result<(), FileError> {
        let Stage::Begin(begin) = &mut self.stage else { return Ok(()) };
        let begin = std::mem::take(begin);
        match begin.as_slice() {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Err(refused("UTF-32", 1)),
            [0xff, 0xfe, rest @ ..] => {
                self.stage = Stage::Utf16 { read: u16::from_le_bytes, rest: Vec::new() };
                self.utf_16(rest, text)
            }
            [0xfe, 0xff, rest @ ..] => {
                self.stage = Stage::Utf16 { read: u16::from_be_bytes, rest: Vec::new() };
                self.utf_16(rest, text)
            }
            [0xef, 0xbb, 0xbf, rest @ ..] => self.begin_utf_8(rest, text),
            other => self.begin_utf_8(other, text),
        }
    }

    fn begin_utf_8(&mut self, bytes: &[u8], text: &mut String) -> Result<(), FileError> {
        let begin = &bytes[..bytes.len().min(BEGINNING)];
        let zeros = begin.split(|byte| *byte == 0).count() - 1;
        // Every second byte of most texts in UTF-16 is zero.
        if zeros > begin.len() / 4 {
            return Err(refused("UTF-16 without a byte order mark", 1));
        }
        self.stage = Stage::Utf8(Vec::new());
        self.utf_8(bytes, text)
    }

    fn utf_8(&mut self, bytes: &[u8], text: &mut String) -> Result<(), FileError> {
        let error = match std::str::from_utf8(bytes) {
            Ok(valid) => {
                self.lines.count(valid);
                text.push_str(valid);
                return Ok(());
            }
            Err(error) => error,
        };
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        // The part before the mistake is valid, so nothing is replaced.
        let valid = String::from_utf8_lossy(valid);
        self.lines.count(&valid);
        text.push_str(&valid);
        self.stage = match error.error_len() {
            None => Stage::Utf8(rest.to_vec()),
            // The guess gets the part after the valid UTF-8: plain ASCII says nothing about
            // the encoding.
            Some(_) if rest.len() >= LOOKED_AT => return Err(foreign(rest, self.lines.line())),
            Some(_) => Stage::Foreign { bytes: rest.to_vec(), line: self.lines.line() },
        };
        Ok(())
    }

    fn utf_16(&mut self, bytes: &[u8], text: &mut String) -> Result<(), FileError> {
        let Stage::Utf16 { read, rest } = &mut self.stage else { return Ok(()) };
        let (pairs, odd) = bytes.as_chunks::<2>();
        let mut units: Vec<u16> = pairs.iter().copied().map(*read).collect();
        let is_half = |unit: &u16| (0xd800..0xdc00).contains(unit);
        let kept = if units.last().is_some_and(is_half) {
            units.pop();
            2 + odd.len()
        } else {
            odd.len()
        };
        rest.extend_from_slice(&bytes[bytes.len() - kept..]);
        let from = text.len();
        for character in char::decode_utf16(units) {
            let Ok(character) = character else {
                self.lines.count(&text[from..]);
                return Err(self.broken_utf_16());
            };
            text.push(character);
        }
        self.lines.count(&text[from..]);
        Ok(())
    }

    fn broken_utf_16(&self) -> FileError {
        let line = self.lines.line();
        FileError::malformed(format!("the file is not valid UTF-16, line {line}"))
    }
}

/// Decodes a whole file: UTF-8, or UTF-16 with a byte order mark.
///
/// # Errors
///
/// [`FileError`] that names any other encoding, as far as it can be guessed.
pub fn decode(bytes: &[u8]) -> Result<String, FileError> {
    let (mut decoder, mut text) = (Decoder::new(), String::new());
    decoder.push(bytes, &mut text)?;
    decoder.finish(&mut text)?;
    Ok(text)
}

fn foreign(bytes: &[u8], line: usize) -> FileError {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(LOOKED_AT)], true);
    refused(detector.guess(None, Utf8Detection::Deny).name(), line)
}

fn refused(looks_like: &str, line: usize) -> FileError {
    FileError::malformed(format!(
        "the file is not UTF-8 (it looks like {looks_like}, line {line}); save it as UTF-8"
    ))
}

/// A count of the line breaks of a text that comes in pieces.
#[derive(Default, Debug)]
struct LineCounter {
    breaks: usize,
    ends_with_return: bool,
}

impl LineCounter {
    fn count(&mut self, text: &str) {
        // A line feed after a carriage return belongs to the same line break.
        let is_half = self.ends_with_return && text.starts_with('\n');
        self.breaks += line_breaks(text.as_bytes()) - usize::from(is_half);
        if !text.is_empty() {
            self.ends_with_return = text.ends_with('\r');
        }
    }

    fn line(&self) -> usize {
        self.breaks + 1
    }
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

    /// Decodes a file that comes in pieces of `size` bytes.
    fn in_pieces(bytes: &[u8], size: usize) -> Result<String, FileError> {
        let (mut decoder, mut text) = (Decoder::new(), String::new());
        for piece in bytes.chunks(size) {
            decoder.push(piece, &mut text)?;
        }
        decoder.finish(&mut text)?;
        Ok(text)
    }

    #[test]
    fn utf_8_and_marked_utf_16_are_read_in_pieces_of_any_size() {
        let text = "e-mail,division\r\nanna@example.com,Süd 漢字 😀\n".repeat(12);
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            units(&text, u16::to_le_bytes),
            units(&text, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).unwrap(), text);
            for size in [1, 2, 3, 5, 255, 256, 257] {
                assert_eq!(in_pieces(&bytes, size).unwrap(), text, "{size}");
            }
        }
        assert_eq!(decode(b"").unwrap(), "");
    }

    #[test]
    fn line_of_a_mistake_is_the_same_in_pieces_of_any_size() {
        let begin = "staff\r\n".repeat(60);
        for end in [&b"S\xfcd Nord\xf6stlich\n"[..], b"S\xc3"] {
            let bytes = [begin.as_bytes(), end].concat();
            for size in [1, 256, bytes.len()] {
                let said = in_pieces(&bytes, size).unwrap_err().to_string();
                assert!(said.contains("line 61)"), "{said} in pieces of {size}");
            }
        }
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
            for size in [1, 7, bytes.len()] {
                let said = in_pieces(&bytes, size).unwrap_err().to_string();
                assert!(said.contains(name), "{name} in {said}");
                assert!(said.contains(&format!("line {line}")), "line {line} in {said}");
            }
        }
    }
}
