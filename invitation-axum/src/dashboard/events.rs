//! The audit view.

use askama::Template;
use axum::{
    extract::{RawQuery, Request},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    Action, Division, Error, Event, EventCriteria, EventOutcome, InvitationId, Page, Paging,
    Performer, Right, Timestamp, UserId,
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Strings,
    form::{Choice, Field, Input, Kind, Mistakes},
    list::division_filter,
    page::{PageContext, page},
    pager::{Asking, Pager, apart},
    row::{When, short},
};
use crate::problem::Problem;

/// The filters as the context typed them.
struct QueryParams {
    action: String,
    outcome: String,
    user: String,
    invitation: String,
    division: String,
    cursor: String,
    back: String,
}

/// Shows the audit view for the query of an address.
pub(super) async fn show(
    context: PageContext,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    context.must(Right::Audit, None).await?;
    listed(&context, &QueryParams::of(&Input::of_query(query.as_deref()))).await
}

/// Shows the audit view for its filter form. The response redirects to an address with
/// the same filters, if they may appear in one.
pub(super) async fn search(context: PageContext, request: Request) -> Result<Response, Problem> {
    context.must(Right::Audit, None).await?;
    let asked = QueryParams::of(&Input::of_body(request, context.web()).await?);
    let list = format!("{}/events", context.base());
    let is_understood = asked.understand(context.t(), &mut Mistakes::default()).is_some();
    match asked.asking(&context, &list).link() {
        Some(link) if is_understood => Ok(Redirect::to(&link).into_response()),
        _ => listed(&context, &asked).await,
    }
}

async fn listed(context: &PageContext, asked: &QueryParams) -> Result<Response, Problem> {
    let t = context.t();
    let mut mistakes = Mistakes::default();
    let mut found = None;
    if let Some((criteria, paging)) = asked.understand(t, &mut mistakes) {
        match context.service().events(context.actor(), &criteria, paging).await {
            Ok(page) => found = Some(page),
            Err(Error::Invalid(input)) => mistakes.add_all(t, &input),
            Err(error) => return Err(Problem::of(&error)),
        }
    }
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut filters = filters(context, asked);
    let others = mistakes.beside(&mut filters);
    let now = context.now();
    let items = found.as_ref().map(Page::items).unwrap_or_default();
    let list = format!("{}/events", context.base());
    let next = found.as_ref().and_then(Page::next);
    let audit = Audit {
        t,
        base: context.base(),
        home: context.home(),
        filters,
        is_filtered: asked.is_filtered(),
        summary: match found {
            Some(_) => (t.events_summary)(items.len(), next.is_some()),
            None => others.unwrap_or_default(),
        },
        rows: items.iter().map(|event| Row::of(event, t, now)).collect(),
        pager: asked.asking(context, &list).pager(t, next),
    };
    page(status, &t.audit_trail, &audit)
}

impl QueryParams {
    fn of(input: &Input) -> Self {
        let text = |name| input.text(name).to_owned();
        Self {
            action: text("action"),
            outcome: text("outcome"),
            user: text("user"),
            invitation: text("invitation"),
            division: text("division"),
            cursor: text("cursor"),
            back: text("back"),
        }
    }

    fn understand(&self, t: &Strings, mistakes: &mut Mistakes) -> Option<(EventCriteria, Paging)> {
        let mut criteria = EventCriteria::new();
        if !self.action.is_empty()
            && let Some(action) = mistakes.check(t, self.action.parse::<Action>())
        {
            criteria = criteria.of_action(action);
        }
        if !self.outcome.is_empty()
            && let Some(outcome) = mistakes.check(t, self.outcome.parse::<EventOutcome>())
        {
            criteria = criteria.with_outcome(outcome);
        }
        if !self.user.is_empty()
            && let Some(user) = mistakes.check(t, UserId::new(&self.user))
        {
            criteria = criteria.by_user(user);
        }
        if !self.invitation.is_empty()
            && let Some(id) = mistakes.check(t, self.invitation.parse::<InvitationId>())
        {
            criteria = criteria.about(id);
        }
        if !self.division.is_empty()
            && let Some(division) = mistakes.check(t, Division::new(&self.division))
        {
            criteria = criteria.in_division(division);
        }
        let mut paging = Paging::default();
        if !self.cursor.is_empty() {
            paging = paging.after(mistakes.check(t, self.cursor.parse())?);
        }
        mistakes.is_empty().then_some((criteria, paging))
    }

