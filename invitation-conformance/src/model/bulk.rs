//! Expected results of operations on many invitations.

use invitation_core::{Action, InvitationId, Right, Timestamp};

use super::{
    answer::Answer,
    create::{home, performer, set_code},
    identities::{ActingUser, Creator, DivisionName},
    limits::MAX_BATCH,
    read::{out_of_reach, sort},
    search::Search,
    state::{DAY, Expected, ExpectedEvent, Model, ModelInvitation, user},
    step::{ListCriteria, RevocationReason},
};

impl Model {
    /// Expects the result of all pages of `revoke_all`.
    pub(super) fn revoke_all(
        &mut self,
        by: ActingUser,
        wanted: ListCriteria,
        reason: RevocationReason,
    ) -> Expected {
        let (action, right) = (Action::Revoke, Right::Revoke);
        if !self.rules.allows(by.role(), right) {
            return self.refused_reading(by, action, self.forbidden(by, right), wanted.division);
        }
        if !reason.is_valid() {
            return Expected::invalid("reason");
        }
        let search = match wanted.search.map(|search| Search::read(&self.search(search))) {
            Some(None) => return Expected::invalid("search"),
            Some(search) => search,
            None => None,
        };
        if !wanted.is_sortable() {
            return Expected::invalid("sort");
        }
        if let Some(refusal) = out_of_reach(by, wanted.division) {
            return self.refused_reading(by, action, refusal, wanted.division);
        }
        let sees_codes = self.rules.allows(by.role(), Right::Copy);
        let finds = |row: &&ModelInvitation| {
            search.as_ref().is_none_or(|it| it.finds(&row.shown(), &row.code, sees_codes))
        };
        let open = |row: &&ModelInvitation| row.has_uses_left() && row.facts.revocation.is_none();
        let mut meant: Vec<&ModelInvitation> =
            self.matching(by, wanted).filter(finds).filter(open).collect();
        sort(&mut meant, wanted);
        let ids: Vec<InvitationId> = meant.into_iter().map(|row| row.facts.id).collect();
        let mut events = Vec::new();
        for row in self.rows.iter().filter(|row| ids.contains(&row.facts.id)) {
            let event = self.event(user(by), action).about(row);
            events.push(match reason.text() {
                Some(reason) => event.with("reason", &reason),
                None => event,
            });
        }
        for row in self.rows.iter_mut().filter(|row| ids.contains(&row.facts.id)) {
            row.revoke(self.now, reason.text());
        }
        Expected { answer: Answer::Withdrawn(ids), events }
    }

    /// `seen` provides the removed invitations, which the store chooses.
    pub(super) fn purge(&mut self, by: Creator, age: i64, max: u32, seen: &Answer) -> Expected {
        if let Creator::User(who) = by
            && !self.rules.allows(who.role(), Right::Purge)
        {
            let refusal = self.forbidden(who, Right::Purge);
            return self.refused(performer(by), Action::Purge, refusal, None, home(by));
        }
        if age < DAY {
            return Expected::invalid("age");
        }
        if max > MAX_BATCH {
            return Expected::invalid("max");
        }
        let before = self.after(-age);
        let within = match by {
            Creator::System => None,
            Creator::User(who) => who.reach().map(DivisionName::division),
        };
        let mut over = Vec::new();
        for (n, row) in self.rows.iter().enumerate() {
            let reached = within.as_ref().is_none_or(|within| row.facts.division == *within);
            if !row.purged && reached && row.ended_at() < before {
                over.push((n, row.facts.id));
            }
        }
        let most = over.len().min(max as usize);
        let (gone, more) = match seen {
            Answer::Removed(gone, more) => (gone.as_slice(), *more),
            _ => (&[][..], false),
        };
        let legal = gone.iter().all(|id| over.iter().any(|(_, over)| over == id))
            && (gone.len() == most || (gone.len() < most && more));
        if !legal {
            let all = over.iter().take(most).map(|(_, id)| *id).collect();
            return Expected::without_events(Answer::Removed(all, over.len() > most));
        }
        for (n, _) in over.iter().filter(|(_, id)| gone.contains(id)) {
            let row = &mut self.rows[*n];
            row.purged = true;
            row.leases.clear();
            row.redemptions.clear();
        }
        self.forget_keys();
        let event = ExpectedEvent { division: within, ..self.event(performer(by), Action::Purge) };
        let event = event.with("before", &before).with("removed", &gone.len());
        Expected {
            // A store may report more when none are left, but not the reverse.
            answer: Answer::Removed(gone.to_vec(), more || over.len() > gone.len()),
            events: if gone.is_empty() { Vec::new() } else { vec![event] },
        }
    }
}

impl Model {
    /// `seen` provides the sizes of the pages, which the store chooses.
    pub(super) fn reseal(&mut self, by: Creator, seen: &Answer) -> Expected {
        if let Creator::User(who) = by
            && !self.rules.allows(who.role(), Right::Reseal)
        {
            let refusal = self.forbidden(who, Right::Reseal);
            return self.refused(performer(by), Action::Reseal, refusal, None, home(by));
        }
        let within = match by {
            Creator::System => None,
            Creator::User(who) => who.reach().map(DivisionName::division),
        };
        let key = self.key;
        let mut moved = 0;
        for row in self.rows.iter_mut().filter(|row| row.is_live()) {
            let reached = within.as_ref().is_none_or(|within| row.facts.division == *within);
            if reached && row.facts.sealed.key_id() != key.id() {
                let code = row.code.clone();
                set_code(key, &mut row.facts, &code);
                moved += 1;
            }
        }
        let pages = match seen {
            Answer::Resealed(pages) if pages.iter().sum::<usize>() == moved => pages.clone(),
            _ => return Expected::without_events(Answer::Resealed(vec![moved])),
        };
        let event = ExpectedEvent { division: within, ..self.event(performer(by), Action::Reseal) };
        let event = event.with("key", &key.id().unwrap_or_default());
        let events = pages.iter().filter(|rows| **rows > 0);
        let events = events.map(|rows| event.clone().with("rows", rows)).collect();
        Expected { answer: Answer::Resealed(pages), events }
    }
}

impl ModelInvitation {
    /// Returns the instant at which the invitation became over, or will become so if it
    /// is not changed.
    pub(super) fn ended_at(&self) -> Timestamp {
        let facts = &self.facts;
        if let Some(at) = facts.deleted_at {
            return at;
        }
        match &facts.last_use {
            Some(last) if !self.has_uses_left() => return last.at,
            _ => {}
        }
        facts.revocation.as_ref().map_or(facts.expires_at, |revocation| revocation.at)
    }
}
