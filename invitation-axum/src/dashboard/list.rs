//! The list: filters, search, the table, and the message in an empty list.

use askama::{Template, filters::HtmlSafe};
use axum::{
    extract::{RawQuery, Request},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    BatchId, Criteria, Division, Error, FieldError, InvitationId, InvitationView, Page, Paging,
    Right, Scope, Status,
};

use super::{
    Strings,
    batches::BatchHead,
    figures::Figures,
    filters::list_filters,
    form::{Field, Input, Mistakes},
    page::{PageContext, page},
    pager::{ListLinks, Pager, split_off_codes},
    row::Row,
    webhooks,
};
use crate::{
    problem::Problem,
    query::{FilterQuery, ListQuery, PageQuery, QueryErrors, QueryParams},
};

/// The page lengths on offer.
pub(super) const LENGTHS: [&str; 3] = ["50", "100", "200"];

/// The order by soonest expiry, as the form and the URL name it.
pub(super) const BY_EXPIRY: &str = "expires";

/// The largest number of days in *Expiring within*: the longest lifetime.
const MAX_DAYS: u32 = 365;

/// The parameters of a list as the user typed them.
pub(super) struct ListForm {
    query: ListQuery,
    /// The number of days within which an invitation expires.
    pub(super) within: String,
    page: PageQuery,
    /// The cursors of the pages before this one.
    back: String,
}

/// The origin of the filters: the query of a URL, or a form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Url,
    Form,
}

/// Shows the list for the query of the URL.
pub(super) async fn show(
    context: PageContext,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    context.must(Right::View, None).await?;
    let input = Input::of_query(query.as_deref())?;
    let done = done(context.t(), input.text("done"));
    listed(&context, &ListForm::of(&input), Source::Url, done).await
}

/// Handles the filter form by redirecting to the URL of the list, which the user can keep, share and
/// come back to. A search that resembles a code must not appear in a URL. Its response is the list.
pub(super) async fn search(context: PageContext, request: Request) -> Result<Response, Problem> {
    context.must(Right::View, None).await?;
    let asked = ListForm::of(&Input::of_body(request, context.web()).await?);
    let is_understood = asked.parse(&context, &mut Mistakes::default()).is_some();
    match asked.links(&context).link() {
        Some(link) if is_understood => Ok(Redirect::to(&link).into_response()),
        _ => listed(&context, &asked, Source::Form, None).await,
    }
}

/// Redirects to the list: a browser that loads the URL of the form again sends no form.
pub(super) async fn back(context: PageContext) -> Redirect {
    Redirect::to(context.home())
}

async fn listed(
    context: &PageContext,
    asked: &ListForm,
    source: Source,
    done: Option<&str>,
) -> Result<Response, Problem> {
    let (service, actor, t) = (context.service(), context.actor(), context.t());
    let mut mistakes = Mistakes::default();
    let wanted = asked.parse(context, &mut mistakes);
    let mut found = None;
    if let Some((criteria, paging)) = wanted {
        match service.list(actor, &criteria, paging).await {
            Ok(page) => found = Some(page),
            Err(Error::Invalid(input)) => mistakes.add_all(t, &input),
            Err(error) => return Err(error.into()),
        }
    }
    if source == Source::Form
        && let Some(id) = found.as_ref().and_then(|page| asked.found_by_code(context, page))
    {
        return Ok(Redirect::to(&format!("{}/{id}", context.base())).into_response());
    }
    // Only the first page shows the numbers: they cost a query, and further pages do not
    // need them.
    let counts = match (&found, asked.cursor().is_empty()) {
        (Some(_), true) => Some(service.counts(actor, &asked.everything()).await?),
        _ => None,
    };
    let batch = found.as_ref().and_then(|_| asked.batch());
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut filters = list_filters(context, asked);
    let others = mistakes.beside(&mut filters);
    let now = context.now();
    let items = found.as_ref().map(Page::items).unwrap_or_default();
    let rows: Vec<_> = items.iter().map(|view| Row::of(view, context, now)).collect();
    let next = found.as_ref().and_then(Page::next);
    let links = asked.links(context);
    let nothing_here = links.nothing_here(t, next.is_some()).filter(|_| rows.is_empty());
    let summary = match nothing_here {
        Some((title, _)) => title.to_owned(),
        None => (t.summary)(rows.len(), next.is_some()),
    };
    let is_filtered = asked.is_filtered();
    let may_create = context.may(Right::Create);
    let empty = match nothing_here {
        Some((title, advice)) => Empty { title, advice, offers_create: false },
        None => Empty::of_whole_list(t, is_filtered, may_create),
    };
    let list = List {
        t,
        base: context.base(),
        home: context.home(),
        division: match actor.scope() {
            Scope::Division(division) => Some(division.as_str()),
            Scope::All => None,
        },
        may_audit: context.may(Right::Audit),
        may_import: context.may(Right::Bulk),
        has_webhooks: webhooks::is_for(context),
        may_resend: context.may(Right::Resend) && context.web().deliveries().is_ok(),
        has_funnel: context.web().funnels().is_ok(),
        may_create,
        done,
        batch: batch.map(|batch| BatchHead::new(context, batch, counts.as_ref())),
        figures: counts.map(|counts| Figures::of(&counts, batch, asked.division(), context)),
        filters,
        clear: is_filtered.then_some(context.home()),
        empty: (found.is_some() && rows.is_empty()).then_some(empty),
        table: (!rows.is_empty()).then(|| Table { t, base: context.base(), rows }),
        summary: if found.is_some() { summary } else { others.unwrap_or_default() },
        pager: links.pager(t, next),
    };
    page(status, &t.heading, &list)
}

