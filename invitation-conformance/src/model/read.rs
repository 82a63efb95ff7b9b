//! Expected results of reads.

use invitation_core::{
    Action, BatchId, Event, EventOutcome, OutcomeFilter, Reason, Refusal, Right, Status, UserId,
};

use super::{
    answer::Answer,
    codes,
    identities::{ActingUser, DivisionName, Newcomer, context},
    search::Search,
    state::{Expected, ExpectedRefusal, Model, ModelInvitation, user},
    step::{EventCriteriaSpec, EventPerformer, ListCriteria, Pick, SearchText},
};

impl Model {
    pub(super) fn get(&self, by: ActingUser, of: Pick) -> Expected {
        if !self.rules.allows(by.role(), Right::View) {
            return self.refused_about(by, Action::View, self.forbidden(by, Right::View), of);
        }
        match self.visible(by, of) {
            Ok(n) => {
                let view = self.view(by, &self.rows[n], self.now);
                Expected::without_events(Answer::Seen(Box::new(view)))
            }
            Err(refusal) => self.refused_about(by, Action::View, refusal, of),
        }
    }

    pub(super) fn copy(&self, by: ActingUser, of: Pick) -> Expected {
        if !self.rules.allows(by.role(), Right::Copy) {
            return self.refused_about(by, Action::Copy, self.forbidden(by, Right::Copy), of);
        }
        match self.visible(by, of) {
            Ok(n) => {
                let row = &self.rows[n];
                let event = self.event(user(by), Action::Copy).about(row);
                Expected { answer: Answer::Code(row.code.clone()), events: vec![event] }
            }
            Err(refusal) => self.refused_about(by, Action::Copy, refusal, of),
        }
    }

    pub(super) fn list(&self, by: ActingUser, wanted: ListCriteria) -> Expected {
        let search = match self.may_read(by, Right::View, Action::View, wanted) {
            Ok(search) => search,
            Err(expected) => return *expected,
        };
        let sees_codes = self.rules.allows(by.role(), Right::Copy);
        let finds = |row: &&ModelInvitation| {
            search.as_ref().is_none_or(|search| search.finds(&row.shown(), &row.code, sees_codes))
        };
        let mut rows: Vec<&ModelInvitation> = self.matching(by, wanted).filter(finds).collect();
        sort(&mut rows, wanted);
        let views = rows.into_iter().map(|row| self.view(by, row, self.now));
        Expected::without_events(Answer::Listed(views.collect()))
    }

    pub(super) fn counts(&self, by: ActingUser, wanted: ListCriteria) -> Expected {
        let search = match self.may_read(by, Right::View, Action::View, wanted) {
            Ok(search) => search,
            Err(expected) => return *expected,
        };
        let sees_codes = self.rules.allows(by.role(), Right::Copy);
        let mut counts = [0; 4];
        for row in self.matching(by, wanted) {
            if search
                .as_ref()
                .is_some_and(|search| !search.finds(&row.shown(), &row.code, sees_codes))
            {
                continue;
            }
            counts[match row.status(self.now) {
                Status::Active => 0,
                Status::Used => 1,
                Status::Expired => 2,
                Status::Revoked => 3,
            }] += 1;
        }
        Expected::without_events(Answer::Counted(counts))
    }

    pub(super) fn events(&self, by: ActingUser, wanted: EventCriteriaSpec) -> Expected {
        if !self.rules.allows(by.role(), Right::Audit) {
            return self.refused_reading(
                by,
                Action::Audit,
                self.forbidden(by, Right::Audit),
                wanted.division,
            );
        }
        if let Some(refusal) = out_of_reach(by, wanted.division) {
            return self.refused_reading(by, Action::Audit, refusal, wanted.division);
        }
        let mut found: Vec<&Event> = Vec::new();
        for event in &self.trail {
            if self.is_wanted(by, wanted, event) {
                found.push(event);
            }
        }
        found.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
        Expected::without_events(Answer::Trail(found.into_iter().cloned().collect()))
    }

    fn is_wanted(&self, by: ActingUser, wanted: EventCriteriaSpec, event: &Event) -> bool {
        // Within one division, only events that certainly belong to it.
        let within = match wanted.division.or(by.reach()) {
            None => true,
            Some(division) => event.division == Some(division.division()),
        };
        let about = wanted.about.is_none_or(|pick| event.invitation == Some(self.id(pick)));
        let user = wanted.by.is_none_or(|who| event.performer.user() == Some(&who.user()));
        let action = wanted.action.is_none_or(|action| event.action == action);
        let outcome = wanted.outcome.is_none_or(|wanted| match wanted {
            OutcomeFilter::Only(outcome) => event.outcome == outcome,
            OutcomeFilter::NotSucceeded => event.outcome != EventOutcome::Succeeded,
        });
        let step = wanted.step.is_none_or(|n| event.context == context(n.into()));
        let time = match wanted.now {
            None => true,
            Some(true) => event.at >= self.now,
            Some(false) => event.at < self.now,
        };
        within && about && user && action && outcome && step && time
    }

