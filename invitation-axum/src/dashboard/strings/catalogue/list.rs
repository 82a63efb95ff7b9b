//! The texts of the menu and of the list of invitations.

macro_rules! list_texts {
    ([$next:ident $($then:ident)*] $($before:tt)*) => {
        $next! {
            [$($then)*]
            $($before)*
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
            /// The title of an empty page of a list that has other pages.
            nothing_here = "Nothing on this page";
            /// The advice for an empty page that more pages follow.
            nothing_here_advice = "More may follow: go on to the next page.";
            /// The advice for an empty page behind the last one.
            nothing_follows_advice = "Nothing follows: go back to an earlier page.";
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
        }
    };
}
