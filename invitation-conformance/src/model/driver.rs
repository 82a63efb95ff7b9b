//! Runs a sequence on a store and on the model, side by side.

use invitation_core::{Invitations, ManualClock, Timestamp};

use super::{
    answer::Answer,
    codes,
    compare::compare_answers,
    keys::ConstantNonces,
    limits::LimitsSpec,
    perform::ServiceUnderTest,
    policy::PolicyChoice,
    state::{DAY, Expected, Model, ModelInvitation},
    step::{ClockMove, Pick, Step},
    store_provider::StoreProvider,
};
use crate::support::vouching::{Vouch, Voucher};

/// The start of sequences: a few microseconds after 2027-01-15T08:00:00Z.
const START: i64 = 1_800_000_000_000_007;

/// Runs a sequence; returns the first difference.
pub(super) async fn run<P: StoreProvider + ?Sized>(
    provider: &mut P,
    steps: &[Step],
) -> Result<(), String> {
    let start = Timestamp::from_micros(START).expect("the year 2027 can be held");
    let clock = ManualClock::new(start);
    let mut model = Model::new(start);
    let service = Invitations::new(provider.open().await)
        .with_clock(clock.clone())
        .with_entropy(ConstantNonces::new(7))
        .with_limits(LimitsSpec::WIDE.limits())
        .with_policy(PolicyChoice::Default.policy());
    let mut subject = ServiceUnderTest { service, clock };
    subject.compare_all(&model).await.map_err(|error| format!("at the beginning, {error}"))?;
    for (n, step) in steps.iter().enumerate() {
        model.step = n;
        run_step(provider, &mut subject, &mut model, step)
            .await
            .map_err(|error| format!("after step {n}, {step:?}, {error}"))?;
    }
    subject.compare_all(&model).await.map_err(|error| format!("at the end, {error}"))
}

async fn run_step<P: StoreProvider + ?Sized>(
    provider: &mut P,
    subject: &mut ServiceUnderTest,
    model: &mut Model,
    step: &Step,
) -> Result<(), String> {
    match step {
        Step::Reopen => subject.service = subject.service.on(provider.open().await),
        Step::Policy(rules) => {
            subject.service = subject.service.clone().with_policy(rules.policy());
        }
        Step::Limits(bounds) => {
            subject.service = subject.service.clone().with_limits(bounds.limits());
        }
        Step::Standing(without) => {
            let vouch = without.map_or(Vouch::Everybody, |who| Vouch::AllBut(who.user()));
            let service = subject.service.clone();
            subject.service = service.with_standing(Voucher::new(vouch));
        }
        Step::Reseal { key, .. } => {
            model.key = *key;
            subject.service = subject.service.clone().with_sealing(key.sealing());
        }
        Step::Clock(clock_move) => {
            model.now = model.moved(*clock_move);
            subject.clock.set(model.now);
        }
        _ => {}
    }
    // The future covers every kind of call and is too large for the stack.
    let seen = Box::pin(subject.perform(step, model)).await;
    let before = model.now;
    let Expected { answer, events } = model.expect(step, &seen);
    compare_answers("the answer", &answer, &seen)?;
    let touched: Vec<_> = events.iter().filter_map(|event| event.invitation).collect();
    subject.compare_events(model, before, events).await?;
    subject.compare_facts(model).await?;
    for row in model.rows.iter().filter(|row| touched.contains(&row.facts.id)) {
        subject.compare_redemptions(row).await?;
    }
    Ok(())
}

impl Model {
    /// Returns the expected answer and events of a step, and advances the model. Values
    /// that the model cannot predict are taken from the store's answer `seen`.
    fn expect(&mut self, step: &Step, seen: &Answer) -> Expected {
        match step {
            Step::Create { by, draft, key } => self.create(*by, *draft, *key, seen),
            Step::CreateMany { by, drafts, key } => self.create_many(*by, drafts, *key, seen),
            Step::Redeem { code, newcomer, .. } => self.redeem(*code, *newcomer, seen.redemption()),
            Step::Reserve { code, newcomer, .. } => self.reserve(*code, *newcomer, seen.lease()),
            Step::Commit { of, newcomer } => self.commit(*of, *newcomer, seen.redemption()),
            Step::Release { of, newcomer } => self.release(*of, *newcomer),
            Step::RedeemWith { code, newcomer, creation } => {
                self.redeem_with(*code, *newcomer, *creation, seen)
            }
            Step::Mistype { code, mistake, .. } => {
                let (_, mistyped) = codes::mistyped(self.code(*code), *mistake);
                Expected::without_events(Answer::ParseCode(mistyped))
            }
            Step::Copy { by, of } => self.copy(*by, *of),
            Step::Get { by, of } => self.get(*by, *of),
            Step::Amend { by, of, terms, version } => self.amend(*by, *of, *terms, *version),
            Step::Rotate { by, of, version } => self.rotate(*by, *of, *version, seen),
            Step::Revoke { by, of, reason, version } => self.revoke(*by, *of, *reason, *version),
            Step::Reinstate { by, of, version } => self.reinstate(*by, *of, *version),
            Step::Delete { by, of, version } => self.delete(*by, *of, *version),
            Step::RevokeAll { by, wanted, reason, .. } => self.revoke_all(*by, *wanted, *reason),
            Step::Purge { by, age, max } => self.purge(*by, *age, *max, seen),
            Step::Reseal { by, .. } => self.reseal(*by, seen),
            Step::List { by, wanted, .. } => self.list(*by, *wanted),
            Step::StatusCounts { by, wanted } => self.counts(*by, *wanted),
            Step::Events { by, wanted, .. } => self.events(*by, *wanted),
            Step::Redemptions { by, of, .. } => self.redemptions(*by, *of),
            Step::Reservations { by, division, .. } => self.reservations(*by, *division),
            Step::Clock(_) | Step::Reopen => Expected::without_events(Answer::Done),
            Step::Policy(rules) => {
                self.rules = *rules;
                Expected::without_events(Answer::Done)
            }
            Step::Limits(bounds) => {
                self.bounds = *bounds;
                Expected::without_events(Answer::Done)
            }
            Step::Standing(without) => {
                self.without_standing = *without;
                Expected::without_events(Answer::Done)
            }
        }
    }

    fn moved(&self, clock_move: ClockMove) -> Timestamp {
        let (at, micros) = match clock_move {
            ClockMove::By(micros) => (Some(self.now), micros),
            ClockMove::Expiry(pick, micros) => {
                (self.picked(pick).map(|row| row.facts.expires_at), micros)
            }
            ClockMove::Lease(n, micros) => {
                let ends = self.rows.iter().flat_map(|row| &row.leases).map(|lease| lease.until);
                let ends: Vec<_> = ends.collect();
                (Pick::Known(n).of(ends.len()).map(|n| ends[n]), micros)
            }
            ClockMove::Over(pick, micros) => {
                (self.picked(pick).map(ModelInvitation::ended_at), DAY + micros)
            }
        };
        let moved = |at: Timestamp| Timestamp::from_micros(at.as_micros() + micros);
        at.map_or(self.now, |at| moved(at).expect("sequences stay near now"))
    }
}
