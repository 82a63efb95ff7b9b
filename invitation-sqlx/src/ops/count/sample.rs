//! Proof by a random sample that there are more rows than a cap.
//!
//! Each row of the table of states is in the sample with a probability of one in [`ONE_IN`]. The
//! draws are independent of everything else, and no caller sees them. A table of `n` rows or
//! fewer has [`proof`] of `n` sampled rows with a probability below 2⁻¹²⁸. A smaller sample
//! proves nothing, and then the rows themselves are counted.

/// The inverse of the sampling rate, as in the schema.
const ONE_IN: u64 = 32;

/// The negative logarithm of the probability that counts as never: 128 × ln 2, rounded up.
const NEVER: u64 = 89;

/// Returns the number of sampled rows that prove more than `cap` rows. Returns `None` if that is
/// more than a quarter of `cap`, because counting then costs hardly more.
///
/// The proof is Bernstein's inequality. If the expected sum of independent draws is `m`, the
/// probability that the sum exceeds `m` by `t` or more is at most `exp(-t² / (2 × (m + t / 3)))`.
/// The code solves this for `t` and rounds up each part. (S. Boucheron, G. Lugosi, P. Massart,
/// *Concentration Inequalities*, 2013, section 2.8.)
pub(super) fn proof(cap: u32) -> Option<u32> {
    let mean = u64::from(cap).div_ceil(ONE_IN);
    let beyond = NEVER.div_ceil(3) + (NEVER.pow(2).div_ceil(9) + 2 * NEVER * mean).isqrt() + 1;
    u32::try_from(mean + beyond).ok().filter(|proof| *proof <= cap / 4)
}

#[cfg(test)]
mod tests {
    use super::{ONE_IN, proof};

    /// Returns the logarithm of the probability that `k` of `n` rows are in the sample.
    fn chance(n: u32, k: u32) -> f64 {
        let p = 1.0 / f64::from(u32::try_from(ONE_IN).unwrap());
        let ways: f64 = (0..k).map(|i| (f64::from(n - i) / f64::from(k - i)).ln()).sum();
        ways + f64::from(k) * p.ln() + f64::from(n - k) * (1.0 - p).ln()
    }

    #[test]
    fn proof_is_practically_never_reached_by_chance() {
        for cap in [400, 1_000, 10_000, 50_000] {
            let proof = proof(cap).unwrap();
            // Beyond the proof, each number is less likely than the previous one by more than
            // this factor.
            let next = (chance(cap, proof + 1) - chance(cap, proof)).exp();
            let tail = chance(cap, proof) - (1.0 - next).ln();
            assert!(tail <= -128.0 * 2.0_f64.ln(), "{cap}: e^{tail}");
            // The proof is not far larger than necessary where counting is expensive.
            let enough = if cap < 10_000 { proof / 2 } else { proof * 19 / 20 };
            assert!(chance(cap, enough) > -128.0 * 2.0_f64.ln(), "{cap}");
        }
    }

    #[test]
    fn small_cap_has_no_proof() {
        assert_eq!(proof(10_000), Some(581));
        for cap in [0, 1, 100, 300] {
            assert_eq!(proof(cap), None, "{cap}");
        }
        assert!(proof(u32::MAX).is_some());
    }
}
