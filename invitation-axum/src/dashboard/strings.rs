//! The texts of the dashboard: a catalogue that a host can replace.

use std::fmt;

use invitation_core::Status;

pub use self::catalogue::Strings;

/// Declares the texts, each with its English default. The brackets name the macros that still append
/// texts: none.
macro_rules! strings {
    ([] $($(#[$doc:meta])* $name:ident = $english:literal;)+) => {
        /// The catalogue of texts. It is English by default, and a host can replace all
        /// or some of it.
        ///
        /// Functions build the sentences that contain a value, so that a language can
        /// order them as it needs. `{…}` in a text stands for a value.
        ///
        /// ```
        /// # mod invitation { pub use invitation_axum as web; }
        /// use invitation::web::{Dashboard, Strings};
        ///
        /// let mut german = Strings::english();
        /// german.language = "de".into();
        /// german.heading = "Einladungscodes".into();
        /// german.role = |role| match role.as_str() {
        ///     "staff" => "Mitarbeiter".into(),
        ///     other => other.to_owned().into(),
        /// };
        /// let dashboard = Dashboard::new().with_strings(german);
        /// assert_eq!(dashboard.strings().heading, "Einladungscodes");
        /// ```
        #[derive(Clone)]
        #[non_exhaustive]
        pub struct Strings {
            $(
                $(#[$doc])*
                #[doc = concat!("\n\nIn English: “", $english, "”.")]
                pub $name: Cow<'static, str>,
            )+
            /// The readable name of a role; in English, with a capital.
            pub role: fn(&Role) -> Cow<'static, str>,
            /// The distance of an instant from now. A positive duration lies ahead.
            pub relative_time: fn(Duration) -> String,
            /// The date and time of day; in English, in UTC. With scripts, the browser shows
            /// the time of the viewer's zone instead, as the page's language writes it.
            pub absolute_time: fn(OffsetDateTime) -> String,
            /// The date and time to the second, for the audit view. Scripts replace it, too.
            pub exact_time: fn(OffsetDateTime) -> String,
            /// The user who redeemed an invitation last, and the number of others.
            pub used_by: fn(&UsedBy<'_>) -> String,
            /// The number of uses taken, and the number allowed.
            pub uses: fn(u32, u32) -> String,
            /// The number of rows on a page of the list, and whether more follow.
            pub summary: fn(usize, bool) -> String,
            /// The number of rows on a page of the audit view, and whether more follow.
            pub events_summary: fn(usize, bool) -> String,
            /// The result of checking an import: the numbers of valid lines, of lines that are left
            /// out, and of lines with mistakes.
            pub checked: fn(usize, usize, usize) -> String,
            /// A range of times from creation to redemption.
            pub time_to_redeem: fn(TimeRangeToRedeem) -> String,
            /// The range of times that contains the median: half of the invitations were redeemed
            /// within its end.
            pub median_to_redeem: fn(TimeRangeToRedeem) -> String,
            /// A share in whole percent.
            pub percent: fn(u64) -> String,
            /// Translates a sentence of the library's core: why a value was not accepted,
            /// or a call refused. In English, the sentence itself.
            pub sentence: fn(&str) -> String,
        }

        impl Strings {
            /// Returns the English texts.
            #[must_use]
            pub fn english() -> Self {
                Self {
                    $($name: Cow::Borrowed($english),)+
                    role: |role| Cow::Owned(english::capitalised(role.as_str())),
                    relative_time: english::relative_time,
                    absolute_time: english::absolute_time,
                    exact_time: english::exact_time,
                    used_by: |used_by| used_by.to_string(),
                    uses: |uses, max| format!("{uses} of {max} uses"),
                    summary: |rows, more| english::summary(rows, more, "code"),
                    events_summary: |rows, more| english::summary(rows, more, "event"),
                    checked: english::checked,
                    time_to_redeem: english::time_to_redeem,
                    median_to_redeem: english::median_to_redeem,
                    percent: |share| format!("{share}%"),
                    sentence: english::capitalised,
                }
            }
        }
    };
}

// These follow the macro that the catalogue uses.
mod catalogue;
mod english;

impl Strings {
    /// Returns the text for a status.
    #[must_use]
    pub fn status(&self, status: Status) -> &str {
        match status {
            Status::Active => &self.active,
            Status::Used => &self.used,
            Status::Expired => &self.expired,
            Status::Revoked => &self.revoked,
        }
    }
}

impl Default for Strings {
    fn default() -> Self {
        Self::english()
    }
}

impl fmt::Debug for Strings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Strings").field("language", &self.language).finish_non_exhaustive()
    }
}
