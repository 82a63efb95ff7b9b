//! The parts of the OpenAPI description that several routes share.

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

/// The problem responses of every request.
const EVERY: &[(&str, &str)] = &[
    ("400", "The query cannot be read"),
    ("401", "No user is signed in"),
    ("403", "The actor may not do this, or the request comes from another origin"),
    ("414", "The URI is too long"),
    ("422", "Some values are not valid"),
    ("431", "The headers are too large"),
    ("503", "The store is down, or too busy"),
];

/// The base of sets that a route lists beside another one.
const NONE: &[(&str, &str)] = &[];

/// Declares sets of problem responses, which extend a base. Each response has a status and a
/// description.
///
/// A route lists several sets. If two of them have the same status, the later description
/// replaces the earlier one: OpenAPI has one response for each status.
macro_rules! problems {
    ($base:ident: $($(#[$doc:meta])* $name:ident { $($status:literal $description:literal)* })+) => {
        $($(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
                let own: &[(&str, &str)] = &[$(($status, $description)),*];
                let all = $base.iter().chain(own);
                all.map(|(status, text)| ((*status).to_owned(), problem(status, text))).collect()
            }
        })+
    };
}

problems! {
    EVERY:
    /// Problem responses of every request, except those about one resource.
    Common {}
    /// Problem responses of every request about one invitation.
    OnOne { "404" "The invitation does not exist, or the actor may not see it" }
    /// Problem responses of every request about imports.
    OnImports {
        "404" "There is no such import within the actor's reach, or the host serves no imports"
        "503" "The store is down or too busy, or another machine has the file"
    }
    /// Problem responses of a request about one delivery.
    OnDelivery { "404" "The delivery does not exist, or the actor may not see it" }
    /// Problem responses of every request about one endpoint of webhooks.
    OnEndpoint { "404" "There is no such endpoint" }
}

problems! {
    NONE:
    /// Problem responses of a request that needs an import in another state.
    ImportState { "409" "The state of the import does not allow it" }
    /// Problem responses of a request with a body.
    WithBody {
        "400" "The body or the query cannot be read"
        "408" "The body arrived too slowly"
        "413" "The body is too large"
        "415" "The content type or the content encoding of the body is not supported"
    }
    /// Problem responses of a request that changes an invitation.
    Changing {
        "409" "The state of the invitation does not allow the change"
        "412" "The invitation has another version than `If-Match` names"
    }
    /// Problem responses of a request with an idempotency key.
    KeyReused { "409" "An earlier request with this key had other content" }
    /// Problem responses of a registration with an idempotency key.
    Registering {
        "409" "An earlier request with this key had other content, or its secret has been replaced since"
    }
    /// Problem responses of a request for a code.
    Copying { "409" "Only a digest of the code is kept" }
    /// Problem responses of a request that sends an invitation.
    Sending { "409" "The state of the invitation does not allow it, or it is not for an address" }
    /// Problem responses of a request that sends an invitation again.
    UnderMailLimit { "429" "The actor, or others for the same address, asked for too many mails" }
    /// Problem responses of an import or export, which may also add pending invitations.
    InBulk { "429" "Too many imports and exports at once, or too many invitations pending" }
    /// Problem responses of a request that adds pending invitations.
    UnderQuota { "429" "Too many invitations are pending" }
}

/// Returns a response with a problem as its body, and the headers of its status.
fn problem(status: &str, description: &str) -> RefOr<Response> {
    let content = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name(ProblemBody::name()))))
        .build();
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content);
    let response = match status {
        "401" => response.header("WWW-Authenticate", header("A way to sign in")),
        "429" | "503" => {
            let seconds = "The seconds after which to try again";
            let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
            let header = HeaderBuilder::new().schema(Some(schema)).description(Some(seconds));
            response.header("Retry-After", header.build())
        }
        _ => response,
    };
    response.build().into()
}

/// Returns a response with an invitation as its body, and its version as `ETag`.
fn invitation(description: &str) -> ResponseBuilder {
    let content = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name(InvitationBody::name()))))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .header("ETag", header("The version, in quotes"))
}

fn header(description: &str) -> Header {
    HeaderBuilder::new().schema(Some(String::schema())).description(Some(description)).build()
}

/// The response 200 with the current state of one invitation.
pub(crate) struct One;

impl IntoResponses for One {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        [("200".to_owned(), invitation("The invitation").build().into())].into()
    }
}

/// The response 201 with the new invitation.
pub(crate) struct Created;

impl IntoResponses for Created {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        let location = header("The URL path of the new invitation");
        [(
            "201".to_owned(),
            invitation("The new invitation").header("Location", location).build().into(),
        )]
        .into()
    }
}

/// Declares request parameters: place, whether it is required, name, description and schema.
macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident: $in:ident $required:ident $param:literal $description:literal $schema:expr;)+) => {
        $($(#[$doc])*
        pub(crate) struct $name;

        impl IntoParams for $name {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                vec![
                    ParameterBuilder::new()
                        .name($param)
                        .parameter_in(ParameterIn::$in)
                        .required(Required::$required)
                        .description(Some($description))
                        .schema(Some($schema))
                        .build(),
                ]
            }
        })+
    };
}

parameters! {
    /// The id in the path.
    Id: Path True "id" "The id of the invitation"
        text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).build();
    /// The id of an import in the path.
    Import: Path True "import" "The id of the import, which is the batch of its invitations"
        text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).build();
    /// The id of a delivery in the path.
    DeliveryPath: Path True "delivery" "The id of the delivery"
        text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).build();
    /// The name of an endpoint of webhooks in the path.
    EndpointPath: Path True "endpoint" "The name of the endpoint"
        text().build();
    /// The expected version of the invitation.
    Version: Header False "If-Match" "The `ETag` with which the client got the invitation, or `*` for any version"
        text().pattern(Some("^(\\*|\"[0-9]{1,19}\")$")).build();
    /// The idempotency key of a request that creates something.
    Key: Header False "Idempotency-Key" "A key that the client chooses for one creation, and sends again when it retries"
        text().pattern(Some("^[!-~]{1,128}$")).build();
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Returns the schemas that the responses above refer to by name. `utoipa` collects only the
/// schemas that it finds in the types of a route.
pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut all = vec![
        (ProblemBody::name().into_owned(), ProblemBody::schema()),
        (InvitationBody::name().into_owned(), InvitationBody::schema()),
    ];
    ProblemBody::schemas(&mut all);
    InvitationBody::schemas(&mut all);
    all
}
