//! The fields of forms: label, hint, value and mistake of a field belong together.

mod mistakes;

use std::{convert::Infallible, fmt::Write as _};

use askama::{Template, filters::HtmlSafe};
use axum::{extract::Request, http::header};
use futures_util::stream;
use invitation_core::import::file::decode;
use url::form_urlencoded;

pub(super) use self::mistakes::Mistakes;
use super::{Strings, page::PageContext, row::Summary};
use crate::{
    body::{self, unsupported},
    problem::{Problem, ProblemKind},
    query::Given,
    web::Web,
};

/// The values of a form or a query, as the user typed them. There is no `Debug`: a
/// value may be a code.
pub(super) struct Input(Vec<(String, String)>);

impl Input {
    /// Reads the query of a URL. Returns 400 for one that is not UTF-8: its bytes would silently
    /// become other characters.
    pub(super) fn of_query(query: Option<&str>) -> Result<Self, Problem> {
        let bytes = query.unwrap_or_default().as_bytes();
        if !body::is_utf8(bytes) {
            let problem = Problem::new(ProblemKind::Malformed);
            return Err(problem.with_detail("the query string is not UTF-8"));
        }
        Ok(Self::of_bytes(bytes))
    }

    /// Reads the body of a form. Returns 415, 413, 408 or 400 for any other body.
    pub(super) async fn of_body(request: Request, web: &Web) -> Result<Self, Problem> {
        let (_, bytes) = body::read_form(request, web).await?;
        Ok(Self::of_bytes(&bytes))
    }

    /// Reads the body of an import form, whose text comes as a file or in a field. Returns the
    /// other values, and the text or the problem with it.
    pub(super) async fn of_upload(
        request: Request,
        web: &Web,
        [file, typed]: [&str; 2],
    ) -> Result<(Self, Result<String, Problem>), Problem> {
        body::refuse_encoded(&request)?;
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let boundary = kind.and_then(|kind| multer::parse_boundary(kind).ok());
        let Some(boundary) = boundary else {
            return Err(unsupported("the body must be that of a form with a file"));
        };
        let bytes = body::read(request.into_body(), web.limits().bulk_body, web).await?;
        let bytes = stream::iter([Ok::<_, Infallible>(bytes)]);
        let mut parts = multer::Multipart::new(bytes, boundary);
        let (mut input, mut chosen, mut written) = (Vec::new(), None, None);
        let broken = |_| Problem::new(ProblemKind::Malformed);
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let name = part.name().unwrap_or_default().to_owned();
            let value = part.bytes().await.map_err(broken)?;
            if input.len() == body::MAX_FIELDS {
                return Err(Problem::new(ProblemKind::Malformed));
            }
            if name == file || name == typed {
                let text = || decode(&value).map_err(Problem::from);
                if name == typed {
                    written = Some(text());
                } else if !value.is_empty() {
                    chosen = Some(text());
                }
                continue;
            }
            let value = std::str::from_utf8(&value).map_err(|_| {
                Problem::new(ProblemKind::Malformed).with_detail("the form is not UTF-8")
            })?;
            input.push((name, value.to_owned()));
        }
        Ok((Self(input), chosen.or(written).unwrap_or_else(|| Ok(String::new()))))
    }

    /// Returns an input with these values.
    pub(super) fn with<const N: usize>(values: [(&str, &str); N]) -> Self {
        Self(values.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// Returns the parameters of a list.
    pub(super) fn given(&self) -> Given {
        Given::of_form(self.0.iter().map(|(name, value)| (&**name, &**value)))
    }

    /// Returns a value without surrounding white space; empty if it is missing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.trim())
    }
}

/// One labelled field.
#[derive(Template, Debug)]
#[template(path = "field.html")]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) value: String,
    pub(super) kind: Kind,
    pub(super) hint: Option<String>,
    pub(super) error: Option<String>,
    pub(super) is_first_mistake: bool,
}

impl HtmlSafe for Field {}

/// The kind of a field's input.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Search,
    Email,
    Number,
    /// A text of several lines.
    Long,
    /// A text with suggestions.
    Suggested(Vec<String>),
    Choice(Vec<Choice>),
    /// A value that is shown and not sent.
    Fixed,
    File {
        /// Whether a file may be JSON Lines.
        accepts_json: bool,
    },
}

