//! The layout around a page.

use std::fmt;

use askama::Template;
use invitation_core::{Actor, Username};

use super::{Dashboard, HtmlText, Strings};

/// A page of the dashboard, for a [`Layout`] to put a document around it.
///
/// Each [`HtmlText`] is written escaped. The example of [`Dashboard`] shows a whole layout.
pub struct Page<'a> {
    pub(super) dashboard: &'a Dashboard,
    pub(super) title: &'a str,
    pub(super) head: &'a str,
    pub(super) content: &'a str,
    pub(super) actor: Option<&'a Actor>,
    pub(super) home: &'a str,
    pub(super) is_home: bool,
}

/// Shows no content, because the list and the page of an invitation contain codes.
impl fmt::Debug for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("title", &self.title).finish_non_exhaustive()
    }
}

impl Page<'_> {
    /// Returns the title of the page.
    #[must_use]
    pub fn title(&self) -> HtmlText<'_> {
        HtmlText::new(self.title)
    }

    /// Returns the name of the product, as [`Dashboard::with_brand`] sets it.
    #[must_use]
    pub fn brand(&self) -> HtmlText<'_> {
        HtmlText::new(&self.dashboard.brand)
    }

    /// Returns the language of the texts, for the attribute `lang` of the document.
    #[must_use]
    pub fn language(&self) -> HtmlText<'_> {
        HtmlText::new(&self.dashboard.strings.language)
    }

    /// Returns the HTML for the document's `head`: the style sheets and the script.
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

    /// Returns the entries of the menu that lead to the dashboard.
    #[must_use]
    pub fn menu(&self) -> Vec<MenuEntry<'_>> {
        let strings = &self.dashboard.strings;
        vec![MenuEntry {
            group: &strings.menu_group,
            label: &strings.menu_entry,
            href: self.home,
            is_current: self.is_home,
        }]
    }

    /// Returns the user who views the page; `None` on the page that asks to sign in.
    #[must_use]
    pub fn actor(&self) -> Option<&Actor> {
        self.actor
    }

    /// Returns the name by which the page greets its user, or the user id if the host has set
    /// no name; `None` on the page that asks to sign in.
    #[must_use]
    pub fn signed_in_as(&self) -> Option<HtmlText<'_>> {
        let actor = self.actor?;
        let name = actor.name().map_or(actor.user().as_str(), Username::as_str);
        Some(HtmlText::new(name))
    }

    /// Returns the path of the list.
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

/// An entry of the menu that leads to a page of the dashboard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MenuEntry<'a> {
    group: &'a str,
    label: &'a str,
    href: &'a str,
    is_current: bool,
}

impl MenuEntry<'_> {
    /// Returns the heading of the group that the entry belongs to.
    #[must_use]
    pub fn group(&self) -> HtmlText<'_> {
        HtmlText::new(self.group)
    }

    /// Returns the text of the link.
    #[must_use]
    pub fn label(&self) -> HtmlText<'_> {
        HtmlText::new(self.label)
    }

    /// Returns the path that the link leads to.
    #[must_use]
    pub fn href(&self) -> HtmlText<'_> {
        HtmlText::new(self.href)
    }

    /// Returns whether the link leads to this page. It is then marked with
    /// `aria-current="page"`. On other pages of the dashboard, the entry is an ancestor.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_current
    }
}

/// Builds a whole HTML document around a page of the dashboard. Every function from a
/// [`Page`] to a string implements it.
///
/// The dashboard's content security policy is strict: styles, scripts and images come
/// from the same origin, and nothing is inline. A style sheet or script of the host is a
/// file that the host serves.
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
    aside: &'a str,
    page: &'a Page<'a>,
}

impl Dashboard {
    pub(super) fn document(&self, page: &Page<'_>) -> Result<String, askama::Error> {
        if let Some(layout) = &self.layout {
            return Ok(layout.document(page));
        }
        Sidebar { t: &self.strings, aside: &self.aside, page }.render()
    }
}
