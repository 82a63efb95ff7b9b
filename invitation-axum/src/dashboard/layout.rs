//! What is around a page.

use askama::Template;
use invitation_core::Actor;

use super::{Dashboard, Strings};

/// A page of the dashboard, for a [`Layout`] to put something around it.
#[derive(Debug)]
pub struct Page<'a> {
    pub(super) title: &'a str,
    pub(super) head: &'a str,
    pub(super) content: &'a str,
    pub(super) actor: Option<&'a Actor>,
    pub(super) home: &'a str,
    pub(super) is_home: bool,
}

impl Page<'_> {
    /// The title, as plain text: escape it.
    #[must_use]
    pub fn title(&self) -> &str {
        self.title
    }

    /// HTML that belongs into `head`: the style sheet and the script.
    #[must_use]
    pub fn head(&self) -> &str {
        self.head
    }

    /// The page itself, as HTML: one element, which begins with a heading of the first
    /// level. It belongs into `main`.
    #[must_use]
    pub fn content(&self) -> &str {
        self.content
    }

    /// Who looks at it; none on the page that asks to sign in.
    #[must_use]
    pub fn actor(&self) -> Option<&Actor> {
        self.actor
    }

    /// The path of the list: what a menu entry links to.
    #[must_use]
    pub fn home(&self) -> &str {
        self.home
    }

    /// Whether this is the list.
    #[must_use]
    pub fn is_home(&self) -> bool {
        self.is_home
    }
}

/// Builds a whole HTML document around a page of the dashboard. A function from a
/// [`Page`] to a string is one.
///
/// The dashboard's content security policy is strict: styles, scripts and images come
/// from the same origin, and nothing is inline.
pub trait Layout: Send + Sync + 'static {
    /// The document, from `<!doctype html>` on.
    fn document(&self, page: &Page<'_>) -> String;
}

impl<F> Layout for F
where
    F: Fn(&Page<'_>) -> String + Send + Sync + 'static,
{
    fn document(&self, page: &Page<'_>) -> String {
        self(page)
    }
}

/// The layout of its own: a sidebar.
#[derive(Template)]
#[template(path = "layout.html")]
struct Sidebar<'a> {
    t: &'a Strings,
    brand: &'a str,
    aside: &'a str,
    page: &'a Page<'a>,
}

impl Dashboard {
    pub(super) fn document(&self, page: &Page<'_>) -> Result<String, askama::Error> {
        if let Some(layout) = &self.layout {
            return Ok(layout.document(page));
        }
        let (t, brand, aside) = (&self.strings, &*self.brand, &*self.aside);
        Sidebar { t, brand, aside, page }.render()
    }
}