impl ListForm {
    fn of(input: &Input) -> Self {
        let given = &mut input.given();
        let (mut query, page): (ListQuery, PageQuery) = QueryParams::take(given);
        // The page shows no other filters, so a URL has no others.
        let FilterQuery { search, role, division, batch, .. } = query.filter;
        query.filter = FilterQuery { search, role, division, batch, ..FilterQuery::default() };
        let within = given.take("within").unwrap_or_default();
        // Only an active invitation expires, and the form sends the status *All* by default.
        let is_about_expiry = !within.is_empty() || query.sort.sort.as_deref() == Some(BY_EXPIRY);
        let status = &mut query.status.status;
        if is_about_expiry && matches!(status.as_deref(), None | Some("all")) {
            *status = Some(Status::Active.as_str().to_owned());
        }
        Self { query, within, page, back: given.take("back").unwrap_or_default() }
    }

    fn parse(&self, context: &PageContext, mistakes: &mut Mistakes) -> Option<(Criteria, Paging)> {
        let (t, mut errors) = (context.t(), QueryErrors::default());
        let (mut criteria, paging) = (self.query.parse(&mut errors), self.page.parse(&mut errors));
        mistakes.add_query(t, &errors);
        if !self.within.is_empty() {
            let days = mistakes.check(t, number_of_days(&self.within));
            criteria = criteria.expiring_in(days.unwrap_or_default());
        }
        mistakes.is_empty().then_some((criteria, paging))
    }

    pub(super) fn sort(&self) -> &str {
        or_empty(&self.query.sort.sort)
    }

    pub(super) fn status(&self) -> &str {
        or_empty(&self.query.status.status)
    }

    pub(super) fn role(&self) -> &str {
        or_empty(&self.query.filter.role)
    }

    pub(super) fn division(&self) -> &str {
        or_empty(&self.query.filter.division)
    }

    pub(super) fn search(&self) -> &str {
        or_empty(&self.query.filter.search)
    }

    /// Returns the batch to list; none if its text is no id, which is a mistake.
    fn batch(&self) -> Option<BatchId> {
        or_empty(&self.query.filter.batch).parse().ok()
    }

    pub(super) fn limit(&self) -> &str {
        or_empty(&self.page.limit)
    }

    fn cursor(&self) -> &str {
        or_empty(&self.page.cursor)
    }

    /// Returns the one invitation that was found because the user typed its code.
    fn found_by_code(
        &self,
        context: &PageContext,
        page: &Page<InvitationView>,
    ) -> Option<InvitationId> {
        let [view] = page.items() else { return None };
        let format = context.service().code_format();
        let is_meant = |code| format.resembles(self.search()) && format.spells(self.search(), code);
        (page.next().is_none() && view.code().is_some_and(is_meant))
            .then_some(view.invitation().id())
    }