impl Kind {
    /// Returns the choice of a filter. A value that applies and is not among the options is added
    /// under its label: otherwise the browser would show another option as chosen.
    pub(super) fn filter(
        mut options: Vec<Choice>,
        value: &str,
        label: impl FnOnce(&str) -> String,
    ) -> Self {
        if !value.is_empty() && options.iter().all(|option| option.value != value) {
            options.push(Choice::new(value, label(value)));
        }
        Self::Choice(options)
    }
}

/// One of the options of a choice.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
}

impl Choice {
    pub(super) fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

impl Field {
    pub(super) fn new(
        name: &'static str,
        label: impl Into<String>,
        value: impl Into<String>,
        kind: Kind,
    ) -> Self {
        Self {
            name,
            label: label.into(),
            value: value.into(),
            kind,
            hint: None,
            error: None,
            is_first_mistake: false,
        }
    }

    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Returns the attributes that tie hint and mistake to the input, and that move the
    /// focus to the first mistake.
    fn described(&self) -> String {
        let mut attributes = String::new();
        let hint = self.hint.as_ref().map(|_| "hint");
        let error = self.error.as_ref().map(|_| "error");
        let ids: Vec<_> = [hint, error]
            .into_iter()
            .flatten()
            .map(|part| format!("inv-{}-{part}", self.name))
            .collect();
        if !ids.is_empty() {
            // Writing to a string cannot fail.
            write!(attributes, r#" aria-describedby="{}""#, ids.join(" ")).ok();
        }
        if self.error.is_some() {
            attributes.push_str(r#" aria-invalid="true""#);
        }
        if self.is_first_mistake {
            attributes.push_str(" autofocus");
        }
        attributes
    }
}

/// A page with a form on it.
#[derive(Template, Debug)]
#[template(path = "form.html")]
pub(super) struct FormPage<'a> {
    t: &'a Strings,
    back: String,
    back_label: &'a str,
    heading: &'a str,
    intro: Option<&'a str>,
    summary: Option<Summary<'a>>,
    facts: Vec<(&'a str, String)>,
    notice: Option<String>,
    has_mistakes: bool,
    action: String,
    hidden: Vec<(&'static str, String)>,
    fields: Vec<Field>,
    submit: &'a str,
    is_final: bool,
}

impl<'a> FormPage<'a> {
    /// Returns a form that is sent to `action`.
    pub(super) fn new(context: &'a PageContext, heading: &'a str, action: String) -> Self {
        let t = context.t();
        Self {
            t,
            back: context.home().to_owned(),
            back_label: &t.back_to_list,
            heading,
            intro: None,
            summary: None,
            facts: Vec::new(),
            notice: None,
            has_mistakes: false,
            action,
            hidden: Vec::new(),
            fields: Vec::new(),
            submit: &t.save,
            is_final: false,
        }
    }

    /// Sets the page that the user came from.
    pub(super) fn with_back(self, path: String, label: &'a str) -> Self {
        Self { back: path, back_label: label, ..self }
    }

    pub(super) fn with_submit(self, submit: &'a str) -> Self {
        Self { submit, ..self }
    }

    pub(super) fn with_intro(self, intro: &'a str) -> Self {
        Self { intro: Some(intro), ..self }
    }

    /// Adds a summary of the invitation that the form is about.
    pub(super) fn about(self, summary: Summary<'a>) -> Self {
        Self { summary: Some(summary), ..self }
    }

    /// Adds facts, each with its label, about what the form is about.
    pub(super) fn with_facts(self, facts: Vec<(&'a str, String)>) -> Self {
        Self { facts, ..self }
    }

    /// Sets whether sending the form takes something away.
    pub(super) fn taking_away(self, is_final: bool) -> Self {
        Self { is_final, ..self }
    }

    pub(super) fn with_hidden(mut self, name: &'static str, value: String) -> Self {
        self.hidden.push((name, value));
        self
    }

    pub(super) fn with_fields(self, fields: Vec<Field>) -> Self {
        Self { fields, ..self }
    }

    /// Puts the mistakes beside the fields, and those that belong to no field into the
    /// notice.
    pub(super) fn with_mistakes(mut self, mistakes: Mistakes, notice: Option<String>) -> Self {
        let others = mistakes.beside(&mut self.fields);
        let notice: Vec<_> = notice.into_iter().chain(others).collect();
        self.notice = (!notice.is_empty()).then(|| notice.join(" "));
        self.has_mistakes = self.fields.iter().any(|field| field.error.is_some());
        self
    }
}
