//! The minimum that a host writes: a function that identifies the actor, and two mounted
//! routers.
//!
//! ```text
//! cargo run -p axum_minimal
//! curl -d '{}' -H 'Content-Type: application/json' -H 'Authorization: Bearer secret-of-mia' \
//!     http://127.0.0.1:3000/api/invitations
//! ```

use std::{
    env::{self, VarError},
    error::Error,
    sync::Arc,
};

use axum::Router;
use invitation::{
    Actor, Division, Invitations, Role, SqliteStore, Store, UserId,
    web::{BaseUrl, Dashboard, Parts, Web},
};
use tokio::net::TcpListener;

/// Returns the acting user. A real host looks up its session, or checks a signed token.
fn who(request: &Parts) -> Option<Actor> {
    let token = request.headers.get("authorization")?;
    if token != "Bearer secret-of-mia" {
        return None;
    }
    let (id, role) = (UserId::new("mia").ok()?, Role::new("manager").ok()?);
    Some(Actor::in_division(id, role, Division::new("sales").ok()?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = match env::var("PORT") {
        Ok(port) => port.parse::<u16>()?,
        Err(VarError::NotPresent) => 3000,
        Err(error) => return Err(error.into()),
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let base = format!("http://{}", listener.local_addr()?);

    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().await?);
    let web = Web::new(Invitations::new(store), who).with_base_url(BaseUrl::parse(&base)?);
    let app: Router = Router::new()
        .nest_service("/api/invitations", web.api())
        .nest_service("/invitations", web.dashboard(Dashboard::new()))
        .merge(web.openapi_router("/api/invitations"));

    println!("listening on {base}");
    Ok(axum::serve(listener, app).await?)
}
