//! Parts of the OpenAPI description that several routes share.

use utoipa::{
    IntoParams, IntoResponses, PartialSchema, ToSchema,
    openapi::{
        ContentBuilder, Header, HeaderBuilder, ObjectBuilder, Ref, RefOr, Required, Response,
        ResponseBuilder, Schema, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{KnownFormat, SchemaFormat},
    },
};

use super::invitation::InvitationBody;
use crate::problem::ProblemBody;

/// Declares a set of problem responses, each by its status and its description.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident: $($status:literal $means:literal),+;)+) => {
        $($(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
                [$(($status.to_owned(), problem($means))),+].into()
            }
        })+
    };
}

problems! {
    /// Problem responses of any request.
    Any:
        "401" "No user is signed in",
        "403" "The actor may not do this, or the request comes from another origin",
        "503" "The store is down, or too busy";
    /// Problem responses of a request about one invitation.
    OnOne:
        "401" "No user is signed in",
        "403" "The actor may not do this, or the request comes from another origin",
        "404" "It does not exist, or is not the actor's to see",
        "503" "The store is down, or too busy";
    /// Problem responses of a request with query parameters.
    WithValues:
        "400" "The query cannot be read",
        "422" "Some values are not valid";
    /// Problem responses of a request with a body.
    WithBody:
        "400" "The body cannot be read",
        "408" "The body came too slowly",
        "413" "The body is too large",
        "415" "The body is of another content type",
        "422" "Some values are not valid";
    /// Problem responses of a request that changes an invitation.
    Changing:
        "409" "It does not go with the state of the invitation",
        "412" "The invitation is at another version",
        "422" "Some values are not valid";
    /// Problem responses of a request with an idempotency key.
    KeyReused:
        "409" "Something else was created under the key";
    /// Problem responses of an import or export.
    InBulk:
        "429" "Too many imports and exports at once, or too many invitations pending";
    /// Problem responses of a request that adds pending invitations.
    UnderQuota:
        "429" "Too many invitations are pending";
}

fn problem(means: &str) -> RefOr<Response> {
    let content = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name(ProblemBody::name()))))
        .build();
    ResponseBuilder::new()
        .description(means)
        .content("application/problem+json", content)
        .build()
        .into()
}

fn invitation(means: &str) -> ResponseBuilder {
    let content = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name(InvitationBody::name()))))
        .build();
    ResponseBuilder::new()
        .description(means)
        .content("application/json", content)
        .header("ETag", header("The version, in quotes"))
}

fn header(means: &str) -> Header {
    HeaderBuilder::new().schema(Some(String::schema())).description(Some(means)).build()
}

/// The response with the current state of the invitation.
pub(crate) struct One;

impl IntoResponses for One {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        [("200".to_owned(), invitation("The invitation").build().into())].into()
    }
}

/// The response with the new invitation.
pub(crate) struct Created;

impl IntoResponses for Created {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        let place = header("Where it is found");
        [(
            "201".to_owned(),
            invitation("The new invitation").header("Location", place).build().into(),
        )]
        .into()
    }
}

/// Declares a request parameter.
macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident: $in:ident $required:ident $word:literal $means:literal $schema:expr;)+) => {
        $($(#[$doc])*
        pub(crate) struct $name;

        impl IntoParams for $name {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                vec![
                    ParameterBuilder::new()
                        .name($word)
                        .parameter_in(ParameterIn::$in)
                        .required(Required::$required)
                        .description(Some($means))
                        .schema(Some($schema))
                        .build(),
                ]
            }
        })+
    };
}

parameters! {
    /// The id in the path.
    Id: Path True "id" "The invitation"
        text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).build();
    /// The expected version of the invitation.
    Version: Header False "If-Match" "The `ETag` of the invitation as it was looked at, or `*`"
        text().pattern(Some("^(\\*|\"[0-9]{1,19}\")$")).build();
    /// The idempotency key of a request that creates something.
    Key: Header False "Idempotency-Key" "Drawn by the client, one for each thing it wants"
        text().pattern(Some("^[!-~]{1,128}$")).build();
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Returns the schemas that routes refer to by name only.
pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut all = vec![
        (ProblemBody::name().into_owned(), ProblemBody::schema()),
        (InvitationBody::name().into_owned(), InvitationBody::schema()),
    ];
    ProblemBody::schemas(&mut all);
    InvitationBody::schemas(&mut all);
    all
}
