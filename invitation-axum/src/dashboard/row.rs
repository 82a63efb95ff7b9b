//! One invitation, as tables and pages show it.

use std::borrow::Cow;

use askama::{Template, filters::HtmlSafe};
use invitation_core::{
    Binding, CodeFormat, Invitation, InvitationCode, InvitationView, Right, Scope, Status,
    Timestamp,
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{Strings, page::PageContext};

/// A row of the table, and the facts of a page.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) id: String,
    /// The name of the row for readers who cannot see its cells.
    pub(super) name: String,
    pub(super) code: Option<Zeroizing<String>>,
    pub(super) bound_to: BoundTo<'a>,
    pub(super) role: Cow<'static, str>,
    /// The division, for visitors who reach more than one.
    pub(super) division: Option<&'a str>,
    pub(super) status: Mark<'a>,
    pub(super) expires: When,
    pub(super) used_by: Option<String>,
    /// The number of uses, for an invitation for several people.
    pub(super) uses: Option<String>,
    pub(super) copy: Option<CopyForm<'a>>,
    pub(super) actions: Vec<ActionLink<'a>>,
}

/// A link to an action on an invitation.
#[derive(Debug)]
pub(super) struct ActionLink<'a> {
    pub(super) path: &'static str,
    pub(super) label: &'a str,
    pub(super) is_final: bool,
    /// Whether the action is rarely needed. It then appears on the invitation's own page
    /// only, and in no menu of a row.
    pub(super) is_rare: bool,
}

impl<'a> Row<'a> {
    pub(super) fn of(view: &'a InvitationView, context: &'a PageContext, now: Timestamp) -> Self {
        let copyable = view.actions().contains(&Right::Copy);
        let mut row = Self::new(view.invitation(), view.status(), view.code(), context, now);
        row.copy = copyable.then(|| CopyForm::new(context, &row));
        row.actions = view.actions().iter().filter_map(|right| link(*right, context.t())).collect();
        row
    }

    /// Returns a row without any actions.
    pub(super) fn new(
        invitation: &'a Invitation,
        status: Status,
        code: Option<&InvitationCode>,
        context: &'a PageContext,
        now: Timestamp,
    ) -> Self {
        let t = context.t();
        let id = invitation.id().to_string();
        let name = match code {
            Some(code) => format!("{}-…", first_group(context.service().code_format(), code)),
            None => format!("…{}", short(&id)),
        };
        Self {
            name,
            code: code.map(InvitationCode::reveal),
            bound_to: BoundTo { t, binding: invitation.binding() },
            role: (t.role)(invitation.role()),
            division: matches!(context.actor().scope(), Scope::All)
                .then(|| invitation.division().as_str()),
            status: Mark { status, label: t.status(status) },
            expires: When::new(invitation.expires_at(), now, t),
            used_by: invitation.used_by().map(|used_by| (t.used_by)(&used_by)),
            uses: (invitation.max_uses().get() > 1)
                .then(|| (t.uses)(invitation.uses(), invitation.max_uses().get())),
            copy: None,
            actions: Vec::new(),
            id,
        }
    }
}

impl Row<'_> {
    /// Returns the actions of the row's menu.
    pub(super) fn menu(&self) -> impl Iterator<Item = &ActionLink<'_>> {
        self.actions.iter().filter(|action| !action.is_rare)
    }

    /// Returns whether the row has a menu. An empty one would lead nowhere.
    pub(super) fn has_menu(&self) -> bool {
        self.menu().next().is_some()
    }
}

/// Returns the first group of a code. The prefix of the format is no group: all codes share it.
fn first_group(format: &CodeFormat, code: &InvitationCode) -> String {
    let text = code.reveal();
    let mut parts = text.split('-');
    let (Some(first), Some(second)) = (parts.next(), parts.next()) else { return String::new() };
    let is_prefix = text.split_once('-').is_some_and(|(_, rest)| {
        // The second test finds the prefix before a code of an earlier format, whose length differs.
        let two_groups = rest.match_indices('-').nth(1).map_or(rest, |(end, _)| &rest[..end]);
        format.parse(rest).is_ok_and(|bare| bare == *code) || format.spells(two_groups, code)
    });
    if is_prefix { second } else { first }.to_owned()
}

/// Returns the end of an id. Its beginning is the time, which neighbouring rows share.
pub(super) fn short(id: &str) -> &str {
    id.len().checked_sub(8).and_then(|at| id.get(at..)).unwrap_or(id)
}

/// Returns the link for a right that a row offers. Copying is a button instead.
fn link(right: Right, t: &Strings) -> Option<ActionLink<'_>> {
    let (path, label, is_final) = match right {
        Right::Amend => ("edit", &t.edit, false),
        Right::Rotate => ("rotate", &t.rotate, false),
        Right::Revoke => ("revoke", &t.revoke, true),
        Right::Reinstate => ("reinstate", &t.reinstate, false),
        Right::Delete => ("delete", &t.delete, true),
        _ => return None,
    };
    Some(ActionLink { path, label, is_final, is_rare: right == Right::Rotate })
}

/// The restriction on who may use a code.
#[derive(Template, Debug)]
#[template(path = "bound_to.html")]
pub(super) struct BoundTo<'a> {
    t: &'a Strings,
    binding: &'a Binding,
}

impl HtmlSafe for BoundTo<'_> {}

/// A status, by text, colour and shape.
#[derive(Template, Debug)]
#[template(path = "status.html")]
pub(super) struct Mark<'a> {
    status: Status,
    label: &'a str,
}

