//! Runs a sequence on a store and on the model, side by side.

use super::{
    answer::Answer,
    codes,
    harness::Harness,
    perform::Subject,
    policy::Rules,
    state::{Expected, MAX_BATCH, MAX_USES, Model},
    step::{Step, Tick},
    watch::same,
};
use crate::{
    entropy::SeededEntropy,
    limits::Limits,
    service::Invitations,
    time::{ManualClock, Timestamp},
};

/// When sequences begin: 2027-01-15T08:00:00Z, and a bit.
const START: i64 = 1_800_000_000_000_007;

/// Tries a sequence; tells the first difference.
pub(super) async fn run<H: Harness + ?Sized>(
    harness: &mut H,
    steps: &[Step],
) -> Result<(), String> {
    let start = Timestamp::from_micros(START).expect("the year 2027 can be held");
    let clock = ManualClock::new(start);
    let mut model = Model::new(start);
    let limits = Limits::default()
        .with_max_uses(std::num::NonZeroU32::MIN.saturating_add(MAX_USES - 1))
        .with_batch(std::num::NonZeroU32::MIN.saturating_add(MAX_BATCH - 1))
        .with_denials_per_minute(std::num::NonZeroU32::MAX);
    let service = Invitations::new(harness.open().await)
        .with_clock(clock.clone())
        .with_entropy(SeededEntropy::new(7))
        .with_limits(limits)
        .with_policy(Rules::Default.policy());
    let mut subject = Subject { service, clock };
    subject.compare_all(&model).await.map_err(|error| format!("at the beginning, {error}"))?;
    for (n, step) in steps.iter().enumerate() {
        model.step = n;
        one(harness, &mut subject, &mut model, step)
            .await
            .map_err(|error| format!("after step {n}, {step:?}, {error}"))?;
    }
    subject.compare_all(&model).await.map_err(|error| format!("at the end, {error}"))
}

async fn one<H: Harness + ?Sized>(
    harness: &mut H,
    subject: &mut Subject,
    model: &mut Model,
    step: &Step,
) -> Result<(), String> {
    match step {
        Step::Reopen => subject.service = subject.service.on(harness.open().await),
        Step::Policy(rules) => {
            subject.service = subject.service.clone().with_policy(rules.policy());
        }
        Step::Clock(tick) => {
            model.now = model.moved(*tick);
            subject.clock.set(model.now);
        }
        _ => {}
    }
    let seen = subject.perform(step, model).await;
    let Expected { answer, events } = model.expect(step, &seen);
    same("the answer", &answer, &seen)?;
    subject.compare_events(model, events).await?;
    subject.compare_facts(model).await
}

impl Model {
    /// What a step should answer and write; the model is then where the store
    /// should be. What nobody can foretell is taken from the answer `seen`.
    fn expect(&mut self, step: &Step, seen: &Answer) -> Expected {
        match step {
            Step::Create { by, draft } => self.create(*by, *draft, seen),
            Step::CreateMany { by, drafts } => self.create_many(*by, drafts, seen),
            Step::Redeem { code, newcomer, .. } => self.redeem(*code, *newcomer, seen),
            Step::Mistype { code, mistake, .. } => {
                let (_, mistyped) = codes::mistyped(self.code(*code), *mistake);
                Expected::quiet(Answer::Mistyped(mistyped))
            }
            Step::Copy { by, of } => self.copy(*by, *of),
            Step::Get { by, of } => self.get(*by, *of),
            Step::Amend { by, of, terms, version } => self.amend(*by, *of, *terms, *version),
            Step::Rotate { by, of, version } => self.rotate(*by, *of, *version, seen),
            Step::Revoke { by, of, because, version } => self.revoke(*by, *of, *because, *version),
            Step::Reinstate { by, of, version } => self.reinstate(*by, *of, *version),
            Step::Delete { by, of, version } => self.delete(*by, *of, *version),
            Step::List { by, wanted, .. } => self.list(*by, *wanted),
            Step::Counts { by, wanted } => self.counts(*by, *wanted),
            Step::Events { by, wanted, .. } => self.events(*by, *wanted),
            Step::Clock(_) | Step::Reopen => Expected::quiet(Answer::Done),
            Step::Policy(rules) => {
                self.rules = *rules;
                Expected::quiet(Answer::Done)
            }
        }
    }

    fn moved(&self, tick: Tick) -> Timestamp {
        match tick {
            Tick::By(micros) => self.after(micros),
            Tick::Expiry(pick, micros) => self.picked(pick).map_or(self.now, |row| {
                let at = row.facts.expires_at.as_micros();
                Timestamp::from_micros(at + micros).expect("sequences stay near now")
            }),
        }
    }
}
