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
            /// All kinds, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the name at the end of its URN. It never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Returns the HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)+ }
            }

            /// Returns a short description, the problem's `title`.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }
    };
}

kinds! {
    /// The request has no actor.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Sign in first";
    /// The actor may not do this.
    Forbidden = "forbidden", FORBIDDEN, "Not allowed";
    /// A hook of the host does not allow the command, or did not say.
    Vetoed = "vetoed", FORBIDDEN, "Not allowed at present";
    /// The resource does not exist, or the actor may not see it.
    NotFound = "not-found", NOT_FOUND, "Not found";
    /// The path does not accept this method.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The body or the query cannot be read.
    Malformed = "malformed", BAD_REQUEST, "Cannot be read";
    /// The request is well formed, but some values are not accepted.
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "Some values are not valid";
    /// The body is larger than the limit.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "Too large";
    /// The URI of the request is longer than the limit.
    UriTooLong = "uri-too-long", URI_TOO_LONG, "URI too long";
    /// The headers are larger than the limit.
    HeadersTooLarge = "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "Headers too large";
    /// The body has a media type that the route does not accept.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "Unsupported content type";
    /// The body arrived too slowly.
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, "The request took too long";
    /// The invitation has changed since the client read it.
    VersionMismatch = "version-mismatch", PRECONDITION_FAILED, "Changed in the meantime";
    /// The state of the invitation does not allow the request.
    Conflict = "conflict", CONFLICT, "Not possible in this state";
    /// Something else was created under this idempotency key.
    IdempotencyKeyReused = "idempotency-key-reused", CONFLICT, "Idempotency key used for something else";
    /// Too many invitations are pending.
    QuotaExceeded = "quota-exceeded", TOO_MANY_REQUESTS, "Too many pending invitations";
    /// Too many requests of this kind are running, or too many presented codes were wrong.
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests";
    /// The typed code fails its check symbol or format, so that it cannot exist.
    CodeMistyped = "code-mistyped", UNPROCESSABLE_ENTITY, "The code has a typing mistake";
    /// The code does not exist.
    CodeUnknown = "code-unknown", NOT_FOUND, "Unknown code";
    /// The code has expired.
    CodeExpired = "code-expired", GONE, "The code has expired";
    /// The code has been used.
    CodeUsed = "code-used", GONE, "The code has been used";
    /// The code has been revoked.
    CodeRevoked = "code-revoked", GONE, "The code has been revoked";
    /// The code is for a certain address, which must be proved first.
    AddressProofRequired = "address-proof-required", FORBIDDEN, "Proof of an address required";
    /// The username belongs to another user. For a host's registration.
    UsernameTaken = "username-taken", CONFLICT, "The name is taken";
    /// The store cannot be reached, or is too busy.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available at the moment";
    /// The server has an internal error.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here";
}

impl ProblemKind {
    /// Returns the `type` of problems of this kind.
    #[must_use]
    pub fn urn(self) -> String {
        format!("urn:invitation:problem:{}", self.name())
    }
}