    /// Returns the criteria for the numbers above the list. They ignore all filters but
    /// the division and the batch.
    fn everything(&self) -> Criteria {
        let criteria = match Division::new(self.division()) {
            Ok(division) => Criteria::new().in_division(division),
            // Empty: one that cannot be read is a mistake of the form, and nothing is counted.
            Err(_) => Criteria::new(),
        };
        match self.batch() {
            Some(batch) => criteria.in_batch(batch),
            None => criteria,
        }
    }

    fn is_filtered(&self) -> bool {
        let batch = or_empty(&self.query.filter.batch);
        let all = [self.role(), self.division(), self.search(), &self.within, batch];
        all.iter().any(|value| !value.is_empty()) || !matches!(self.status(), "" | "all")
    }

    fn links<'a>(&'a self, context: &'a PageContext) -> ListLinks<'a> {
        let status = if self.status() == "all" { "" } else { self.status() };
        // A default value is left out of the URL.
        let limit = if self.limit() == LENGTHS[0] { "" } else { self.limit() };
        let sort = if self.sort() == BY_EXPIRY { BY_EXPIRY } else { "" };
        let (mut in_url, form_only) = split_off_codes(
            context,
            &[("role", self.role()), ("division", self.division()), ("search", self.search())],
        );
        in_url.insert(0, ("status", status.to_owned()));
        // A text that is no id is left out: it might be a code.
        in_url.extend(self.batch().map(|batch| ("batch", batch.to_string())));
        in_url.push(("within", self.within.clone()));
        in_url.push(("sort", sort.to_owned()));
        in_url.push(("limit", limit.to_owned()));
        ListLinks {
            list: context.home(),
            search: format!("{}/search", context.base()),
            in_url,
            form_only,
            cursor: self.cursor(),
            back: &self.back,
        }
    }
}

/// Reads the field *Expiring within*.
fn number_of_days(text: &str) -> Result<u32, FieldError> {
    let days = text.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days));
    days.ok_or_else(|| FieldError::new("within", format!("must be 1 to {MAX_DAYS} days")))
}

/// Returns the text of a parameter, which is empty if the parameter is missing.
#[expect(clippy::ref_option, reason = "the fields of a query are options")]
pub(super) fn or_empty(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default()
}

/// Returns the notice about the change that led to this page. Unknown values have none.
fn done<'a>(t: &'a Strings, word: &str) -> Option<&'a str> {
    (word == "deleted").then_some(&*t.deleted_done)
}

#[derive(Template)]
#[template(path = "list.html")]
#[expect(clippy::struct_excessive_bools, reason = "each part of the page is shown on its own")]
struct List<'a> {
    t: &'a Strings,
    base: &'a str,
    home: &'a str,
    division: Option<&'a str>,
    may_audit: bool,
    may_import: bool,
    may_resend: bool,
    has_funnel: bool,
    has_webhooks: bool,
    may_create: bool,
    done: Option<&'a str>,
    batch: Option<BatchHead<'a>>,
    figures: Option<Figures<'a>>,
    filters: Vec<Field>,
    clear: Option<&'a str>,
    table: Option<Table<'a>>,
    empty: Option<Empty<'a>>,
    summary: String,
    pager: Pager<'a>,
}

#[derive(Template)]
#[template(path = "table.html")]
struct Table<'a> {
    t: &'a Strings,
    base: &'a str,
    rows: Vec<Row<'a>>,
}

impl HtmlSafe for Table<'_> {}

/// The message in place of an empty table.
struct Empty<'a> {
    title: &'a str,
    advice: &'a str,
    /// Whether the message has a button that creates the first invitation.
    offers_create: bool,
}

impl<'a> Empty<'a> {
    /// Returns the message of a list without any row.
    fn of_whole_list(t: &'a Strings, is_filtered: bool, may_create: bool) -> Self {
        let (title, advice) = match (is_filtered, may_create) {
            (true, _) => (&t.nothing_found, &t.nothing_found_advice),
            (_, true) => (&t.nothing_yet, &t.nothing_yet_advice),
            _ => (&t.nothing_yet, &t.nothing_yet_wait),
        };
        Self { title, advice, offers_create: may_create && !is_filtered }
    }
}
