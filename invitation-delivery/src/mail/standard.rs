//! The standard mail, in plain text and in HTML.

use askama::Template;
use invitation_core::delivery::DeliveryPurpose;
use zeroize::Zeroizing;

use super::{Content, ContentError, MailContext, MailTemplate, Phrases, phrases::fill};

/// The standard mail: short, in plain text and in HTML, with the phrases of one language.
#[derive(Clone, Debug)]
pub struct StandardTemplate {
    phrases: Phrases,
}

impl StandardTemplate {
    /// Creates the template with these phrases.
    #[must_use]
    pub fn new(phrases: Phrases) -> Self {
        Self { phrases }
    }
}

/// The parts of a mail, filled in. The HTML form escapes all of them.
#[derive(Template)]
#[template(path = "invitation.txt")]
struct PlainMail<'a> {
    parts: &'a Parts<'a>,
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct HtmlMail<'a> {
    parts: &'a Parts<'a>,
    subject: &'a str,
}

struct Parts<'a> {
    t: &'a Phrases,
    first: String,
    valid_until: String,
    link: Option<&'a str>,
    code: &'a str,
    unsubscribe: Option<&'a str>,
}

impl MailTemplate for StandardTemplate {
    fn content(&self, mail: &MailContext<'_>) -> Result<Content, ContentError> {
        let t = &self.phrases;
        let (invitation, code) = (mail.invitation(), mail.code().reveal());
        let expires = (t.instant)(invitation.expires_at());
        let values = [
            ("product", &*t.product),
            ("role", invitation.role().as_str()),
            ("division", invitation.division().as_str()),
            ("expires", &expires),
        ];
        let (subject, first) = match mail.purpose() {
            DeliveryPurpose::Reminder => (&t.reminder_subject, &t.reminder),
            _ => (&t.invited_subject, &t.invited),
        };
        let subject = fill(subject, &values);
        let parts = Parts {
            t,
            first: fill(first, &values),
            valid_until: fill(&t.valid_until, &values),
            link: mail.link().map(invitation_core::RegistrationLink::reveal),
            code: &code,
            unsubscribe: mail.unsubscribe().map(super::UnsubscribeUrl::as_str),
        };
        let plain = PlainMail { parts: &parts }.render().map(Zeroizing::new);
        let html = HtmlMail { parts: &parts, subject: &subject }.render().map(Zeroizing::new);
        let (Ok(plain), Ok(html)) = (plain, html) else { return Err(ContentError::Template) };
        Content::new(subject.clone(), plain)?.with_html(html)
    }
}
