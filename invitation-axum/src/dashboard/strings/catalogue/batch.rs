//! The texts of batches: the invitations that one call or one import created.

macro_rules! batch_texts {
    ([$next:ident $($then:ident)*] $($before:tt)*) => {
        $next! {
            [$($then)*]
            $($before)*
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
        }
    };
}
