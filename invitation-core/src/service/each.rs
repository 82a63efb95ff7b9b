//! Many at once, each for itself: as many as can be.

use super::{
    Created, Invitations,
    evidence::Place,
    issue::{Accepted, Drawn},
};
use crate::{
    actor::Acting,
    decide::{Call, Rejected, Terms},
    draft::Draft,
    error::{Error, StoreError, StoreErrorKind},
    event::Action,
    policy::Right,
    quota::QuotaOf,
    refusal::{Refused, Verdict},
    store::Store,
};

impl<S: Store> Invitations<S> {
    /// Creates as many of these as can be, and says of each what came of it, in the
    /// order in which they were asked for. Those that are created share a
    /// [batch](crate::Invitation::batch).
    ///
    /// One round trip, and one for each refusal; when a quota has no room for all, one
    /// for each draft until it is full.
    ///
    /// # Errors
    ///
    /// - Of all: [`Error::Refused`]: `Forbidden`; [`Error::Invalid`] when there are none
    ///   or too many; [`Error::Store`], [`Error::Entropy`]. Then nothing is created,
    ///   unless the store says that the outcome is unknown.
    /// - Of one: as [`create`](Self::create).
    pub async fn create_each(
        &self,
        acting: impl Into<Acting<'_>>,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Result<Created, Error>>, Error> {
        let acting = acting.into();
        let call = self.call_by(acting)?;
        self.permit(acting, &call, Right::Bulk, Action::Create, None).await?;
        self.check_number(&drafts)?;
        let batch = Some(self.state.ids.batch(call.now, self.entropy())?);

        let (mut refused, mut terms) = (Vec::new(), Vec::new());
        for draft in drafts {
            let own = self.call_within(&call)?;
            match self.terms(draft, acting, &own) {
                Ok(accepted) => {
                    refused.push(None);
                    terms.push((accepted, own));
                }
                Err(rejected) => refused.push(Some(self.reject(acting, &own, rejected).await)),
            }
        }
        let mut made = if terms.is_empty() {
            Vec::new()
        } else {
            self.create_accepted(acting, &call, Accepted { terms, batch }).await?
        }
        .into_iter();
        let unanswered = || Err(StoreError::new(StoreErrorKind::Corrupt, "create").into());
        Ok(refused
            .into_iter()
            .map(|refused| match refused {
                Some(refused) => Err(refused),
                None => made.next().unwrap_or_else(unanswered),
            })
            .collect())
    }

    /// Says of each of these what would come of it, and creates nothing. Whether there
    /// would be room under a quota is not looked at, and nothing is recorded.
    ///
    /// No round trip.
    ///
    /// # Errors
    ///
    /// As [`create_each`](Self::create_each).
    pub async fn rehearse(
        &self,
        acting: impl Into<Acting<'_>>,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let acting = acting.into();
        let call = self.call_by(acting)?;
        self.permit(acting, &call, Right::Bulk, Action::Create, None).await?;
        self.check_number(&drafts)?;
        let would = |draft| match self.terms(draft, acting, &call) {
            Ok(_) => Ok(()),
            Err(Rejected::Invalid(found)) => Err(found.into()),
            Err(Rejected::Denied { verdict, .. }) => {
                Err(Error::Refused(Refused::new(verdict.refusal().clone(), Vec::new())))
            }
        };
        Ok(drafts.into_iter().map(would).collect())
    }

    fn terms(&self, draft: Draft, acting: Acting<'_>, call: &Call) -> Result<Terms, Rejected> {
        Terms::of(draft, acting, call, &self.settings.policy, &self.settings.limits)
    }

    /// A part of a call, with an event of its own.
    fn call_within(&self, call: &Call) -> Result<Call, Error> {
        let id = self.state.ids.event(call.now, self.entropy())?;
        Ok(Call { id, ..call.clone() })
    }

    async fn reject(&self, acting: Acting<'_>, call: &Call, rejected: Rejected) -> Error {
        match rejected {
            Rejected::Invalid(found) => found.into(),
            Rejected::Denied { verdict, named } => {
                let place = Place::named_or_home(named, acting);
                self.refuse(call, Action::Create, verdict, place).await
            }
        }
    }

    /// All of it in one step, or one by one when there is no room for all.
    async fn create_accepted(
        &self,
        acting: Acting<'_>,
        call: &Call,
        accepted: Accepted,
    ) -> Result<Vec<Result<Created, Error>>, Error> {
        if let Drawn::Made(created) = self.store_drawn(call, &accepted, None).await? {
            return Ok(created.into_iter().map(Ok).collect());
        }
        let Accepted { terms, batch } = accepted;
        let mut full: Vec<(QuotaOf, Verdict)> = Vec::new();
        let mut answers = Vec::with_capacity(terms.len());
        let mut broken = None;
        for (terms, own) in terms {
            if let Some(kind) = broken {
                answers.push(Err(StoreError::new(kind, "create").into()));
                continue;
            }
            let about = |of: &QuotaOf| match of {
                QuotaOf::Inviter(_) => true,
                QuotaOf::Division(division) => division == terms.division(),
            };
            let place = Place::named_or_home(Some(terms.division().clone()), acting);
            if let Some((_, verdict)) = full.iter().find(|(of, _)| about(of)) {
                let refused = self.refuse(&own, Action::Create, verdict.clone(), place);
                answers.push(Err(refused.await));
                continue;
            }
            let one = Accepted { terms: vec![(terms, own.clone())], batch };
            answers.push(match self.store_drawn(&own, &one, None).await {
                Ok(Drawn::Made(created)) => {
                    let one = created.into_iter().next();
                    one.ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "create").into())
                }
                Ok(Drawn::Full(of, verdict)) => {
                    full.push((of, verdict.clone()));
                    Err(self.refuse(&own, Action::Create, verdict, place).await)
                }
                Ok(Drawn::Known(..)) => {
                    Err(StoreError::new(StoreErrorKind::Corrupt, "create").into())
                }
                Err(error) => {
                    // What comes behind is not tried: nothing was done of it.
                    broken = Some(StoreErrorKind::Unavailable);
                    Err(error)
                }
            });
        }
        Ok(answers)
    }
}
