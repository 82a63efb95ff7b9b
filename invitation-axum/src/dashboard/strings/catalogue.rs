//! The names of all texts, with their English defaults.

use std::borrow::Cow;

use invitation_core::{Role, UsedBy, funnel::TimeRangeToRedeem};
use time::{Duration, OffsetDateTime};

use super::english;

strings! {
    /// The language of the texts, as HTML's `lang` names it.
    language = "en";
    /// The first link for keyboard users, which skips the menu.
    skip_to_content = "Skip to content";
    /// The name of the sidebar's menu.
    menu = "Main menu";
    /// The menu group that contains the entry.
    menu_group = "Users";
    /// The entry in the sidebar.
    menu_entry = "Invitation";
    /// The text before the user's id.
    signed_in_as = "Signed in as";
    /// The heading of the list.
    heading = "Invitation Codes";
    /// The text before the division's name.
    of_division = "Division";
    /// The text instead of a division, for a user who reaches all of them.
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
    /// The filter option without a restriction.
    all = "All";
    /// The status of a code that can be used.
    active = "Active";
    /// The status of a code that was used.
    used = "Used";
    /// The status of a code that is past its expiry.
    expired = "Expired";
    /// The status of a code that was revoked.
    revoked = "Revoked";
    /// The label of the role filter.
    filter_role = "Filter Role";
    /// The label of the division filter.
    filter_division = "Filter Division";
    /// The label of the filter by the number of days until the expiry.
    expiring_within = "Expiring within (days)";
    /// The label of the search.
    search = "Search";
    /// The label of the order.
    sort_by = "Sort By";
    /// The order with the newest invitations first.
    newest_first = "Newest";
    /// The order with the active invitations that expire soonest first.
    soonest_expiry = "Soonest expiry";
    /// The label of the number of rows.
    rows = "Rows";
    /// The button of the filters.
    apply = "Apply";
    /// The link that removes the filters.
    clear = "Clear filters";
    /// The heading of the code column, the first.
    column_code = "Code";
    /// The heading of the address column, the second.
    column_email = "Email";
    /// The heading of the role column, the third.
    column_role = "Role";
    /// The heading of the status column, the fourth.
    column_status = "Status";
    /// The heading of the expiry column, the fifth.
    column_expires = "Expires";
    /// The heading of the user column, the sixth.
    column_used_by = "Used By";
    /// The heading of the action column, the seventh.
    column_actions = "Actions";
    /// The text instead of a code that the role may not see.
    code_hidden = "Hidden";
    /// The address column of a code that is not bound.
    anyone = "Anyone";
    /// The text before the e-mail domain that a code is bound to.
    anyone_at = "Anyone";
    /// The user column of a code that is not used yet.
    nobody_yet = "–";
    /// The label of the division.
    division = "Division";
    /// The title of a list without invitations.
    nothing_yet = "No invitations yet";
    /// The advice in an empty list, for a role that may create invitations.
    nothing_yet_advice = "Create one, share its code over a secure channel, and follow here who has used it.";
    /// The advice in an empty list, for a role that may not create invitations.
    nothing_yet_wait = "Invitations appear here as soon as somebody creates one.";
    /// The title of a list in which no invitation matches the filters.
    nothing_found = "Nothing matches";
    /// The advice for a list without matches.
    nothing_found_advice = "Try fewer words or another status. Search finds the beginnings of words in e-mail addresses and user names, and codes by their first four symbols or more.";
    /// The title of an empty page that more pages follow.
    nothing_here = "Nothing on this page";
    /// The advice for an empty page that more pages follow.
    nothing_here_advice = "More may follow: go on to the next page.";
    /// The label of the links to other pages.
    pages = "Pages";
    /// The link to the following page.
    next_page = "Next";
    /// The link to the previous page.
    previous_page = "Previous";
    /// The link to the first page.
    first_page = "First page";
    /// The button that copies a code.
    copy = "Copy";
    /// The label of the copy button after the copy.
    copied = "Copied";
    /// The announcement to screen readers after the copy.
    copied_announcement = "The code is on the clipboard.";
    /// The button that opens the menu of a row.
    more = "More";
    /// The link that opens the form with an invitation's terms.
    edit = "Edit";
    /// The link that revokes an invitation.
    revoke = "Revoke";
    /// The link that undoes a revocation.
    reinstate = "Reinstate";
    /// The link that replaces a code.
    rotate = "New code";
    /// The link that deletes an invitation.
    delete = "Delete";
    /// The link to the events of an invitation.
    history = "History";
    /// The link that leads back to the list.
    back_to_list = "Back to all codes";
    /// The link that leaves a form.
    cancel = "Cancel";
    /// The heading above the mistakes of a form.
    form_has_mistakes = "Please look at these again";
    /// The label of the address in the create form, where it is optional.
    email_optional = "Email (optional but recommended)";
    /// The hint about a code that is bound to an address.
    email_hint = "With an address, only its owner can use the code. Without one, whoever holds it can.";
    /// The label of the e-mail domain.
    email_domain = "Email domain (optional)";
    /// The hint about a code that is bound to a domain.
    email_domain_hint = "Instead of one address: everybody whose address ends in it, such as example.com.";
    /// The mistake of giving both an address and a domain.
    email_or_domain = "Give an address or a domain, not both";
    /// The label of the role.
    role_label = "Role";
    /// The option before a role is chosen.
    choose_role = "Choose a role";
    /// The label of the lifetime.
    expires_in_days = "Expires in (days)";
    /// The hint for choosing a lifetime.
    expires_hint = "Choose it so that it fits the planned start date.";
    /// The label of the lifetime in the edit form, where it may be left empty.
    expires_in_days_anew = "Expires in (days, counted from now)";
    /// The hint about leaving the lifetime empty.
    expires_anew_hint = "Leave it empty to keep the expiry as it is.";
    /// The label of the number of uses.
    max_uses = "How many people may use it";
    /// The mistake of a text that is not a whole number.
    not_a_number = "Must be a whole number";
    /// The button of the create form.
    create = "Create";
    /// The heading of the page with a new code.
    created = "The invitation was created";
    /// The heading if the same form was sent again.
    created_before = "This form has created this invitation before";
    /// The notice if the form was sent again with other values.
    form_was_used = "This form has already created an invitation. Send it once more to create another one.";
    /// The name of the picture with the registration link, for screen readers.
    qr_code = "QR code of the registration link";
    /// The text before the registration link, beside its QR code.
    qr_advice = "Or let the newcomer scan the picture. It leads to:";
    /// The advice on sharing a code.
    share_securely = "Share it over a secure channel: whoever holds the code can use it, unless it is bound to an address.";
    /// The link to an empty create form.
    create_another = "Create another";
    /// The link that leaves the page of a new code.
    done = "Done";
    /// The heading of one invitation.
    invitation = "Invitation";
    /// The heading of a code to copy without JavaScript.
    copy_by_hand = "Select the code and copy it";
    /// The label of the inviter.
    created_by = "Created by";
    /// The name of the inviter if the host itself created the invitation.
    the_system = "The system";
    /// The label of the time of creation.
    created_at = "Created";
    /// The label of the reason in the revocation form.
    reason = "Reason (optional)";
    /// The hint about the purpose of a reason.
    reason_hint = "It is kept with the invitation, and administrators can read it.";
    /// The label of a revocation's reason on the invitation's page.
    reason_given = "Reason";
    /// The heading of the edit form.
    edit_heading = "Edit invitation";
    /// The label of the address in the edit form.
    email_or_nobody = "Email (empty: anyone may use the code)";
    /// The button of the edit form.
    save = "Save changes";
    /// The notice after saved changes.
    saved = "The changes were saved.";
    /// The notice if the edit form had no changes.
    nothing_changed = "Nothing was changed.";
    /// The notice if another user changed the invitation in the meantime.
    changed_meanwhile = "Somebody has changed this invitation since you opened it. Look at it as it is now, and decide again.";
    /// The question before a revocation.
    revoke_question = "Revoke this invitation?";
    /// The explanation of a revocation.
    revoke_meaning = "Its code stops working at once. It can be reinstated later.";
    /// The notice after a revocation.
    revoked_done = "The invitation was revoked.";
    /// The question before a reinstatement.
    reinstate_question = "Reinstate this invitation?";
    /// The explanation of a reinstatement.
    reinstate_meaning = "Its code works again until it expires.";
    /// The notice after a reinstatement.
    reinstated_done = "The invitation was reinstated.";
    /// The question before a rotation.
    rotate_question = "Replace the code of this invitation?";
    /// The explanation of a rotation.
    rotate_meaning = "A new code is made. The present one stops working at once.";
    /// The heading after a rotation.
    rotated = "The invitation has a new code";
    /// The question before a deletion.
    delete_question = "Delete this invitation?";
    /// The explanation of a deletion.
    delete_meaning = "It disappears from the list for good, and its code never works again. The audit trail keeps its history.";
    /// The notice after a deletion.
    deleted_done = "The invitation was deleted.";
    /// The heading of the import.
    import_heading = "Import invitations";
    /// The explanation of the file format that an import expects.
    import_intro = "One invitation a line, as CSV in UTF-8, separated by commas, semicolons or tabs. The first line names the columns: email, email_domain, role, division, expires_in_days, expires_at, max_uses.";
    /// The label of the import's text field.
    import_text = "CSV";
    /// The label of the import's file field.
    import_file = "Or a CSV file";
    /// The label of the choice between all lines and the valid ones.
    import_mode = "If some lines have mistakes";
    /// The option to create all lines or none.
    import_all_or_none = "Create none of them";
    /// The option to create the valid lines.
    import_best_effort = "Create the others";
    /// The label of the choice of how to treat duplicates.
    import_duplicates = "If an address comes twice or is invited already";
    /// The option to leave duplicates out.
    import_duplicates_skip = "Leave the line out";
    /// The option to create duplicates.
    import_duplicates_create = "Create it all the same";
    /// The button that checks an import.
    import_check = "Check first";
    /// The button that creates the invitations of an import.
    import_create = "Create all";
    /// The heading after a check.
    import_checked = "Checked, nothing created yet";
    /// The heading after the invitations were created.
    import_done = "The invitations were created";
    /// The heading if no invitation was created.
    import_refused = "Nothing was created";
    /// The heading of the column with the line numbers.
    import_line = "Line";
    /// The heading of the column with the outcomes.
    import_outcome = "Outcome";
    /// The heading of the column with codes and mistakes.
    import_problem = "Code or mistake";
    /// The outcome of a valid line.
    import_line_ok = "In order";
    /// The outcome of a line that was created.
    import_line_created = "Created";
    /// The outcome of a line with mistakes.
    import_line_bad = "Mistake";
    /// The outcome of a line that was left out.
    import_line_skipped = "Left out";
    /// The notice if the form of an import was sent again with other values.
    import_was_used = "This form has already created invitations. Send it once more to create these ones.";
    /// The link to the imports of files, and the heading of their page.
    uploads = "Import a large file";
    /// The explanation of an import of a file.
    uploads_intro = "A CSV or JSON Lines file in UTF-8, of any number of lines. After the upload you see its first lines. Then it is imported in the background.";
    /// The label of the field for the file.
    upload_file = "File";
    /// The button that uploads a file.
    upload_send = "Upload";
    /// The heading above the list of imports.
    uploads_recent = "Imports";
    /// The text instead of an empty list of imports.
    uploads_none = "No imports yet";
    /// The link back to the list of imports.
    uploads_back = "Back to the imports";
    /// The heading of the page of one import.
    upload_heading = "Import";
    /// The column and the label with the time of an import.
    upload_at = "Ordered";
    /// The column and the label with the state of an import.
    upload_state = "State";
    /// The label of the number of lines with an outcome.
    upload_rows = "Lines so far";
    /// The label of the progress bar.
    upload_progress = "Progress";
    /// The link that shows the present progress, where no script does.
    upload_refresh = "Refresh";
    /// The state of an import that is not started.
    upload_held = "Uploaded, not started";
    /// The state of an import that waits.
    upload_queued = "Waiting";
    /// The state of an import that runs.
    upload_running = "Running";
    /// The state of an import that creates all invitations in one step.
    upload_writing = "Creating all of them";
    /// The state of an import that came to its last line.
    upload_done = "Done";
    /// The state of an import that broke off.
    upload_failed = "Failed";
    /// The state of an import that a user ended.
    upload_cancelled = "Stopped";
    /// The heading above the first lines of a file.
    upload_preview = "The first lines, nothing created yet";
    /// The text below the first lines of a file that has more.
    upload_more = "The file has more lines. They are checked when the import runs.";
    /// The button that starts an import.
    upload_start = "Start the import";
    /// The button that ends an import before it is started.
    upload_discard = "Discard";
    /// The button that ends a running import.
    upload_stop = "Stop the import";
    /// The link to the result of an import.
    upload_result = "Download the result";
    /// The explanation of the result of an import.
    upload_result_hint = "The file has the outcome of each line, and the codes of the created invitations. The download is recorded in the audit trail.";
    /// The text below the codes of an import.
    import_keep = "All of them are in the list of codes, too.";
    /// The text above the audit view's filters.
    audit_intro = "Every change, copy, refusal and denial, newest first.";
    /// The heading of the part about the tamper-evident log.
    log_heading = "Tamper-evident log";
    /// The label of the verdict about the log.
    log_verdict = "Verdict";
    /// The verdict before the first verification.
    log_unverified = "Not verified yet";
    /// The verdict about a log that has everything of a saved checkpoint.
    log_valid = "Valid";
    /// The verdict about a consistent log that was compared with no saved checkpoint.
    log_unanchored = "Unanchored: nothing shows a rollback";
    /// The verdict about an altered log or store. The place follows.
    log_tampered = "Tampered:";
    /// The label of the time of the last verification.
    log_verified_at = "Verified";
    /// The label of the time since which verifying fails.
    log_failed_at = "Sealing or verifying failed";
    /// The label of the number of sealed events that the store has lost.
    log_lost = "Events that the store lost";
    /// The label of the number of entries in the last checkpoint.
    log_size = "Entries in the last checkpoint";
    /// The label of the time of the newest event in the last checkpoint.
    log_newest = "Newest event in it";
    /// The label of the root hash of the last checkpoint.
    log_root = "Root";
    /// The label of the action filter.
    filter_action = "Action";
    /// The label of the outcome filter.
    filter_outcome = "Outcome";
    /// The label of the user filter.
    filter_user = "User";
    /// The label of the invitation filter.
    filter_invitation = "Invitation";
    /// The label of the filter by the id of a request.
    filter_request = "Request";
    /// The heading of the column with the time.
    event_at = "When";
    /// The heading of the column with the user.
    event_who = "Who";
    /// The heading of the column with the action.
    event_action = "Action";
    /// The heading of the column with the outcome.
    event_outcome = "Outcome";
    /// The heading of the column with the invitation.
    event_invitation = "Invitation";
    /// The text before the id of a request, a link to all events of that request.
    event_request = "Request";
    /// The heading of the column with all further details.
    event_detail = "Detail";
    /// The title of an audit view without events.
    no_events = "No events";
    /// The advice for an audit view without events.
    no_events_advice = "Nothing on record matches these filters.";
    /// The heading above the mails of an invitation.
    mails = "Mails";
    /// The text if no mail of an invitation was queued yet.
    no_mails = "None yet.";
    /// The heading of the column with the reason for which a mail is sent.
    mail_purpose = "Mail";
    /// The heading of the column with the time at which a mail was asked for.
    mail_queued = "Requested";
    /// The heading of the column with the state of a mail.
    mail_state = "State";
    /// The words before the time of the next attempt.
    mail_next = "Next attempt";
    /// The button that sends an invitation again.
    resend = "Send again";
    /// The button that sends an invitation again with a new code.
    resend_with_new_code = "Send with a new code";
    /// The notice that a mail was queued.
    resent_done = "The mail is on its way.";
    /// The button that queues a failed mail again.
    retry = "Retry";
    /// The heading of the list of failed mails, and the link to it.
    failed_mails = "Failed mails";
    /// The text below the heading of the list of failed mails.
    failed_mails_intro = "Mails that were not accepted at the last attempt, newest first.";
    /// The title of an empty list of failed mails.
    no_failed_mails = "No failed mails";
    /// The advice for an empty list of failed mails.
    no_failed_mails_advice = "Every mail was sent, or is still tried.";
    /// The label of a batch: the invitations that one call or one import created.
    batch = "Batch";
    /// The link from an import to the list of its invitations.
    batch_show = "Show these invitations";
    /// The link back to the list of a batch.
    batch_back = "Back to the batch";
    /// The link that sends all invitations of a batch again.
    batch_resend = "Send all again";
    /// The question before all invitations of a batch are sent again.
    batch_resend_question = "Send all invitations of this batch again?";
    /// The explanation of sending all invitations of a batch again.
    batch_resend_meaning = "Each active invitation that is for an address is sent to it once more, within the limits of mails.";
    /// The link that revokes all invitations of a batch.
    batch_revoke = "Revoke all";
    /// The question before all invitations of a batch are revoked.
    batch_revoke_question = "Revoke all invitations of this batch?";
    /// The explanation of revoking all invitations of a batch.
    batch_revoke_meaning = "The codes of active and expired invitations stop working for good, unless an invitation is reinstated. Used ones stay as they are.";
    /// The heading after all invitations of a batch were revoked.
    batch_revoked = "The invitations of this batch were revoked";
    /// The heading if none was left to revoke.
    batch_revoked_none = "No invitation was left to revoke";
    /// The heading if only a part of a batch was revoked.
    batch_revoke_unfinished = "Not all invitations of this batch are revoked yet";
    /// The heading after all invitations of a batch were sent again.
    batch_resent = "The invitations of this batch were sent again";
    /// The heading if no invitation of a batch could be sent.
    batch_resent_none = "No invitation of this batch was sent again";
    /// The heading if only a part of a batch was sent again.
    batch_resend_unfinished = "Not all invitations of this batch are sent again yet";
    /// The notice that more invitations of a batch follow.
    batch_more = "More are left: go on.";
    /// The notice that a limit of mails left invitations out.
    batch_limited = "A limit of mails is reached. Wait, and try again then: no invitation is sent twice.";
    /// The button that goes on with the rest of a batch.
    batch_continue = "Go on";
    /// The button that tries again to send those that a limit of mails left out.
    batch_retry = "Try again";
    /// The label of the number of invitations that were revoked.
    batch_number_revoked = "Revoked now";
    /// The label of the number of mails that were queued.
    batch_number_queued = "Mails on their way";
    /// The label of the number of invitations that were left out.
    batch_number_left_out = "Left out";
    /// The label of the number of invitations whose turn has not come.
    batch_number_rest = "Still to do";
    /// The heading of the table with the invitations that were left out last.
    batch_left_out = "Left out";
    /// The heading of the column with the reason why an invitation was left out.
    batch_reason = "Reason";
    /// The link to the funnel, and its heading.
    funnel = "Funnel";
    /// The text below the heading of the funnel.
    funnel_intro = "What became of invitations, from their creation on.";
    /// The label of the filter by inviter.
    filter_inviter = "Inviter";
    /// The label of the filter by the call that created several invitations.
    filter_batch = "Batch";
    /// The heading of the part about the steps of invitations.
    funnel_steps = "How far they came";
    /// The heading of the part about what invitations are now.
    funnel_now = "What they are now";
    /// The heading of the part about the times from creation to redemption.
    funnel_times = "Time to redeem";
    /// The heading of the column with a step.
    funnel_step = "Step";
    /// The heading of the column with a status.
    funnel_status = "Status";
    /// The heading of the column with a time.
    funnel_time = "Time";
    /// The heading of the column with a number of invitations.
    funnel_number = "Invitations";
    /// The heading of the column with a share.
    funnel_share = "Share";
    /// The step of invitations that were created.
    funnel_created = "Created";
    /// The step of invitations of which a mail was sent.
    funnel_sent = "Sent";
    /// The step of invitations that were redeemed at least once.
    funnel_redeemed = "Redeemed";
    /// The status of an invitation that was deleted.
    deleted = "Deleted";
    /// The text before the number of all redemptions, if some invitations have several.
    funnel_redemptions = "Redemptions in all";
    /// The text instead of times, if no invitation was redeemed.
    funnel_no_times = "None was redeemed yet.";
    /// The text of a funnel that counts everything until now.
    funnel_up_to_date = "Up to date.";
    /// The text before the time of the first event that is not counted yet.
    funnel_waiting = "Not counted yet: what happened since";
    /// The text before the time from which invitations are counted.
    funnel_since = "Only invitations are counted that were created since";
    /// The heading of the page about endpoints of webhooks, and the link to it.
    webhooks = "Webhooks";
    /// The text below the heading of the page about webhooks.
    webhooks_intro = "Receivers in other systems that hear of every step.";
    /// The title of a page without endpoints.
    no_webhooks = "No webhooks";
    /// The advice for a page without endpoints.
    no_webhooks_advice = "Endpoints are registered by the API.";
    /// The heading of the column with the name of an endpoint.
    webhook_endpoint = "Endpoint";
    /// The heading of the column with the time of the last accepted message.
    webhook_last_success = "Last success";
    /// The heading of the column with the cause of the last failure.
    webhook_last_failure = "Last failure";
    /// The words before the time of the first failed attempt.
    webhook_failing_since = "Failing since";
    /// The button that lets a disabled endpoint go on.
    webhook_enable = "Enable";
    /// The button that stops an endpoint.
    webhook_disable = "Disable";
    /// The button that leaves out the event that an endpoint has not accepted.
    webhook_skip = "Leave out";
    /// The notice that an endpoint was enabled.
    webhook_enabled = "The endpoint goes on where it was, as far as its events are still there.";
    /// The notice that an endpoint was disabled.
    webhook_disabled = "The endpoint gets no more messages.";
    /// The notice that an endpoint tries again.
    webhook_retried = "The event is sent again.";
    /// The notice that an event was left out.
    webhook_skipped = "The event is left out, and the endpoint goes on.";
    /// The title of the page that asks to sign in.
    sign_in_title = "Please sign in";
    /// The advice on the page that asks to sign in.
    sign_in_advice = "This page is for signed-in users.";
    /// The link to the host's sign-in page.
    sign_in = "Sign in";
    /// The title of the page about a missing right.
    forbidden_title = "This is not for your role";
    /// The advice about a missing right.
    forbidden_advice = "Ask an administrator if you need it.";
    /// The title of the page for a path or invitation that does not exist.
    not_found_title = "Not found";
    /// The advice for a path or invitation that does not exist.
    not_found_advice = "It does not exist, or not any more.";
    /// The title of the page about a conflict.
    conflict_title = "That is not possible any more";
    /// The title of the page about a request that cannot be read.
    bad_request_title = "That could not be read";
    /// The advice about a request that cannot be read.
    bad_request_advice = "Go back, and try it once more.";
    /// The title of the page about a request from another site.
    foreign_title = "That came from another site";
    /// The advice about a request from another site.
    foreign_advice = "For your safety, changes are only accepted from these pages themselves.";
    /// The title of the page about a full quota.
    quota_title = "There are too many open invitations";
    /// The title of the page about too many requests at a time.
    busy_title = "There is too much going on just now";
    /// The title of the page about a failure of the server.
    unavailable_title = "Something is not working just now";
    /// The advice about a failure of the server.
    unavailable_advice = "Nothing was lost. Please try again in a moment.";
}
