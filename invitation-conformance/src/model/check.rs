//! Draws sequences, runs them, and shrinks failing ones.

use std::{cell::RefCell, fmt::Write};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use tokio::runtime::Runtime;

use super::{driver, step::Step, store_provider::StoreProvider, strategy::steps};

/// Draws `cases` sequences from `seed` and runs each on the model and on a store of its
/// own from `new_provider`. A sequence consists of 1 to `max_len` single steps or scenarios
/// of a few steps.
///
/// Different seeds draw different sequences, so a long run can be split over several
/// tests.
///
/// # Panics
///
/// Panics when a store differs from the model. The message contains the shortest failing
/// sequence that was found, and the difference.
pub fn check<P: StoreProvider>(
    seed: u64,
    cases: u32,
    max_len: usize,
    runtime: &Runtime,
    new_provider: impl FnMut() -> P,
) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let new_provider = RefCell::new(new_provider);
    let outcome = TestRunner::new_with_rng(config, rng).run(&steps(max_len), |steps| {
        let mut provider = (new_provider.borrow_mut())();
        runtime.block_on(driver::run(&mut provider, &steps)).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, steps)) => {
            panic!("{reason}\n\nThe sequence, shrunk, of seed {seed}:\n{}", describe(&steps));
        }
        Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
    }
}

fn describe(steps: &[Step]) -> String {
    let mut text = String::new();
    for (n, step) in steps.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {n}: {step:?}");
    }
    text
}
