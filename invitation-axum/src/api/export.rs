//! The endpoint that exports the list as a CSV file.

use axum::{
    body::Bytes,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use invitation_core::{
    Actor, Binding, Criteria, Cursor, Error, InvitationView, Inviter, Limits, Page, Paging,
    import::file::harmless,
};

use super::{
    docs,
    streamed::{Chunks, streamed},
};
use crate::{
    authorization::{Authorized, to},
    problem::Problem,
    query::{FilterQuery, ListQuery, SortQuery, StatusQuery, with_errors_in_query},
    web::Web,
};

const COLUMNS: [&str; 14] = [
    "id",
    "email",
    "email_domain",
    "role",
    "division",
    "status",
    "expires_at",
    "used_by",
    "used_at",
    "uses",
    "max_uses",
    "created_by",
    "created_at",
    "version",
];

/// Exports the list as a CSV file in its order, without the codes. The file is UTF-8 with a byte
/// order mark. A cell, or a part of one, that a spreadsheet could take for a formula gets an
/// apostrophe in front. An import removes these apostrophes.
#[utoipa::path(
    get,
    path = "/export.csv",
    operation_id = "export_invitations",
    params(StatusQuery, SortQuery, FilterQuery),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/csv"),
        docs::Common, docs::InBulk,
    ),
)]
pub(crate) async fn export(
    State(web): State<Web>,
    Authorized(actor, criteria, _): Authorized<to::Export, ListQuery>,
) -> Result<Response, Problem> {
    // The first page is read before the response begins, so that an invalid query still gets an
    // error status, and before the limit of exports can give 429.
    let first = with_errors_in_query(page(&web, &actor, &criteria, None).await)?;
    let permit = web.bulk_permit()?;
    let pace = web.limits().export_pace;
    let body = streamed(pace, permit, |chunks| written(web, actor, criteria, first, chunks));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"invitations.csv\""),
    ];
    Ok((headers, body).into_response())
}

/// Writes the first page and the pages after it. An error aborts the response, so that
/// the client sees that the file is incomplete.
async fn written(
    web: Web,
    actor: Actor,
    criteria: Criteria,
    first: Page<InvitationView>,
    chunks: Chunks,
) -> Result<(), std::io::Error> {
    chunks.send(lines(&first, true)?).await?;
    let mut next = first.next();
    drop(first);
    while let Some(cursor) = next {
        let page = page(&web, &actor, &criteria, Some(cursor)).await;
        let page = page.map_err(|error| {
            tracing::error!(%error, "an export breaks off");
            std::io::Error::other(error)
        })?;
        chunks.send(lines(&page, false)?).await?;
        next = page.next();
    }
    Ok(())
}

async fn page(
    web: &Web,
    actor: &Actor,
    criteria: &Criteria,
    cursor: Option<Cursor>,
) -> Result<Page<InvitationView>, Error> {
    let paging = Paging::first(Limits::MAX_PAGE)?;
    let paging = cursor.map_or(paging, |cursor| paging.after(cursor));
    web.service().export(actor, criteria, paging).await
}

fn lines(page: &Page<InvitationView>, is_first: bool) -> Result<Bytes, std::io::Error> {
    let line_end = csv::Terminator::CRLF;
    // The byte order mark tells a spreadsheet that the file is UTF-8.
    let begin = if is_first { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
    let mut csv = csv::WriterBuilder::new().terminator(line_end).from_writer(begin);
    if is_first {
        csv.write_record(COLUMNS)?;
    }
    for view in page.items() {
        csv.write_record(cells(view).iter().map(|cell| harmless(cell).into_owned()))?;
    }
    let written = csv.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(written.into())
}

fn cells(view: &InvitationView) -> [String; 14] {
    let facts = view.invitation();
    let (email, domain) = match &facts.binding() {
        Binding::Anyone => ("", ""),
        Binding::Address(email) => (email.as_str(), ""),
        Binding::Domain(domain) => ("", domain.as_str()),
    };
    let created_by = match &facts.inviter() {
        Inviter::System => "",
        Inviter::User { user, .. } => user.as_str(),
    };
    let last = facts.last_use();
    [
        facts.id().to_string(),
        email.to_owned(),
        domain.to_owned(),
        facts.role().to_string(),
        facts.division().to_string(),
        view.status().to_string(),
        facts.expires_at().to_string(),
        facts.used_by().map(|used_by| used_by.to_string()).unwrap_or_default(),
        last.map(|last| last.at.to_string()).unwrap_or_default(),
        facts.uses().to_string(),
        facts.max_uses().to_string(),
        created_by.to_owned(),
        facts.created_at().to_string(),
        facts.version().to_string(),
    ]
}