impl HtmlSafe for Mark<'_> {}

/// An instant, as absolute time and as distance from now. The script replaces the absolute
/// time by that of the viewer's zone.
#[derive(Template, Debug)]
#[template(path = "when.html")]
pub(super) struct When {
    iso: String,
    absolute: String,
    relative: String,
    /// Whether the absolute time has seconds.
    is_exact: bool,
}

impl HtmlSafe for When {}

impl When {
    pub(super) fn new(at: Timestamp, now: Timestamp, t: &Strings) -> Self {
        Self {
            iso: at.to_string(),
            absolute: (t.absolute_time)(OffsetDateTime::from(at)),
            relative: (t.relative_time)(at.since(now)),
            is_exact: false,
        }
    }

    /// Returns the instant to the second, as evidence needs it.
    pub(super) fn exact(at: Timestamp, now: Timestamp, t: &Strings) -> Self {
        let absolute = (t.exact_time)(OffsetDateTime::from(at));
        Self { absolute, is_exact: true, ..Self::new(at, now, t) }
    }
}

/// Where the copy button gets the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum CodeSource {
    /// The server, which records the copy.
    Server,
    /// The server, or the page of a new code if the server does not give it out.
    ServerOrPage,
    /// The page of a new code that is not kept. The server cannot give it out.
    Page,
}

/// The button that puts a code on the clipboard and reports it.
#[derive(Template, Debug)]
#[template(path = "copy.html")]
pub(super) struct CopyForm<'a> {
    t: &'a Strings,
    base: &'a str,
    id: String,
    name: String,
    large: bool,
    source: CodeSource,
}

impl HtmlSafe for CopyForm<'_> {}

impl<'a> CopyForm<'a> {
    pub(super) fn new(context: &'a PageContext, row: &Row<'_>) -> Self {
        Self {
            t: context.t(),
            base: context.base(),
            id: row.id.clone(),
            name: row.name.clone(),
            large: false,
            source: CodeSource::Server,
        }
    }

    /// Returns the button of a page that shows a new code. A code that is not kept is shown
    /// there only, so the button never leads to another page.
    pub(super) fn of_new_code(context: &'a PageContext, row: &Row<'_>, is_kept: bool) -> Self {
        let source = if is_kept { CodeSource::ServerOrPage } else { CodeSource::Page };
        Self { source, ..Self::new(context, row) }
    }

    fn asks_server(&self) -> bool {
        self.source != CodeSource::Page
    }

    fn is_of_new_code(&self) -> bool {
        self.source != CodeSource::Server
    }

    pub(super) fn enlarged(self) -> Self {
        Self { large: true, ..self }
    }
}

/// The facts of one invitation, as a list of terms.
#[derive(Template, Debug)]
#[template(path = "summary.html")]
pub(super) struct Summary<'a> {
    pub(super) t: &'a Strings,
    pub(super) row: Row<'a>,
    pub(super) shows_code: bool,
    pub(super) more: Vec<Fact<'a>>,
}

impl HtmlSafe for Summary<'_> {}

/// A fact with a label: a text, which may be a link, an instant, or both.
#[derive(Debug)]
pub(super) struct Fact<'a> {
    label: &'a str,
    text: Option<String>,
    /// The path that the text leads to.
    href: Option<String>,
    at: Option<When>,
}

impl<'a> Fact<'a> {
    pub(super) fn text(label: &'a str, text: String) -> Self {
        Self { label, text: Some(text), href: None, at: None }
    }

    /// Returns a text that leads to `href`.
    pub(super) fn link(label: &'a str, text: String, href: String) -> Self {
        Self { href: Some(href), ..Self::text(label, text) }
    }

    pub(super) fn instant(label: &'a str, at: When) -> Self {
        Self { label, text: None, href: None, at: Some(at) }
    }

    /// Adds the instant at which it happened.
    pub(super) fn at(self, at: When) -> Self {
        Self { at: Some(at), ..self }
    }
}

#[cfg(test)]
mod tests {
    use invitation_core::OsEntropy;

    use super::*;

    #[test]
    fn first_group_of_a_code_is_behind_the_prefix() {
        for (symbols, group) in [(24, 4), (12, 3), (12, 8), (31, 8), (17, 5)] {
            let plain = CodeFormat::new(symbols).unwrap().with_groups_of(group).unwrap();
            let code = plain.generate(&OsEntropy).unwrap();
            let text = code.reveal();
            let expected = text.split('-').next().unwrap();
            assert_eq!(first_group(&plain, &code), expected);
            // The prefix may be as long as a group, or consist of symbols.
            for prefix in ["ACME", "A", "0123", "ACMECORP2026"] {
                let format = plain.clone().with_prefix(prefix).unwrap();
                let code = format.parse(&text).unwrap();
                assert!(code.reveal().starts_with(&format!("{prefix}-")));
                assert_eq!(first_group(&format, &code), expected, "{prefix}");
            }
        }
    }

    #[test]
    fn first_group_of_a_code_of_an_earlier_format_is_behind_the_prefix() {
        let format = |symbols| CodeFormat::new(symbols).unwrap().with_prefix("ACME").unwrap();
        for (earlier, current) in [(24, 16), (16, 24), (12, 31)] {
            let code = format(earlier).generate(&OsEntropy).unwrap();
            let text = code.reveal();
            let expected = text.split('-').nth(1).unwrap();
            assert_eq!(first_group(&format(current), &code), expected);
        }
    }
}
