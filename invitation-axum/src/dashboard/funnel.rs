//! The funnel: what became of invitations, as tables and as a picture.

use askama::{Template, filters::HtmlSafe};
use axum::{
    extract::{RawQuery, Request},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    Error, Right, Scope, Status, Timestamp,
    funnel::{Funnel, FunnelQuery},
};

use super::{
    Strings,
    filters::division_filter,
    form::{Field, Input, Kind, Mistakes},
    list::or_empty,
    page::{PageContext, page},
    pager::{ListLinks, split_off_codes},
    row::When,
};
use crate::{
    problem::Problem,
    query::{FunnelParams, QueryErrors, QueryParams},
};

/// Shows the funnel for the query of the URL.
pub(super) async fn show(
    context: PageContext,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    context.must(Right::View, None).await?;
    shown(&context, &asked(&Input::of_query(query.as_deref())?)).await
}

/// Shows the funnel for its filter form. The response redirects to a URL with the same filters, if
/// all of them may appear in a URL.
pub(super) async fn search(context: PageContext, request: Request) -> Result<Response, Problem> {
    context.must(Right::View, None).await?;
    let asked = asked(&Input::of_body(request, context.web()).await?);
    let path = format!("{}/funnel", context.base());
    let is_understood = parse(&asked, context.t(), &mut Mistakes::default()).is_some();
    match link(&context, &asked, &path) {
        Some(link) if is_understood => Ok(Redirect::to(&link).into_response()),
        _ => shown(&context, &asked).await,
    }
}

fn asked(input: &Input) -> FunnelParams {
    QueryParams::take(&mut input.given())
}

fn parse(asked: &FunnelParams, t: &Strings, mistakes: &mut Mistakes) -> Option<FunnelQuery> {
    let mut errors = QueryErrors::default();
    let parsed = asked.parse(&mut errors);
    mistakes.add_query(t, &errors);
    mistakes.is_empty().then_some(parsed)
}

/// Returns the URL of the funnel, or none if a value must not appear in it.
fn link(context: &PageContext, asked: &FunnelParams, path: &str) -> Option<String> {
    let FunnelParams { division, inviter, batch } = asked;
    let values = [("division", or_empty(division)), ("inviter", or_empty(inviter))];
    let (mut in_url, form_only) = split_off_codes(context, &values);
    // A batch is an identifier of the library; other values do not get past `parse`.
    in_url.push(("batch", or_empty(batch).to_owned()));
    let search = path.to_owned();
    ListLinks { list: path, search, in_url, form_only, cursor: "", back: "" }.link()
}

async fn shown(context: &PageContext, asked: &FunnelParams) -> Result<Response, Problem> {
    let (funnels, t) = (context.web().funnels()?, context.t());
    let mut mistakes = Mistakes::default();
    let mut found = None;
    if let Some(query) = parse(asked, t, &mut mistakes) {
        match funnels.of(context.actor(), &query).await {
            Ok(funnel) => found = Some(funnel),
            Err(Error::Invalid(input)) => mistakes.add_all(t, &input),
            Err(error) => return Err(error.into()),
        }
    }
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut filters = filters(context, asked);
    let others = mistakes.beside(&mut filters);
    let FunnelParams { division, inviter, batch } = asked;
    let shown = FunnelPage {
        t,
        base: context.base(),
        home: context.home(),
        division: match context.actor().scope() {
            Scope::Division(own) => Some(own.as_str()),
            Scope::All => division.as_deref().filter(|_| found.is_some()),
        },
        filters,
        is_filtered: [division, inviter, batch].iter().any(|value| value.is_some()),
        summary: others.unwrap_or_default(),
        figures: found.map(|funnel| FunnelTables::of(&funnel, t, context.now())),
    };
    page(status, &t.funnel, &shown)
}

fn filters(context: &PageContext, asked: &FunnelParams) -> Vec<Field> {
    let t = context.t();
    let mut fields: Vec<_> =
        division_filter(context, &t.filter_division, or_empty(&asked.division))
            .into_iter()
            .collect();
    fields.push(Field::new("inviter", &*t.filter_inviter, or_empty(&asked.inviter), Kind::Text));
    fields.push(Field::new("batch", &*t.filter_batch, or_empty(&asked.batch), Kind::Text));
    fields
}

#[derive(Template)]
#[template(path = "funnel.html")]
struct FunnelPage<'a> {
    t: &'a Strings,
    base: &'a str,
    home: &'a str,
    division: Option<&'a str>,
    filters: Vec<Field>,
    is_filtered: bool,
    /// The mistakes that belong to no field.
    summary: String,
    figures: Option<FunnelTables<'a>>,
}

/// The tables of a funnel, its picture, and its age.
struct FunnelTables<'a> {
    steps: FigureTable<'a>,
    picture: FunnelPicture,
    now: FigureTable<'a>,
    times: Option<FigureTable<'a>>,
    median: Option<String>,
    /// The number of all redemptions, if some invitations have several.
    redemptions: Option<u64>,
    waiting: Option<When>,
    since: Option<When>,
}

