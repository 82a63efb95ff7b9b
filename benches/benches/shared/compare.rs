//! Redemptions by a growing number of callers, with all mechanisms and without each of them, in
//! alternating rounds.

#![expect(clippy::future_not_send, reason = "the main task awaits these futures")]

use std::{sync::Arc, time::Duration};

use invitation::{
    Invitations, Store,
    code::{
        OsEntropy, Sealing,
        keyring::{KeyId, KeySecret, Keyring},
        throttle::{GuessThrottle, SharedBudgets},
    },
    store::feed::Feed,
};

use crate::{consumer::FeedReader, load::Load};

/// The extent of the measurements.
pub(crate) struct Extent {
    pub(crate) rounds: usize,
    /// How long each side of a round runs.
    pub(crate) time: Duration,
    pub(crate) callers: Vec<usize>,
}

/// A store as a host opens it, or the same without one mechanism.
pub(crate) struct Variant<S> {
    name: &'static str,
    load: Load<S>,
    /// A consumer of the feed, which reads while this variant runs.
    reader: Option<FeedReader>,
    rates: Vec<Vec<f64>>,
}

impl<S: Store + 'static> Variant<S> {
    pub(crate) fn new(name: &'static str, store: S) -> Self {
        Self { name, load: Load::on(store), reader: None, rates: Vec::new() }
    }

    /// The same store while a consumer reads its feed.
    pub(crate) fn with_consumer(store: S) -> Self
    where
        S: Feed + Clone,
    {
        let reader = FeedReader::new(Arc::new(store.clone()));
        Self { reader: Some(reader), ..Self::new("with a consumer", store) }
    }

    /// The store of a service that encrypts codes and keys their digests.
    pub(crate) fn with_keyring(store: S) -> Self {
        let load = Load::from(keyed(store));
        Self { name: "with a keyring", load, reader: None, rates: Vec::new() }
    }

    /// The same, with limits on failed guesses that processes share.
    pub(crate) fn with_keyring_and_throttle(store: S) -> Self
    where
        S: SharedBudgets + Clone,
    {
        let throttle = GuessThrottle::shared(store.clone());
        let load = Load::from(keyed(store).with_throttle(throttle));
        Self { name: "with a keyring and a throttle", load, reader: None, rates: Vec::new() }
    }
}

fn keyed<S: Store>(store: S) -> Invitations<S> {
    let secret = KeySecret::generate(&OsEntropy).unwrap();
    let ring = Keyring::new(KeyId::new("bench").unwrap(), &secret);
    Invitations::new(store).with_sealing(Sealing::keyring(ring).keyed_only())
}

/// Measures the first variant, which is the store with default options, and the others. Prints
/// a row for each number of callers: the ratio to the reference, to one caller, and to each
/// other variant, which is what its mechanism buys.
pub(crate) async fn run<S: Store + 'static>(
    extent: &Extent,
    variants: &mut [Variant<S>],
    mut reference: Option<(&str, impl AsyncFnMut(usize) -> f64)>,
    quiesce: impl AsyncFn(&S),
) {
    let mut limits = vec![Vec::new(); extent.callers.len()];
    for variant in &mut *variants {
        variant.rates = vec![Vec::new(); extent.callers.len()];
    }
    for round in 0..extent.rounds {
        for (at, &callers) in extent.callers.iter().enumerate() {
            if let Some((_, rate)) = &mut reference {
                limits[at].push(rate(callers).await);
            }
            // Another variant begins in each round.
            for turn in 0..variants.len() {
                let turn = (turn + round) % variants.len();
                let variant = &mut variants[turn];
                let reading = match variant.reader.take() {
                    Some(reader) => Some(reader.begin().await),
                    None => None,
                };
                let rate = variant.load.rate(callers, extent.time, &quiesce).await;
                variant.rates[at].push(rate);
                if let Some(reading) = reading {
                    variant.reader = Some(reading.end().await);
                }
            }
        }
    }
    print(extent, variants, reference.map(|(name, _)| name), &limits);
}

fn print<S>(
    extent: &Extent,
    variants: &[Variant<S>],
    reference: Option<&str>,
    limits: &[Vec<f64>],
) {
    let Some((all, without)) = variants.split_first() else { return };
    let mut head = vec!["callers".to_owned(), all.name.to_owned(), "of one caller".to_owned()];
    if let Some(name) = reference {
        head.extend([name.to_owned(), format!("of {name}")]);
    }
    head.extend(without.iter().map(|variant| format!("of {}", variant.name)));
    println!("| {} |\n{}|", head.join(" | "), "|---".repeat(head.len()));
    for (at, callers) in extent.callers.iter().enumerate() {
        let rates = &all.rates[at];
        let per_second = |rates: &[f64]| format!("{:.0}/s", median(rates.to_vec()));
        let ratio = |of: &[f64]| format!("{:.2}", ratio(rates, of));
        let mut row = vec![callers.to_string(), per_second(rates), ratio(&all.rates[0])];
        if reference.is_some() {
            row.extend([per_second(&limits[at]), ratio(&limits[at])]);
        }
        row.extend(without.iter().map(|variant| ratio(&variant.rates[at])));
        println!("| {} |", row.join(" | "));
    }
}

/// Returns the median of the ratios of the rounds.
fn ratio(rates: &[f64], of: &[f64]) -> f64 {
    median(rates.iter().zip(of).map(|(rate, of)| rate / of).collect())
}

pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
