//! Everything that the dashboard says, in one place.

use std::{borrow::Cow, fmt};

use invitation_core::{Role, Status, UsedBy};
use time::{Duration, OffsetDateTime, UtcOffset};

/// Declares the texts, each with its English default.
macro_rules! strings {
    ($($(#[$doc:meta])* $name:ident = $english:literal;)+) => {
        /// The catalogue of texts: English by default, and replaced by a host in whole
        /// or in part.
        ///
        /// Sentences with a value in them are made by functions, so that a language can
        /// build them as it needs. `{…}` in a text stands for a value.
        ///
        /// ```
        /// use invitation_axum::{Dashboard, Strings};
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
            /// A role's name as people read it; in English, with a capital.
            pub role: fn(&Role) -> Cow<'static, str>,
            /// How far away an instant is: a positive duration lies ahead.
            pub relative_time: fn(Duration) -> String,
            /// Date and time of day; in English, in UTC.
            pub absolute_time: fn(OffsetDateTime) -> String,
            /// The same to the second, for the audit view.
            pub exact_time: fn(OffsetDateTime) -> String,
            /// Who used an invitation.
            pub used_by: fn(&UsedBy<'_>) -> String,
            /// How many of how many uses were taken.
            pub uses: fn(u32, u32) -> String,
            /// How many rows a page shows, and whether more follow.
            pub summary: fn(usize, bool) -> String,
            /// The same of the audit view.
            pub events_summary: fn(usize, bool) -> String,
            /// What the check of an import came to: lines in order, lines that are left out,
            /// lines with mistakes.
            pub checked: fn(usize, usize, usize) -> String,
            /// Translates a sentence of the library's core: why a value was not
            /// accepted, or a call refused. In English, the sentence itself.
            pub sentence: fn(&str) -> String,
        }

        impl Strings {
            /// The English texts.
            #[must_use]
            pub fn english() -> Self {
                Self {
                    $($name: Cow::Borrowed($english),)+
                    role: |role| Cow::Owned(capitalised(role.as_str())),
                    relative_time,
                    absolute_time,
                    exact_time,
                    used_by: |used_by| used_by.to_string(),
                    uses: |uses, max| format!("{uses} of {max} uses"),
                    summary: |rows, more| summary(rows, more, "code"),
                    events_summary: |rows, more| summary(rows, more, "event"),
                    checked,
                    sentence: capitalised,
                }
            }
        }
    };
}

strings! {
    /// The language of the texts, as HTML's `lang` names it.
    language = "en";
    /// The link that keyboards meet first.
    skip_to_content = "Skip to content";
    /// The name of the sidebar's menu.
    menu = "Main menu";
    /// The group that the entry stands under.
    menu_group = "Users";
    /// The entry in the sidebar.
    menu_entry = "Invitation";
    /// Before the user's id.
    signed_in_as = "Signed in as";
    /// The heading of the list.
    heading = "Invitation Codes";
    /// Before the division's name.
    of_division = "Division";
    /// For who reaches every division.
    of_all_divisions = "All divisions";
    /// The button above the list.
    create_invitation = "Create Invitation";
    /// The button of an empty list.
    create_first = "Create the first invitation";
    /// The link to the bulk import.
    import = "Import";
    /// The link to the audit view, and its heading.
    audit_trail = "Audit trail";
    /// The label of the numbers above the list.
    counts = "Invitations by status";
    /// The label of the status filter.
    filter_status = "Filter Status";
    /// Every status.
    all = "All";
    /// The status of a code that can be used.
    active = "Active";
    /// The status of a code that was used.
    used = "Used";
    /// The status of a code that is past its expiry.
    expired = "Expired";
    /// The status of a code that was withdrawn.
    revoked = "Revoked";
    /// The label of the role filter.
    filter_role = "Filter Role";
    /// The label of the division filter.
    filter_division = "Filter Division";
    /// The label of the search.
    search = "Search";
    /// The label of the number of rows.
    rows = "Rows";
    /// The button of the filters.
    apply = "Apply";
    /// Removes the filters.
    clear = "Clear filters";
    /// The first column.
    column_code = "Code";
    /// The second column.
    column_email = "Email";
    /// The third column.
    column_role = "Role";
    /// The fourth column.
    column_status = "Status";
    /// The fifth column.
    column_expires = "Expires";
    /// The sixth column.
    column_used_by = "Used By";
    /// The seventh column.
    column_actions = "Actions";
    /// A code that the role may not see.
    code_hidden = "Hidden";
    /// A code that is bound to nobody.
    anyone = "Anyone";
    /// Before an e-mail domain.
    anyone_at = "Anyone";
    /// A code that nobody has used.
    nobody_yet = "–";
    /// The label of the division.
    division = "Division";
    /// The title of a list without invitations.
    nothing_yet = "No invitations yet";
    /// What to do then.
    nothing_yet_advice = "Create one, share its code over a secure channel, and follow here who has used it.";
    /// What stands there for who may not create.
    nothing_yet_wait = "Invitations appear here as soon as somebody creates one.";
    /// The title of a list whose filters leave nothing.
    nothing_found = "Nothing matches";
    /// What to do then.
    nothing_found_advice = "Try fewer words or another status. Search finds the beginnings of words in e-mail addresses and user names, and codes by their first four symbols or more.";
    /// The title of a page that came back empty though more follow.
    nothing_here = "Nothing on this page";
    /// What to do then.
    nothing_here_advice = "More may follow: go on to the next page.";
    /// The label of the links to other pages.
    pages = "Pages";
    /// The link to the following page.
    next_page = "Next";
    /// The link to the page before.
    previous_page = "Previous";
    /// The link to the first page.
    first_page = "First page";
    /// The button that copies a code.
    copy = "Copy";
    /// What the button says after that.
    copied = "Copied";
    /// What screen readers are told after that.
    copied_announcement = "The code is on the clipboard.";
    /// The link that opens the form with an invitation's terms.
    edit = "Edit";
    /// The link that withdraws an invitation.
    revoke = "Revoke";
    /// The link that undoes it.
    reinstate = "Reinstate";
    /// The link that replaces a code.
    rotate = "New code";
    /// The link that removes an invitation.
    delete = "Delete";
    /// The link to the events of an invitation.
    history = "History";
    /// The link that leads back.
    back_to_list = "Back to all codes";
    /// Leaves a form.
    cancel = "Cancel";
    /// Above the mistakes of a form.
    form_has_mistakes = "Please look at these again";
    /// The label of the address, where it is not asked for.
    email_optional = "Email (optional but recommended)";
    /// What a bound code means.
    email_hint = "With an address, only its owner can use the code. Without one, whoever holds it can.";
    /// The label of the e-mail domain.
    email_domain = "Email domain (optional)";
    /// What a domain means.
    email_domain_hint = "Instead of one address: everybody whose address ends in it, such as example.com.";
    /// An address and a domain are too much.
    email_or_domain = "Give an address or a domain, not both";
    /// The label of the role.
    role_label = "Role";
    /// The choice before a role was chosen.
    choose_role = "Choose a role";
    /// The label of the lifetime.
    expires_in_days = "Expires in (days)";
    /// What a lifetime should be.
    expires_hint = "Choose it so that it fits the planned start date.";
    /// The label of the lifetime, where it may stay as it is.
    expires_in_days_anew = "Expires in (days, counted from now)";
    /// What it means to leave it empty.
    expires_anew_hint = "Leave it empty to keep the expiry as it is.";
    /// The label of the number of uses.
    max_uses = "How many people may use it";
    /// A number that is none.
    not_a_number = "Must be a whole number";
    /// The button of the create form.
    create = "Create";
    /// The heading after that.
    created = "The invitation was created";
    /// The heading when the same form came again.
    created_before = "This form has created this invitation before";
    /// When the form came again with something else in it.
    form_was_used = "This form has already created an invitation. Send it once more to create another one.";
    /// What to do with a code.
    share_securely = "Share it over a secure channel: whoever holds the code can use it, unless it is bound to an address.";
    /// The link to a fresh form.
    create_another = "Create another";
    /// The link that leaves a new code.
    done = "Done";
    /// The heading of one invitation.
    invitation = "Invitation";
    /// The heading after the code was copied without JavaScript.
    copy_by_hand = "Select the code and copy it";
    /// The label of the inviter.
    created_by = "Created by";
    /// The inviter when nobody's.
    the_system = "The system";
    /// The label of the time of creation.
    created_at = "Created";
    /// The label of a revocation's reason.
    reason = "Reason (optional)";
    /// What a reason is for.
    reason_hint = "It is kept with the invitation, and administrators can read it.";
    /// The label of the reason that was given.
    reason_given = "Reason";
    /// The heading of the form with the terms.
    edit_heading = "Edit invitation";
    /// The label of the address there.
    email_or_nobody = "Email (empty: anyone may use the code)";
    /// The button of that form.
    save = "Save changes";
    /// After that.
    saved = "The changes were saved.";
    /// Nothing was changed in the form.
    nothing_changed = "Nothing was changed.";
    /// Somebody else was faster.
    changed_meanwhile = "Somebody has changed this invitation since you opened it. Look at it as it is now, and decide again.";
    /// The question before a revocation.
    revoke_question = "Revoke this invitation?";
    /// What it means.
    revoke_meaning = "Its code stops working at once. It can be reinstated later.";
    /// After that.
    revoked_done = "The invitation was revoked.";
    /// The question before a reinstatement.
    reinstate_question = "Reinstate this invitation?";
    /// What it means.
    reinstate_meaning = "Its code works again until it expires.";
    /// After that.
    reinstated_done = "The invitation was reinstated.";
    /// The question before a rotation.
    rotate_question = "Replace the code of this invitation?";
    /// What it means.
    rotate_meaning = "A new code is made. The present one stops working at once.";
    /// The heading after that.
    rotated = "The invitation has a new code";
    /// The question before a deletion.
    delete_question = "Delete this invitation?";
    /// What it means.
    delete_meaning = "It disappears from the list for good, and its code never works again. The audit trail keeps its history.";
    /// After that.
    deleted_done = "The invitation was deleted.";
    /// The heading of the import.
    import_heading = "Import invitations";
    /// What it expects.
    import_intro = "One invitation a line, as CSV in UTF-8, separated by commas, semicolons or tabs. The first line names the columns: email, email_domain, role, division, expires_in_days, expires_at, max_uses.";
    /// The label of the text.
    import_text = "CSV";
    /// The label of the file.
    import_file = "Or a CSV file";
    /// The label of the mode.
    import_mode = "If some lines have mistakes";
    /// All or none.
    import_all_or_none = "Create none of them";
    /// Those that are in order.
    import_best_effort = "Create the others";
    /// The choice of what becomes of duplicates.
    import_duplicates = "If an address comes twice or is invited already";
    /// Its first option.
    import_duplicates_skip = "Leave the line out";
    /// Its second option.
    import_duplicates_create = "Create it all the same";
    /// Tries it out.
    import_check = "Check first";
    /// Does it.
    import_create = "Create all";
    /// The heading of the result.
    import_checked = "Checked, nothing created yet";
    /// The heading of the result.
    import_done = "The invitations were created";
    /// The heading of the result.
    import_refused = "Nothing was created";
    /// The column of the line.
    import_line = "Line";
    /// The column of the outcome.
    import_outcome = "Outcome";
    /// The column of what is wrong.
    import_problem = "Code or mistake";
    /// A line is in order.
    import_line_ok = "In order";
    /// A line was created.
    import_line_created = "Created";
    /// A line has mistakes.
    import_line_bad = "Mistake";
    /// The outcome of a line that was left out.
    import_line_skipped = "Left out";
    /// Said when the form of an import is sent again with something else.
    import_was_used = "This form has already created invitations. Send it once more to create these ones.";
    /// Below the codes of an import.
    import_keep = "All of them are in the list of codes, too.";
    /// Above the audit view's filters.
    audit_intro = "Every change, copy, refusal and denial, newest first.";
    /// The label of the filter.
    filter_action = "Action";
    /// The label of the filter.
    filter_outcome = "Outcome";
    /// The label of the filter.
    filter_user = "User";
    /// The label of the filter.
    filter_invitation = "Invitation";
    /// The column of the time.
    event_at = "When";
    /// The column of the person.
    event_who = "Who";
    /// The column of the action.
    event_action = "Action";
    /// The column of the outcome.
    event_outcome = "Outcome";
    /// The column of the invitation.
    event_invitation = "Invitation";
    /// The column of everything else.
    event_detail = "Detail";
    /// The title of an audit view without events.
    no_events = "No events";
    /// What to do then.
    no_events_advice = "Nothing on record matches these filters.";
    /// The title without a signed-in user.
    sign_in_title = "Please sign in";
    /// What to do then.
    sign_in_advice = "This page is for signed-in users.";
    /// The link to the host's sign-in page.
    sign_in = "Sign in";
    /// The title of a missing right.
    forbidden_title = "This is not for your role";
    /// What to do then.
    forbidden_advice = "Ask an administrator if you need it.";
    /// The title of something missing.
    not_found_title = "Not found";
    /// What to do then.
    not_found_advice = "It does not exist, or not any more.";
    /// The title of a conflict.
    conflict_title = "That is not possible any more";
    /// The title of a request that cannot be read.
    bad_request_title = "That could not be read";
    /// What to do then.
    bad_request_advice = "Go back, and try it once more.";
    /// The title of a request from elsewhere.
    foreign_title = "That came from another site";
    /// What to do then.
    foreign_advice = "For your safety, changes are only accepted from these pages themselves.";
    /// The title of a full quota.
    quota_title = "There are too many open invitations";
    /// The title of a failure.
    unavailable_title = "Something is not working just now";
    /// What to do then.
    unavailable_advice = "Nothing was lost. Please try again in a moment.";
}

impl Strings {
    /// The word for a status.
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

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn relative_time(ahead: Duration) -> String {
    const STEPS: [(i64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let seconds = ahead.whole_seconds().saturating_abs();
    // To the nearest, and one unit as long as it is at least two of the smaller.
    let told = STEPS.iter().find_map(|&(unit, name)| {
        let n = (seconds + unit / 2) / unit;
        let is_fit = n >= 2 || (n == 1 && (unit == 60 || seconds >= unit));
        is_fit.then(|| format!("{n} {name}{}", if n == 1 { "" } else { "s" }))
    });
    match told {
        None => "now".to_owned(),
        Some(told) if ahead.is_negative() => format!("{told} ago"),
        Some(told) => format!("in {told}"),
    }
}

fn absolute_time(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{}, {:02}:{:02} UTC", day(at), at.hour(), at.minute())
}

fn exact_time(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{}, {:02}:{:02}:{:02} UTC", day(at), at.hour(), at.minute(), at.second())
}

fn day(at: OffsetDateTime) -> String {
    let month = at.month().to_string();
    let month = month.get(..3).unwrap_or(&month);
    format!("{} {month} {}", at.day(), at.year())
}

fn summary(rows: usize, more: bool, what: &str) -> String {
    match (rows, more) {
        (0, _) => format!("No {what}s"),
        (1, false) => format!("1 {what}"),
        (n, false) => format!("{n} {what}s"),
        (n, true) => format!("{n} {what}s on this page, more follow"),
    }
}

fn checked(good: usize, skipped: usize, bad: usize) -> String {
    let lines = |n: usize| if n == 1 { "1 line".to_owned() } else { format!("{n} lines") };
    let mut said = format!("{} in order", lines(good));
    for (n, what) in [(skipped, "left out"), (bad, "with mistakes")] {
        if n > 0 {
            said.extend([", ", &lines(n), " ", what]);
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn distances_are_told_in_the_unit_that_fits() {
        for (ahead, told) in [
            (Duration::ZERO, "now"),
            (Duration::seconds(29), "now"),
            (Duration::seconds(90), "in 2 minutes"),
            (Duration::minutes(59), "in 59 minutes"),
            (Duration::hours(1), "in 1 hour"),
            (Duration::hours(23), "in 23 hours"),
            (Duration::days(7) - Duration::seconds(1), "in 7 days"),
            (-Duration::days(1), "1 day ago"),
            (-Duration::days(400), "400 days ago"),
        ] {
            assert_eq!(relative_time(ahead), told);
        }
    }

    #[test]
    fn instants_are_told_in_utc() {
        assert_eq!(absolute_time(datetime!(2026-12-01 16:05 +2)), "1 Dec 2026, 14:05 UTC");
        assert_eq!(exact_time(datetime!(2026-11-28 19:05:12.9 UTC)), "28 Nov 2026, 19:05:12 UTC");
        assert_eq!(exact_time(datetime!(2026-11-28 19:05 +5:30)), "28 Nov 2026, 13:35:00 UTC");
    }

    #[test]
    fn words_begin_with_a_capital_in_any_alphabet() {
        assert_eq!(capitalised("staff"), "Staff");
        assert_eq!(capitalised("évêque"), "Évêque");
        assert_eq!(capitalised(""), "");
    }
}
