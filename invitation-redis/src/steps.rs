//! Applies transitions: concurrent calls share a script.

use std::{num::NonZeroUsize, time::Duration};

use invitation_core::{
    Execute, Facts, InvitationId, Lease, Outcome, Redemption, StoreError, Transition,
};
use redis::Value;

use crate::{
    calls::{Answer, Failed},
    record, render,
    script::APPLY,
    store::{RedisStore, touch},
};

/// The maximum number of transitions in one script, because the server serves no other
/// client meanwhile.
pub(crate) const MAX_APPLIED: NonZeroUsize = NonZeroUsize::new(64).expect("it is not 0");

/// The maximum number of scripts with transitions in flight: one that the server executes,
/// and one on its way. Transitions that arrive meanwhile share the next script.
pub(crate) const SLOTS: NonZeroUsize = NonZeroUsize::new(2).expect("it is not 0");

/// The result of a transition.
pub(crate) type Made = Result<Outcome, StoreError>;

/// Sends the transitions of a batch as one script.
struct Scripts<'a>(&'a RedisStore);

impl Execute<Transition, Made> for Scripts<'_> {
    /// The client has one connection, which all calls share.
    type Resource = ();

    async fn acquire(&self) -> Result<(), Made> {
        Ok(())
    }

    async fn execute(&self, (): (), batch: &[&Transition]) -> Vec<Option<Made>> {
        self.0.script(batch).await.into_iter().map(Some).collect()
    }

    async fn execute_alone(&self, transition: &Transition) -> Made {
        self.0.script(&[transition]).await.pop().unwrap_or_else(unanswered)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl RedisStore {
    /// Applies a transition at once if a slot is free, and otherwise together with all
    /// transitions that wait for one.
    pub(crate) async fn step(&self, transition: &Transition) -> Made {
        self.batcher.submit(transition, &Scripts(self)).await
    }

    /// Applies several transitions, each on its own.
    pub(crate) async fn steps(&self, transitions: &[Transition]) -> Vec<Made> {
        let mut made = Vec::with_capacity(transitions.len());
        for some in transitions.chunks(MAX_APPLIED.get()) {
            made.extend(self.script(&some.iter().collect::<Vec<_>>()).await);
        }
        made
    }

    /// Applies some transitions by one script. Each has its own answer; an error of the
    /// call applies to all of them.
    async fn script(&self, transitions: &[&Transition]) -> Vec<Made> {
        let mut arguments = Vec::with_capacity(1 + transitions.len());
        arguments.push(touch(&self.calls));
        arguments.extend(transitions.iter().map(|one| render::transition(one)));
        let failed = match self.calls.try_write(&APPLY, &arguments).await {
            Ok(Value::Array(answers)) if answers.len() == transitions.len() => {
                return transitions
                    .iter()
                    .zip(answers)
                    .map(|(one, made)| outcome(one, made))
                    .collect();
            }
            Ok(_) => Failed::Odd,
            Err(failed) => failed,
        };
        transitions.iter().map(|_| Err(failed.clone().of("apply"))).collect()
    }
}

fn unanswered() -> Made {
    Err(Failed::Odd.of("apply"))
}

fn outcome(transition: &Transition, answer: Value) -> Made {
    let mut answer = Answer::of("apply", answer)?;
    let outcome: fn(Box<Facts>) -> Outcome = match answer.word() {
        b"applied" => Outcome::Applied,
        b"replayed" => Outcome::Replayed,
        b"refused" => Outcome::Refused,
        b"taken" => return Ok(Outcome::CodeTaken),
        b"missing" => return Ok(Outcome::Missing),
        b"quota" => {
            let number = answer.number()?;
            let full = number.checked_sub(1).and_then(|n| transition.quotas().get(n));
            let full = full.ok_or_else(|| answer.odd())?;
            return Ok(Outcome::QuotaFull(full.of.clone()));
        }
        // The script stopped before it wrote anything.
        b"unreadable" => return Err(record::corrupt_entry("transition")),
        b"failed" => {
            let message = String::from_utf8_lossy(&answer.bytes()?).into_owned();
            return Err(Failed::Stopped(message).of("apply"));
        }
        _ => return Err(answer.odd()),
    };
    // The change may have been made although the answer cannot be read.
    facts(&mut answer).map(Box::new).map(outcome).map_err(|error| answer.odd().because(error))
}

/// Reads the facts of an answer.
pub(crate) fn facts(answer: &mut Answer) -> Result<Facts, StoreError> {
    let id = InvitationId::from_bytes(answer.id()?);
    let invitation = record::invitation(id, &answer.bytes()?)?;
    let last = invitation.last_use.clone();
    Ok(Facts {
        invitation,
        mine: redemption(answer, last.as_ref())?,
        lease: lease(answer)?,
        first_lease: lease(answer)?,
        mailbox_use: redemption(answer, last.as_ref())?,
        mailbox_lease: lease(answer)?,
    })
}

fn redemption(
    answer: &mut Answer,
    last: Option<&Redemption>,
) -> Result<Option<Redemption>, StoreError> {
    if answer.is_true() {
        return last.cloned().map(Some).ok_or_else(|| answer.odd());
    }
    answer.opt_bytes()?.map(|found| record::redemption(&found)).transpose()
}

fn lease(answer: &mut Answer) -> Result<Option<Lease>, StoreError> {
    answer.opt_bytes()?.map(|found| record::lease(&found)).transpose()
}
