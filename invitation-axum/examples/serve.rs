//! The API alone, in memory, for trying it out:
//!
//! ```sh
//! cargo run -p invitation-axum --example serve
//! curl -H 'Authorization: Bearer demo-admin' http://127.0.0.1:3000/api/invitations
//! ```
//!
//! A demonstration: whoever says `demo-admin` or `demo-sales-manager` is believed.

use std::{env, error::Error, sync::Arc};

use axum::Router;
use invitation_axum::{BaseUrl, Parts, Web};
use invitation_core::{Actor, Division, Invitations, MemoryStore, Role, Store, UserId};
use tokio::net::TcpListener;

fn who(request: &Parts) -> Option<Actor> {
    let token = request.headers.get("authorization")?.to_str().ok()?;
    let name = token.strip_prefix("Bearer demo-")?;
    let user = UserId::new(name).ok()?;
    match name {
        "admin" => Some(Actor::across_divisions(user, Role::new("admin").ok()?)),
        "sales-manager" => {
            Some(Actor::in_division(user, Role::new("manager").ok()?, Division::new("sales").ok()?))
        }
        _ => None,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT").ok().map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let web = Web::new(Invitations::new(store), who).with_base_url(BaseUrl::parse(&address)?);
    let mount = "/api/invitations";
    let app = Router::new().nest_service(mount, web.api()).merge(web.openapi_router(mount));
    println!("listening on {address}");
    axum::serve(listener, app).await?;
    Ok(())
}
