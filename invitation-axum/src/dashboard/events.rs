//! The audit view.

use askama::Template;
use axum::{
    extract::{RawQuery, Request},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    Action, Division, Error, Event, EventCriteria, EventOutcome, Page, Paging, Performer, Right,
    Timestamp, UserId, audit::OutcomeFilter,
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Strings,
    audit_log::AuditLog,
    filters::division_filter,
    form::{Choice, Field, Input, Kind, Mistakes},
    list::or_empty,
    page::{PageContext, page},
    pager::{ListLinks, Pager, split_off_codes},
    row::{When, short},
};
use crate::{
    problem::Problem,
    query::{EventQuery, PageQuery, QueryErrors, QueryParams},
};

/// The parameters of the audit view as the user typed them.
struct EventForm {
    query: EventQuery,
    page: PageQuery,
    /// The cursors of the pages before this one.
    back: String,
}

/// Shows the audit view for the query of the URL.
pub(super) async fn show(
    context: PageContext,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    context.must(Right::Audit, None).await?;
    listed(&context, &EventForm::of(&Input::of_query(query.as_deref())?)).await
}

/// Shows the audit view for its filter form. The response redirects to a URL with the
/// same filters, if all of them may appear in a URL.
pub(super) async fn search(context: PageContext, request: Request) -> Result<Response, Problem> {
    context.must(Right::Audit, None).await?;
    let asked = EventForm::of(&Input::of_body(request, context.web()).await?);
    let list = format!("{}/events", context.base());
    let is_understood = asked.parse(context.t(), &mut Mistakes::default()).is_some();
    match asked.links(&context, &list).link() {
        Some(link) if is_understood => Ok(Redirect::to(&link).into_response()),
        _ => listed(&context, &asked).await,
    }
}

async fn listed(context: &PageContext, asked: &EventForm) -> Result<Response, Problem> {
    let t = context.t();
    let mut mistakes = Mistakes::default();
    let mut found = None;
    if let Some((criteria, paging)) = asked.parse(t, &mut mistakes) {
        match context.service().events(context.actor(), &criteria, paging).await {
            Ok(page) => found = Some(page),
            Err(Error::Invalid(input)) => mistakes.add_all(t, &input),
            Err(error) => return Err(error.into()),
        }
    }
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut filters = filters(context, asked);
    let others = mistakes.beside(&mut filters);
    let now = context.now();
    let items = found.as_ref().map(Page::items).unwrap_or_default();
    let list = format!("{}/events", context.base());
    let next = found.as_ref().and_then(Page::next);
    let links = asked.links(context, &list);
    let nothing_here = links.nothing_here(t, next.is_some());
    let audit = Audit {
        t,
        base: context.base(),
        home: context.home(),
        log: AuditLog::of(context),
        filters,
        is_filtered: asked.is_filtered(),
        summary: match found {
            Some(_) => match nothing_here.filter(|_| items.is_empty()) {
                Some((title, _)) => title.to_owned(),
                None => (t.events_summary)(items.len(), next.is_some()),
            },
            None => others.unwrap_or_default(),
        },
        empty: nothing_here.unwrap_or((&t.no_events, &t.no_events_advice)),
        rows: items.iter().map(|event| Row::of(event, context, now)).collect(),
        pager: links.pager(t, next),
    };
    page(status, &t.audit_trail, &audit)
}

impl EventForm {
    fn of(input: &Input) -> Self {
        let given = &mut input.given();
        let (query, page) = QueryParams::take(given);
        Self { query, page, back: given.take("back").unwrap_or_default() }
    }

    fn parse(&self, t: &Strings, mistakes: &mut Mistakes) -> Option<(EventCriteria, Paging)> {
        let mut errors = QueryErrors::default();
        let parsed = (self.query.parse(&mut errors), self.page.parse(&mut errors));
        mistakes.add_query(t, &errors);
        mistakes.is_empty().then_some(parsed)
    }

    fn is_filtered(&self) -> bool {
        let EventQuery { invitation, actor, kind, outcome, correlation_id, division } = &self.query;
        let filters = [invitation, actor, kind, outcome, correlation_id, division];
        filters.iter().any(|value| value.is_some())
    }