/// A table of numbers, each with its share as text and as a bar.
#[derive(Template)]
#[template(path = "funnel_table.html")]
struct FigureTable<'a> {
    heading: &'a str,
    /// The headings of the columns.
    columns: [&'a str; 3],
    rows: Vec<FigureRow>,
}

impl HtmlSafe for FigureTable<'_> {}

struct FigureRow {
    /// The end of the class that colours the bar.
    colour: &'static str,
    label: String,
    /// The number, with a plus sign if it is a lower bound.
    number: String,
    share: String,
    /// The length of the bar, of [`WIDTH`].
    width: u64,
}

/// The length of the longest bar.
const WIDTH: u64 = 400;

impl FigureRow {
    fn new(t: &Strings, colour: &'static str, label: &str, number: FigureNumber, of: u64) -> Self {
        let part = |whole: u64| {
            let part = u128::from(number.0) * u128::from(whole) / u128::from(of.max(1));
            u64::try_from(part).unwrap_or(whole).min(whole)
        };
        let more = if number.1 { "" } else { "+" };
        Self {
            colour,
            label: label.to_owned(),
            number: format!("{}{more}", number.0),
            share: (t.percent)(part(100)),
            width: part(WIDTH),
        }
    }
}

/// A number, and whether it is exact.
#[derive(Clone, Copy)]
struct FigureNumber(u64, bool);

/// The picture of the steps: a bar for each, one below the other.
#[derive(Template)]
#[template(path = "funnel_picture.html")]
struct FunnelPicture {
    /// The text equivalent.
    text: String,
    bars: Vec<PictureBar>,
    height: u64,
}

impl HtmlSafe for FunnelPicture {}

struct PictureBar {
    colour: &'static str,
    label: String,
    number: String,
    x: u64,
    width: u64,
    /// The line of the text, and the upper edge of the bar.
    text_y: u64,
    y: u64,
}

/// The height of one step in the picture.
const STEP: u64 = 62;

impl FunnelPicture {
    fn of(steps: &[FigureRow]) -> Self {
        let text: Vec<_> =
            steps.iter().map(|row| format!("{} {}", row.label, row.number)).collect();
        let bars = steps.iter().zip(0..).map(|(row, n)| PictureBar {
            colour: row.colour,
            label: row.label.clone(),
            number: row.number.clone(),
            x: (WIDTH - row.width.min(WIDTH)) / 2,
            width: row.width,
            text_y: n * STEP + 18,
            y: n * STEP + 26,
        });
        let bars: Vec<_> = bars.collect();
        let height = u64::try_from(bars.len()).unwrap_or_default() * STEP;
        Self { text: text.join(", "), bars, height }
    }
}

impl<'a> FunnelTables<'a> {
    fn of(funnel: &Funnel, t: &'a Strings, now: Timestamp) -> Self {
        let figures = funnel.figures();
        let all = figures.created();
        let exact = |number| FigureNumber(number, true);
        let steps = [
            ("created", &t.funnel_created, exact(all)),
            ("sent", &t.funnel_sent, exact(figures.sent())),
            ("redeemed", &t.funnel_redeemed, exact(figures.redeemed())),
        ];
        let steps: Vec<_> = steps
            .map(|(colour, label, number)| FigureRow::new(t, colour, label, number, all))
            .into();
        let active = FigureNumber(funnel.active(), funnel.is_active_exact());
        let expired = FigureNumber(funnel.expired(), funnel.is_expired_exact());
        let states = [
            ("active", t.status(Status::Active), active),
            ("expired", t.status(Status::Expired), expired),
            ("used", t.status(Status::Used), exact(figures.used())),
            ("revoked", t.status(Status::Revoked), exact(figures.revoked())),
            ("deleted", &*t.deleted, exact(figures.deleted())),
        ];
        let states =
            states.map(|(colour, label, number)| FigureRow::new(t, colour, label, number, all));
        let times = figures.times();
        let redeemed = times.total();
        let ranges = times.iter().map(|(range, number)| {
            let label = (t.time_to_redeem)(range);
            FigureRow::new(t, "redeemed", &label, exact(number), redeemed)
        });
        let when = |at: Option<Timestamp>| at.map(|at| When::new(at, now, t));
        let several = figures.redemptions() > figures.redeemed();
        Self {
            picture: FunnelPicture::of(&steps),
            steps: FigureTable {
                heading: &t.funnel_steps,
                columns: [&t.funnel_step, &t.funnel_number, &t.funnel_share],
                rows: steps,
            },
            now: FigureTable {
                heading: &t.funnel_now,
                columns: [&t.funnel_status, &t.funnel_number, &t.funnel_share],
                rows: states.into(),
            },
            times: (redeemed > 0).then(|| FigureTable {
                heading: &t.funnel_times,
                columns: [&t.funnel_time, &t.funnel_number, &t.funnel_share],
                rows: ranges.collect(),
            }),
            median: times.median().map(|range| (t.median_to_redeem)(range)),
            redemptions: several.then(|| figures.redemptions()),
            waiting: when(funnel.waiting_since()),
            since: when(funnel.counted_since()),
        }
    }
}