    /// Returns the parsed search, or the refusal if the actor may not read this.
    pub(super) fn may_read(
        &self,
        by: ActingUser,
        right: Right,
        action: Action,
        wanted: ListCriteria,
    ) -> Result<Option<Search>, Box<Expected>> {
        if !self.rules.allows(by.role(), right) {
            let refusal = self.forbidden(by, right);
            return Err(Box::new(self.refused_reading(by, action, refusal, wanted.division)));
        }
        let search = match wanted.search.map(|search| Search::read(&self.search(search))) {
            None => None,
            Some(Some(search)) => Some(search),
            Some(None) => return Err(Box::new(Expected::invalid("search"))),
        };
        if !wanted.is_sortable() {
            return Err(Box::new(Expected::invalid("sort")));
        }
        match out_of_reach(by, wanted.division) {
            Some(refusal) => {
                Err(Box::new(self.refused_reading(by, action, refusal, wanted.division)))
            }
            None => Ok(search),
        }
    }

    pub(super) fn refused_reading(
        &self,
        by: ActingUser,
        action: Action,
        refusal: ExpectedRefusal,
        division: Option<DivisionName>,
    ) -> Expected {
        self.refused(user(by), action, refusal, None, division.or(by.home()))
    }

    /// Returns the rows that match every criterion except the search.
    pub(super) fn matching(
        &self,
        by: ActingUser,
        wanted: ListCriteria,
    ) -> impl Iterator<Item = &ModelInvitation> {
        let division = wanted.division.or(by.reach()).map(DivisionName::division);
        let status = wanted.required_status();
        self.rows.iter().filter(move |row| {
            let facts = &row.facts;
            let inviter = row.inviter.map(|(who, _)| who);
            let created = wanted.created.is_none_or(|(pick, from)| {
                let at = self.picked(pick).map_or(self.now, |row| row.facts.created_at);
                (facts.created_at >= at) == from
            });
            let expires = wanted.expires.is_none_or(|(pick, from)| {
                let at = self.picked(pick).map_or(self.now, |row| row.facts.expires_at);
                (facts.expires_at >= at) == from
            });
            row.is_live()
                && division.as_ref().is_none_or(|division| facts.division == *division)
                && status.is_none_or(|status| row.status(self.now) == status)
                && wanted.role.is_none_or(|role| row.role == role)
                && wanted.inviter.is_none_or(|who| inviter == Some(who))
                && wanted.batch.is_none_or(|pick| facts.batch == Some(self.batch(pick)))
                && created
                && expires
        })
    }

    /// Returns the batch of the picked invitation, or a batch that never existed.
    pub(super) fn batch(&self, pick: Pick) -> BatchId {
        let batch = self.picked(pick).and_then(|row| row.facts.batch);
        batch.unwrap_or(BatchId::from_bytes([0x7c; 16]))
    }

    pub(super) fn picked(&self, pick: Pick) -> Option<&ModelInvitation> {
        pick.of(self.rows.len()).map(|n| &self.rows[n])
    }

    /// Returns the text of a search.
    pub(super) fn search(&self, search: SearchText) -> String {
        match search {
            SearchText::Text(text) => text.to_owned(),
            SearchText::TooLong => "ab ".repeat(67),
            SearchText::Code(pick, spelling, length) => {
                let typed = codes::typed(self.code(pick), spelling);
                typed.chars().take(usize::from(length)).collect()
            }
            SearchText::NearlyCode(pick, length) => {
                let mut symbols = codes::symbols(self.code(pick));
                symbols.truncate(usize::from(length));
                if let Some(last) = symbols.last_mut() {
                    *last = if *last == '7' { '8' } else { '7' };
                }
                symbols.into_iter().collect()
            }
        }
    }
}

impl ListCriteria {
    /// Whether the order goes with the status.
    pub(super) fn is_sortable(self) -> bool {
        !self.by_expiry || matches!(self.status, None | Some(Status::Active))
    }

    /// Returns the status that each item must have, if any.
    fn required_status(self) -> Option<Status> {
        if self.by_expiry { Some(Status::Active) } else { self.status }
    }
}

/// Sorts the rows into the order of the list.
pub(super) fn sort(rows: &mut [&ModelInvitation], wanted: ListCriteria) {
    if wanted.by_expiry {
        rows.sort_by_key(|row| (row.facts.expires_at, row.facts.id));
    } else {
        rows.sort_by_key(|row| std::cmp::Reverse((row.facts.created_at, row.facts.id)));
    }
}

impl EventPerformer {
    pub(super) fn user(self) -> UserId {
        match self {
            Self::Actor(who) => who.user(),
            Self::Person(person) => {
                Newcomer { person, renamed: false, proof: None, division: None }.user()
            }
        }
    }
}

pub(super) fn out_of_reach(
    by: ActingUser,
    division: Option<DivisionName>,
) -> Option<ExpectedRefusal> {
    let division = division?.division();
    if by.reaches(&division) {
        return None;
    }
    Some((Refusal::DivisionNotAllowed { division }, Reason::DivisionNotAllowed))
}
