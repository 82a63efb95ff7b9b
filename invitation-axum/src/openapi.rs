//! The OpenAPI description of the API, generated from its handlers.

mod limits;

use axum::{Router, body::Bytes, http::header, routing::get};
use utoipa::openapi::{
    InfoBuilder, OpenApi, OpenApiBuilder,
    path::Paths,
    security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
};

use crate::{
    api,
    problem::{Problem, ProblemKind},
    web::Web,
};

/// The name of the security scheme. The host determines how users sign in.
const SECURITY: &str = "host";
const NO_SCOPES: [&str; 0] = [];

impl Web {
    /// Returns the OpenAPI 3.1 document of the [API](Self::api) when it is mounted at
    /// `mount`. It has the limits of the service.
    #[must_use]
    pub fn openapi(&self, mount: &str) -> OpenApi {
        let (_, mut described) = api::routes(self).split_for_parts();
        let mut components = described.components.take().unwrap_or_default();
        components.schemas.extend(api::docs::schemas());
        limits::describe(self.service().limits(), &mut components, &mut described.paths);
        let mount = mount.trim_end_matches('/');
        let mut paths = Paths::new();
        for (path, item) in described.paths.paths {
            let path = if path == "/" { mount.to_owned() } else { format!("{mount}{path}") };
            paths.paths.insert(path, item);
        }
        let info = InfoBuilder::new()
            .title("Invitations")
            .description(Some("Invitation codes: create, list, share, revoke, audit."))
            .version(env!("CARGO_PKG_VERSION"));
        components
            .add_security_scheme(SECURITY, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        OpenApiBuilder::new()
            .info(info.build())
            .paths(paths)
            .components(Some(components))
            .security(Some([SecurityRequirement::new(SECURITY, NO_SCOPES)]))
            .build()
    }

    /// Returns a router that serves the document of the API mounted at `mount` as
    /// `/openapi.json`. It requires no sign-in.
    pub fn openapi_router(&self, mount: &str) -> Router {
        // Serialized once. It cannot fail for a document that was built from the types.
        let document = serde_json::to_vec(&self.openapi(mount)).unwrap_or_default();
        let document = Bytes::from(document);
        let answer = async move || ([(header::CONTENT_TYPE, "application/json")], document.clone());
        let router = Router::new().route("/openapi.json", get(answer));
        self.with_middleware(router.method_not_allowed_fallback(method_not_allowed))
    }
}

async fn method_not_allowed() -> Problem {
    Problem::new(ProblemKind::MethodNotAllowed)
}
