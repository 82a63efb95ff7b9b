//! The texts of the audit view, of mails, of the funnel and of webhooks.

macro_rules! report_texts {
    ([$next:ident $($then:ident)*] $($before:tt)*) => {
        $next! {
            [$($then)*]
            $($before)*
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
            /// The step of invitations whose mail was sent.
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
        }
    };
}
