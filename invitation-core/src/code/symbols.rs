//! The 32 symbols, and the check over GF(32) that catches typing mistakes.
//!
//! A symbol stands for an element of GF(2⁵), built with the primitive
//! polynomial x⁵ + x² + 1. A code of n symbols s₀ … sₙ₋₁ is well formed when
//!
//! > Σ α^(n−1−i) · sᵢ = [`CONSTANT`]
//!
//! α has order 31, so for n ≤ 31 all weights are different and none is zero:
//! one wrong symbol changes the sum by α^k·(a−b) ≠ 0, and swapping two by
//! (α^j − α^k)·(a−b) ≠ 0. The constant keeps the all-zero code out.

/// Crockford's base-32 symbols: no I, L, O or U.
pub(super) const ALPHABET: [u8; 32] = *b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The weighted sum of a well-formed code.
const CONSTANT: u8 = 0b1_0110;

/// Marks a byte in [`VALUES`] that is not a symbol.
const NONE: u8 = 0xff;

/// Maps a byte to its value, with the tolerant readings: either case, O as 0, I and L as
/// 1.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 32 {
        let symbol = ALPHABET[value as usize];
        values[symbol as usize] = value;
        values[symbol.to_ascii_lowercase() as usize] = value;
        value += 1;
    }
    values[b'O' as usize] = 0;
    values[b'o' as usize] = 0;
    values[b'I' as usize] = 1;
    values[b'i' as usize] = 1;
    values[b'L' as usize] = 1;
    values[b'l' as usize] = 1;
    values
};

/// `TIMES_ALPHA[x]` is α·x: shift, and reduce by x⁵ = x² + 1.
const TIMES_ALPHA: [u8; 32] = {
    let mut table = [0; 32];
    let mut x = 0;
    while x < 32 {
        let doubled = x << 1;
        table[x as usize] = if doubled & 0b10_0000 == 0 { doubled } else { doubled ^ 0b10_0101 };
        x += 1;
    }
    table
};

/// Returns the value of a typed character, if it reads as a symbol.
pub(super) fn value_of(byte: u8) -> Option<u8> {
    let value = VALUES[usize::from(byte)];
    (value != NONE).then_some(value)
}

/// Returns the symbol for the low five bits of `value`.
pub(super) fn symbol_of(value: u8) -> u8 {
    ALPHABET[usize::from(value & 0b1_1111)]
}

/// Computes Σ α^(n−1−i) · sᵢ by Horner's rule.
fn weighted_sum(values: impl Iterator<Item = u8>) -> u8 {
    values.fold(0, |sum, value| TIMES_ALPHA[usize::from(sum)] ^ value)
}

/// Returns the check value that completes `values`.
pub(super) fn check_value(values: impl Iterator<Item = u8>) -> u8 {
    // The check symbol comes last, where the weight is α⁰ = 1.
    TIMES_ALPHA[usize::from(weighted_sum(values))] ^ CONSTANT
}

/// Whether `values`, the check value included, belong to a well-formed code.
pub(super) fn well_formed(values: impl Iterator<Item = u8>) -> bool {
    weighted_sum(values) == CONSTANT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_generates_every_non_zero_element() {
        let mut seen = [false; 32];
        let mut x = 1;
        for _ in 0..31 {
            assert!(!seen[usize::from(x)]);
            seen[usize::from(x)] = true;
            x = TIMES_ALPHA[usize::from(x)];
        }
        assert_eq!(x, 1, "the order of alpha is 31");
        assert!(!seen[0]);
    }

    #[test]
    fn reads_every_symbol_in_both_cases_and_the_look_alikes() {
        for (value, symbol) in (0..).zip(ALPHABET) {
            assert_eq!(value_of(symbol), Some(value));
            assert_eq!(value_of(symbol.to_ascii_lowercase()), Some(value));
            assert_eq!(symbol_of(value), symbol);
        }
        for (typed, meant) in [(b'O', 0), (b'o', 0), (b'I', 1), (b'i', 1), (b'L', 1), (b'l', 1)] {
            assert_eq!(value_of(typed), Some(meant));
        }
        for typed in [b'U', b'u', b'-', b' ', b'!', 0, 0xff] {
            assert_eq!(value_of(typed), None);
        }
    }
}