    fn links<'a>(&'a self, context: &PageContext, list: &'a str) -> ListLinks<'a> {
        let EventQuery { invitation, actor, kind, outcome, correlation_id, division } = &self.query;
        let (mut in_url, form_only) = split_off_codes(
            context,
            &[
                ("division", or_empty(division)),
                ("actor", or_empty(actor)),
                ("correlation_id", or_empty(correlation_id)),
            ],
        );
        // These are identifiers of the library; other values do not get past
        // `parse`.
        in_url.extend([
            ("kind", or_empty(kind).to_owned()),
            ("outcome", or_empty(outcome).to_owned()),
            ("invitation", or_empty(invitation).to_owned()),
            ("limit", or_empty(&self.page.limit).to_owned()),
        ]);
        ListLinks {
            list,
            search: list.to_owned(),
            in_url,
            form_only,
            cursor: or_empty(&self.page.cursor),
            back: &self.back,
        }
    }
}

fn filters(context: &PageContext, asked: &EventForm) -> Vec<Field> {
    let t = context.t();
    let choice = |words: Vec<&'static str>, value: &str| {
        let words = words.into_iter().map(|word| Choice::new(word, in_words(t, word)));
        let words = std::iter::once(Choice::new("", &*t.all)).chain(words).collect();
        Kind::filter(words, value, str::to_owned)
    };
    let (kind, outcome) = (or_empty(&asked.query.kind), or_empty(&asked.query.outcome));
    let actions = choice(Action::ALL.iter().map(|action| action.as_str()).collect(), kind);
    let outcomes = choice(OutcomeFilter::all().map(OutcomeFilter::as_str).collect(), outcome);
    let mut fields = vec![
        Field::new("kind", &*t.filter_action, kind, actions),
        Field::new("outcome", &*t.filter_outcome, outcome, outcomes),
    ];
    fields.extend(division_filter(context, &t.division, or_empty(&asked.query.division)));
    fields.push(Field::new("actor", &*t.filter_user, or_empty(&asked.query.actor), Kind::Text));
    fields.push(Field::new(
        "invitation",
        &*t.filter_invitation,
        or_empty(&asked.query.invitation),
        Kind::Text,
    ));
    let request = or_empty(&asked.query.correlation_id);
    fields.push(Field::new("correlation_id", &*t.filter_request, request, Kind::Text));
    fields
}

/// Returns a name of the audit trail in readable form.
pub(super) fn in_words(t: &Strings, word: &str) -> String {
    (t.sentence)(&word.replace('_', " "))
}

#[derive(Template)]
#[template(path = "events.html")]
struct Audit<'a> {
    t: &'a Strings,
    base: &'a str,
    home: &'a str,
    log: Option<AuditLog<'a>>,
    filters: Vec<Field>,
    is_filtered: bool,
    summary: String,
    /// The title and the advice in place of an empty table.
    empty: (&'a str, &'a str),
    rows: Vec<Row<'a>>,
    pager: Pager<'a>,
}

/// One event of the audit view.
struct Row<'a> {
    at: When,
    who: String,
    role: Option<String>,
    /// The user id, where `who` is a name.
    id: Option<String>,
    action: String,
    outcome: EventOutcome,
    outcome_label: String,
    reason: Option<String>,
    invitation: Option<String>,
    division: Option<&'a str>,
    detail: Vec<(String, Value<'a>)>,
    request: Option<RequestLink<'a>>,
}

/// The id of the request that an event belongs to.
struct RequestLink<'a> {
    id: &'a str,
    /// The URL of all events of the request; none if the id resembles a code, which must not
    /// appear in a URL.
    link: Option<String>,
}

impl<'a> RequestLink<'a> {
    fn of(event: &'a Event, context: &PageContext) -> Option<Self> {
        let id = event.context.correlation.as_ref()?.as_str();
        let list = format!("{}/events", context.base());
        let (in_url, form_only) = split_off_codes(context, &[("correlation_id", id)]);
        let (search, cursor, back) = (list.clone(), "", "");
        let links = ListLinks { list: &list, search, in_url, form_only, cursor, back };
        Some(Self { id, link: links.link() })
    }
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
    fn of(event: &'a Event, context: &PageContext, now: Timestamp) -> Self {
        let t = context.t();
        let performer = &event.performer;
        let user = performer.user().map(UserId::as_str);
        let name = performer.name().or(user);
        let role = match performer {
            Performer::System { name } => name.as_ref().map(|_| t.the_system.to_string()),
            Performer::Actor { role, .. } => Some((t.role)(role).into_owned()),
            Performer::Redeemer { .. } => None,
        };
        Self {
            at: When::exact(event.at, now, t),
            who: name.unwrap_or(&t.the_system).to_owned(),
            role,
            id: user.filter(|user| name != Some(*user)).map(str::to_owned),
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
            request: RequestLink::of(event, context),
        }
    }

    fn short_id(&self) -> &str {
        self.invitation.as_deref().map_or("", short)
    }
}
