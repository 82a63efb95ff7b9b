//! The kinds of problems: a stable name, a status, a title.

use axum::http::StatusCode;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:ident, $title:literal;)+) => {
        /// A kind of [`Problem`](crate::Problem).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum ProblemKind {
            $($(#[$doc])* $variant,)+
        }

        impl ProblemKind {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name at the end of its URN; it never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)+ }
            }

            /// What it is, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }
    };
}

kinds! {
    /// Nobody is signed in.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Sign in first";
    /// The actor may not do this.
    Forbidden = "forbidden", FORBIDDEN, "Not allowed";
    /// It does not exist, or is not the actor's to see.
    NotFound = "not-found", NOT_FOUND, "Not found";
    /// Not with this method.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The body or the query cannot be read.
    Malformed = "malformed", BAD_REQUEST, "Cannot be read";
    /// Well formed, but with values that are not accepted.
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "Some values are not valid";
    /// The body is larger than is accepted.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "Too large";
    /// The address of the request is longer than is accepted.
    UriTooLong = "uri-too-long", URI_TOO_LONG, "Address too long";
    /// The headers are larger than is accepted.
    HeadersTooLarge = "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "Headers too large";
    /// The body is of a kind that is not understood here.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "Unsupported content type";
    /// The body came too slowly.
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, "The request took too long";
    /// The invitation has changed since the client looked.
    VersionMismatch = "version-mismatch", PRECONDITION_FAILED, "Changed in the meantime";
    /// What is asked for does not go with the state of the invitation.
    Conflict = "conflict", CONFLICT, "Not possible in this state";
    /// Something else was created under this idempotency key.
    IdempotencyKeyReused = "idempotency-key-reused", CONFLICT, "Idempotency key used for something else";
    /// Too many invitations are pending.
    QuotaExceeded = "quota-exceeded", TOO_MANY_REQUESTS, "Too many pending invitations";
    /// Too much at once.
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests";
    /// The typed code cannot be one.
    CodeMistyped = "code-mistyped", UNPROCESSABLE_ENTITY, "The code has a typing mistake";
    /// There is no such code.
    CodeUnknown = "code-unknown", NOT_FOUND, "Unknown code";
    /// The code has expired.
    CodeExpired = "code-expired", GONE, "The code has expired";
    /// The code has been used.
    CodeUsed = "code-used", GONE, "The code has been used";
    /// The code has been revoked.
    CodeRevoked = "code-revoked", GONE, "The code has been revoked";
    /// The code is for a certain address, which must be proved first.
    AddressProofRequired = "address-proof-required", FORBIDDEN, "Proof of an address required";
    /// For a host's registration: the name belongs to somebody else.
    UsernameTaken = "username-taken", CONFLICT, "The name is taken";
    /// The store cannot be reached, or is too busy.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available at the moment";
    /// Something is broken here.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here";
}

impl ProblemKind {
    /// The `type` of its problems.
    #[must_use]
    pub fn urn(self) -> String {
        format!("urn:invitation:problem:{}", self.name())
    }
}
