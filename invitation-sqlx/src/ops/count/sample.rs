//! When a sample tells that there are more than so many rows.
//!
//! Each narrow row is in the sample with a chance of one in [`ONE_IN`], by a draw of its own
//! that nothing else depends on and nobody is shown. Of `n` rows or fewer a sample has
//! [`proof`] of `n` with a chance below 2⁻¹²⁸. Fewer prove nothing, and then the rows
//! themselves are counted.

/// As the schema draws them.
const ONE_IN: u64 = 32;

/// The natural logarithm of one over the chance that is taken for never: 128 × ln 2,
/// rounded up.
const NEVER: u64 = 89;

/// How many sampled rows are proof of more than `cap` rows. `None` where that is more than
/// a quarter of them, and counting hardly costs more.
///
/// By Bernstein's inequality: of draws with a sum that is expected to be `m`, the chance
/// that it exceeds `m` by `t` or more is at most `exp(-t² / (2 × (m + t / 3)))`. Solved for
/// `t`, each part rounded up. (S. Boucheron, G. Lugosi, P. Massart, *Concentration
/// Inequalities*, 2013, section 2.8.)
pub(super) fn proof(cap: u32) -> Option<u32> {
    let mean = u64::from(cap).div_ceil(ONE_IN);
    let beyond = NEVER.div_ceil(3) + (NEVER.pow(2).div_ceil(9) + 2 * NEVER * mean).isqrt() + 1;
    u32::try_from(mean + beyond).ok().filter(|proof| *proof <= cap / 4)
}

#[cfg(test)]
mod tests {
    use super::{ONE_IN, proof};

    /// The natural logarithm of the chance that of `n` rows `k` are sampled.
    fn chance(n: u32, k: u32) -> f64 {
        let p = 1.0 / f64::from(u32::try_from(ONE_IN).unwrap());
        let ways: f64 = (0..k).map(|i| (f64::from(n - i) / f64::from(k - i)).ln()).sum();
        ways + f64::from(k) * p.ln() + f64::from(n - k) * (1.0 - p).ln()
    }

    #[test]
    fn a_proof_is_never_there_by_chance() {
        for cap in [400, 1_000, 10_000, 50_000] {
            let proof = proof(cap).unwrap();
            // Behind it each number is less likely than the one before, by more than this.
            let next = (chance(cap, proof + 1) - chance(cap, proof)).exp();
            let tail = chance(cap, proof) - (1.0 - next).ln();
            assert!(tail <= -128.0 * 2.0_f64.ln(), "{cap}: e^{tail}");
            // Nor is it far more than is needed, where there is much to save.
            let enough = if cap < 10_000 { proof / 2 } else { proof * 19 / 20 };
            assert!(chance(cap, enough) > -128.0 * 2.0_f64.ln(), "{cap}");
        }
    }

    #[test]
    fn of_few_rows_there_is_no_proof() {
        assert_eq!(proof(10_000), Some(581));
        for cap in [0, 1, 100, 300] {
            assert_eq!(proof(cap), None, "{cap}");
        }
        assert!(proof(u32::MAX).is_some());
    }
}