    fn is_filtered(&self) -> bool {
        let all = [&self.action, &self.outcome, &self.user, &self.invitation, &self.division];
        all.iter().any(|value| !value.is_empty())
    }

    fn asking<'a>(&'a self, context: &PageContext, list: &'a str) -> Asking<'a> {
        let (mut plain, typed) =
            apart(context, &[("division", &self.division), ("user", &self.user)]);
        // These are identifiers of the library; other values do not get past
        // `understand`.
        plain.extend([
            ("action", self.action.clone()),
            ("outcome", self.outcome.clone()),
            ("invitation", self.invitation.clone()),
        ]);
        Asking {
            list,
            search: list.to_owned(),
            plain,
            typed,
            cursor: &self.cursor,
            back: &self.back,
        }
    }
}

fn filters(context: &PageContext, asked: &QueryParams) -> Vec<Field> {
    let t = context.t();
    let choice = |words: Vec<&'static str>| {
        let words = words.into_iter().map(|word| Choice::new(word, in_words(t, word)));
        Kind::Choice(std::iter::once(Choice::new("", &*t.all)).chain(words).collect())
    };
    let actions = choice(Action::ALL.iter().map(|action| action.as_str()).collect());
    let outcomes = choice(EventOutcome::ALL.iter().map(|outcome| outcome.as_str()).collect());
    let mut fields = vec![
        Field::new("action", &*t.filter_action, &asked.action, actions),
        Field::new("outcome", &*t.filter_outcome, &asked.outcome, outcomes),
    ];
    fields.extend(division_filter(context, &t.division, &asked.division));
    fields.push(Field::new("user", &*t.filter_user, &asked.user, Kind::Text));
    fields.push(Field::new("invitation", &*t.filter_invitation, &asked.invitation, Kind::Text));
    fields
}

/// Returns a name of the audit trail in readable form.
fn in_words(t: &Strings, word: &str) -> String {
    (t.sentence)(&word.replace('_', " "))
}

#[derive(Template)]
#[template(path = "events.html")]
struct Audit<'a> {
    t: &'a Strings,
    base: &'a str,
    home: &'a str,
    filters: Vec<Field>,
    is_filtered: bool,
    summary: String,
    rows: Vec<Row<'a>>,
    pager: Pager<'a>,
}

/// One event of the audit view.
struct Row<'a> {
    at: When,
    who: String,
    role: Option<String>,
    action: String,
    outcome: EventOutcome,
    outcome_label: String,
    reason: Option<String>,
    invitation: Option<String>,
    division: Option<&'a str>,
    detail: Vec<(String, Value<'a>)>,
}

/// A value among the details of an event.
enum Value<'a> {
    Text(&'a str),
    Time(When),
}

impl<'a> Value<'a> {
    /// Returns the value in readable form. The core writes machine-readable instants
    /// under these names. Other names may hold text that a user typed.
    fn of(name: &str, value: &'a str, now: Timestamp, t: &Strings) -> Self {
        let at = match name {
            "expires_at" | "until" | "before" => OffsetDateTime::parse(value, &Rfc3339).ok(),
            _ => None,
        };
        match at.and_then(|at| Timestamp::try_from(at).ok()) {
            Some(at) => Self::Time(When::exact(at, now, t)),
            None => Self::Text(value),
        }
    }
}

impl<'a> Row<'a> {
    fn of(event: &'a Event, t: &Strings, now: Timestamp) -> Self {
        let (who, role) = match &event.performer {
            Performer::System => (t.the_system.to_string(), None),
            Performer::Actor { user, role } => {
                (user.to_string(), Some((t.role)(role).into_owned()))
            }
            Performer::Redeemer { user, username } => {
                let differs = username.as_str() != user.as_str();
                (username.to_string(), differs.then(|| user.to_string()))
            }
        };
        Self {
            at: When::exact(event.at, now, t),
            who,
            role,
            action: in_words(t, event.action.as_str()),
            outcome: event.outcome,
            outcome_label: in_words(t, event.outcome.as_str()),
            reason: event.reason.map(|reason| in_words(t, reason.as_str())),
            invitation: event.invitation.map(|id| id.to_string()),
            division: event.division.as_ref().map(Division::as_str),
            detail: event
                .detail
                .iter()
                .map(|(name, value)| {
                    (format!("{}:", name.replace('_', " ")), Value::of(name, value, now, t))
                })
                .collect(),
        }
    }

    fn short_id(&self) -> &str {
        self.invitation.as_deref().map_or("", short)
    }
}
