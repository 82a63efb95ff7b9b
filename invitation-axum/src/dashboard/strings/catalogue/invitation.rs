//! The texts of forms and of the pages about one invitation.

macro_rules! invitation_texts {
    ([$next:ident $($then:ident)*] $($before:tt)*) => {
        $next! {
            [$($then)*]
            $($before)*
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
        }
    };
}
