//! The notations of a secret: hexadecimal digits and base64.

use zeroize::Zeroizing;

use super::KeySecret;

type Bytes = Zeroizing<[u8; KeySecret::BYTES]>;

/// Reads hexadecimal digits in either case; `None` unless they are exactly one secret.
pub(super) fn from_hex(text: &str) -> Option<Bytes> {
    let mut bytes = Bytes::default();
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        for digit in pair {
            *byte = *byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
    }
    Some(bytes)
}

/// Reads base64 in the usual or the URL alphabet (RFC 4648), padded or not; `None` unless it
/// is exactly one secret.
pub(super) fn from_base64(text: &str) -> Option<Bytes> {
    let text = text.strip_suffix('=').unwrap_or(text);
    let mut bytes = Bytes::default();
    if text.len() != (8 * bytes.len()).div_ceil(6) {
        return None;
    }
    let (mut bits, mut count, mut at) = (0_u32, 0, 0);
    for symbol in text.bytes() {
        bits = bits << 6 | u32::from(sextet(symbol)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            *bytes.get_mut(at)? = u8::try_from(bits >> count & 0xff).ok()?;
            at += 1;
            bits &= (1 << count) - 1;
        }
    }
    // Bits that no byte takes must be zero: every secret has one spelling.
    (bits == 0).then_some(bytes)
}

fn sextet(symbol: u8) -> Option<u8> {
    match symbol {
        b'A'..=b'Z' => Some(symbol - b'A'),
        b'a'..=b'z' => Some(symbol - b'a' + 26),
        b'0'..=b'9' => Some(symbol - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// Writes lower-case hexadecimal digits.
pub(super) fn to_hex(bytes: &[u8; KeySecret::BYTES]) -> Zeroizing<String> {
    // The capacity keeps the text from being moved, which would leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for nibble in bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]) {
        text.extend(char::from_digit(u32::from(nibble), 16));
    }
    text
}
