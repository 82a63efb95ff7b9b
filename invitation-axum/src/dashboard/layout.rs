//! The layout around a page.

use askama::Template;
use invitation_core::Actor;

use super::{Dashboard, Strings};

/// A page of the dashboard, for a [`Layout`] to put a document around it.
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
    /// Returns the title as plain text, which the layout must escape.
    #[must_use]
    pub fn title(&self) -> &str {
        self.title
    }

    /// Returns the HTML for the document's `head`: the style sheet and the script.
    #[must_use]
    pub fn head(&self) -> &str {
        self.head
    }

    /// Returns the page itself, as HTML: one element, which begins with a heading of the
    /// first level. It belongs into `main`.
    #[must_use]
    pub fn content(&self) -> &str {
        self.content
    }

    /// Returns the user who views the page; `None` on the page that asks to sign in.
    #[must_use]
    pub fn actor(&self) -> Option<&Actor> {
        self.actor
    }

    /// Returns the path of the list, which a menu entry links to.
    #[must_use]
    pub fn home(&self) -> &str {
        self.home
    }

    /// Returns whether this page is the list.
    #[must_use]
    pub fn is_home(&self) -> bool {
        self.is_home
    }
}

/// Builds a whole HTML document around a page of the dashboard. Every function from a
/// [`Page`] to a string implements it.
///
/// The dashboard's content security policy is strict: styles, scripts and images come
/// from the same origin, and nothing is inline.
pub trait Layout: Send + Sync + 'static {
    /// Returns the document, from `<!doctype html>` on.
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

/// The default layout, with a sidebar.
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
