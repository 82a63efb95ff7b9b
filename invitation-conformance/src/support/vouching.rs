//! A host's hook about grantors, which a test controls.

use std::{
    error::Error as StdError,
    fmt,
    future::pending,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use invitation_core::{
    InvitationId, UserId,
    standing::{Grant, Standing, TIME_LIMIT},
};

/// The behaviour of the hook at a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Vouch {
    /// Vouches for every grantor.
    Everybody,
    /// Vouches for this user only.
    Only(UserId),
    /// Vouches for every grantor but this user.
    AllBut(UserId),
    /// Fails.
    Fail,
    /// Gives no answer.
    Hang,
}

/// A question that the hook was asked: the invitation, the grantor's id and role, the division
/// and the granted role.
pub(crate) type Question = (InvitationId, [String; 4]);

type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The hook: it answers as it was last set, and keeps the questions.
#[derive(Clone)]
pub(crate) struct Voucher(Arc<Mutex<State>>);

struct State {
    vouch: Vouch,
    questions: Vec<Question>,
    /// What happens while the next question is answered.
    meanwhile: Option<Meanwhile>,
}

impl Voucher {
    pub(crate) fn new(vouch: Vouch) -> Self {
        Self(Arc::new(Mutex::new(State { vouch, questions: Vec::new(), meanwhile: None })))
    }

    pub(crate) fn set(&self, vouch: Vouch) {
        self.state().vouch = vouch;
    }

    /// Lets something happen between the next question and its answer.
    pub(crate) fn meanwhile(&self, meanwhile: impl Future<Output = ()> + Send + 'static) {
        self.state().meanwhile = Some(Box::pin(meanwhile));
    }

    /// Returns the questions since the last call.
    pub(crate) fn take_questions(&self) -> Vec<Question> {
        std::mem::take(&mut self.state().questions)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Voucher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voucher").finish_non_exhaustive()
    }
}

#[async_trait]
impl Standing for Voucher {
    async fn may_still_grant(
        &self,
        grant: &Grant<'_>,
    ) -> Result<bool, Box<dyn StdError + Send + Sync>> {
        let names = [
            grant.grantor.as_str(),
            grant.grantor_role.as_str(),
            grant.division.as_str(),
            grant.role.as_str(),
        ];
        let (vouch, meanwhile) = {
            let mut state = self.state();
            state.questions.push((grant.invitation, names.map(str::to_owned)));
            (state.vouch.clone(), state.meanwhile.take())
        };
        if let Some(meanwhile) = meanwhile {
            meanwhile.await;
        }
        match vouch {
            Vouch::Everybody => Ok(true),
            Vouch::Only(user) => Ok(*grant.grantor == user),
            Vouch::AllBut(user) => Ok(*grant.grantor != user),
            Vouch::Fail => Err("the table of users cannot be read".into()),
            Vouch::Hang => pending().await,
        }
    }

    /// The time limit passes at once if the hook hangs, and never otherwise.
    async fn sleep(&self, time: Duration) {
        assert_eq!(time, TIME_LIMIT, "the documented limit");
        if self.state().vouch != Vouch::Hang {
            pending::<()>().await;
        }
    }
}
