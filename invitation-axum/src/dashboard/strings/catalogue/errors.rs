//! The texts of the pages about a request that was not carried out.

macro_rules! error_texts {
    ([$next:ident $($then:ident)*] $($before:tt)*) => {
        $next! {
            [$($then)*]
            $($before)*
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
            /// The advice about a failure after which it is unknown whether the change was made.
            outcome_unknown_advice = "Please look first whether it was done. Try again only if it was not.";
        }
    };
}
