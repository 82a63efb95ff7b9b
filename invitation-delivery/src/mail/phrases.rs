//! The phrases of the standard mail.

use std::borrow::Cow;

use invitation_core::Timestamp;
use time::{OffsetDateTime, macros::format_description};

/// The phrases of the [standard mail](super::StandardTemplate), in one language.
///
/// A phrase may have the placeholders `{product}`, `{role}`, `{division}` and `{expires}`. Other
/// braces stay as they are.
///
/// ```
/// # mod invitation { pub use invitation_delivery as delivery; }
/// use invitation::delivery::mail::Phrases;
///
/// let mut phrases = Phrases::english("Perfect10");
/// phrases.language = "de".into();
/// phrases.invited_subject = "Ihre Einladung zu {product}".into();
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a translation must not miss a phrase")]
pub struct Phrases {
    /// The language of the phrases (BCP 47), such as `en`.
    pub language: Cow<'static, str>,
    /// The name of the host's product.
    pub product: Cow<'static, str>,
    /// The subject of an invitation, also of one that is sent again.
    pub invited_subject: Cow<'static, str>,
    /// The subject of a reminder.
    pub reminder_subject: Cow<'static, str>,
    /// The greeting.
    pub greeting: Cow<'static, str>,
    /// The first sentence of an invitation.
    pub invited: Cow<'static, str>,
    /// The first sentence of a reminder.
    pub reminder: Cow<'static, str>,
    /// The phrase before the link.
    pub open_link: Cow<'static, str>,
    /// The label of the link.
    pub accept: Cow<'static, str>,
    /// The phrase before the code, if there is a link before it.
    pub or_enter_code: Cow<'static, str>,
    /// The phrase before the code, if there is no link.
    pub enter_code: Cow<'static, str>,
    /// The sentence about the expiry.
    pub valid_until: Cow<'static, str>,
    /// The sentence about the address.
    pub only_for_you: Cow<'static, str>,
    /// The sentence for a recipient who did not expect the mail.
    pub ignore: Cow<'static, str>,
    /// The phrase before the address by which a recipient refuses reminders.
    pub no_reminders: Cow<'static, str>,
    /// The form of `{expires}`.
    pub instant: fn(Timestamp) -> String,
}

impl Phrases {
    /// Returns the English phrases for a product of this name.
    #[must_use]
    pub fn english(product: impl Into<Cow<'static, str>>) -> Self {
        Self {
            language: "en".into(),
            product: product.into(),
            invited_subject: "Your invitation to {product}".into(),
            reminder_subject: "Your invitation to {product} expires soon".into(),
            greeting: "Hello,".into(),
            invited: "you are invited to join {product}: {division}, as {role}.".into(),
            reminder: "your invitation to join {product} expires soon.".into(),
            open_link: "To register, open this link:".into(),
            accept: "Accept the invitation".into(),
            or_enter_code: "Or enter this code when you register:".into(),
            enter_code: "Enter this code when you register:".into(),
            valid_until: "The invitation is valid until {expires}.".into(),
            only_for_you: "It can be used once, with this e-mail address.".into(),
            ignore: "If you did not expect it, do nothing.".into(),
            no_reminders: "No more reminders:".into(),
            instant: utc,
        }
    }
}

/// Writes an instant in UTC, to the minute before it: a recipient is never promised too much.
fn utc(at: Timestamp) -> String {
    let format =
        format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    OffsetDateTime::from(at).format(&format).unwrap_or_else(|_| at.to_string())
}

/// Fills the placeholders of a phrase. Filled in text is not searched again.
pub(super) fn fill(phrase: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(phrase.len());
    let mut rest = phrase;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let found = behind.split_once('}').and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, after))
        });
        if let Some((value, after)) = found {
            filled.push_str(value);
            rest = after;
        } else {
            filled.push('{');
            rest = behind;
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholder_is_filled_once_and_other_braces_stay() {
        let values = [("role", "{product}"), ("product", "P10")];
        for (phrase, filled) in [
            ("{role} of {product}", "{product} of P10"),
            ("{unknown} {product", "{unknown} {product"),
            ("{{product}}", "{P10}"),
            ("", ""),
        ] {
            assert_eq!(fill(phrase, &values), filled, "{phrase}");
        }
    }

    #[test]
    fn instant_is_written_in_utc() {
        let at = Timestamp::from_micros(1_800_000_059_999_999).unwrap();
        assert_eq!(utc(at), "15 January 2027, 08:00 UTC");
    }
}
