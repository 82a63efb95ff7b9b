//! The benchmarked host: the API, a registration route, and a handler that does nothing.

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use axum::{Router, extract::State, http::StatusCode, routing};
use invitation::{
    Actor, Division, Draft, Error, Invitations, PgStore, Redeemer, Role, SqliteStore, Store,
    UserId, Username,
    sql::sqlx,
    web::{Parts, Web},
};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::Result;

/// A store with the host's accounts in the same database.
#[async_trait]
pub(crate) trait Accounts: Store + Clone + Sized + 'static {
    async fn make_table(&self) -> Result;

    /// Updates the database's row statistics, as the database does by itself after a while.
    async fn settle(&self) -> Result;

    /// Creates an account and redeems a code in one transaction: both or neither.
    async fn register(invitations: &Invitations<Self>, code: &str, name: &str) -> Result;
}

macro_rules! accounts {
    ($store:ty, $begin:literal, $insert:literal, $settle:literal) => {
        #[async_trait]
        impl Accounts for $store {
            async fn make_table(&self) -> Result {
                let table = "CREATE TABLE users (name VARCHAR(128) PRIMARY KEY, role TEXT)";
                sqlx::raw_sql(table).execute(self.pool()).await?;
                Ok(())
            }

            async fn settle(&self) -> Result {
                sqlx::raw_sql($settle).execute(self.pool()).await?;
                Ok(())
            }

            async fn register(invitations: &Invitations<Self>, code: &str, name: &str) -> Result {
                let newcomer = Redeemer::new(UserId::new(name)?, Username::new(name)?);
                let store = invitations.store();
                let mut tx = store.pool().begin_with($begin).await?;
                let redeemed = invitations.on(store.join(&mut tx)).redeem(code, &newcomer).await?;
                sqlx::query($insert)
                    .bind(redeemed.username().as_str())
                    .bind(redeemed.role().as_str())
                    .execute(&mut *tx)
                    .await?;
                tx.commit().await?;
                Ok(())
            }
        }
    };
}

accounts!(
    SqliteStore,
    "BEGIN IMMEDIATE",
    "INSERT INTO users (name, role) VALUES (?, ?)",
    "PRAGMA optimize"
);
accounts!(PgStore, "BEGIN", "INSERT INTO users (name, role) VALUES ($1, $2)", "ANALYZE");

/// A running host.
pub(crate) struct Host<S> {
    address: SocketAddr,
    invitations: Invitations<S>,
}

fn admin() -> std::result::Result<Actor, invitation::FieldError> {
    let actor = Actor::across_divisions(UserId::new("ada")?, Role::new("admin")?);
    Ok(actor.based_in(Division::new("sales")?))
}

impl<S: Accounts> Host<S> {
    /// Starts a host on a free port, with a thousand invitations to list.
    pub(crate) async fn start(store: S) -> Result<Self> {
        store.make_table().await?;
        let shared: Arc<dyn Store> = Arc::new(store.clone());
        let who = |request: &Parts| {
            let token = request.headers.get("authorization")?;
            if token == "Bearer ada" { admin().ok() } else { None }
        };
        let web = Web::new(Invitations::new(shared), who);
        let invitations = Invitations::new(store);
        let app = Router::new()
            .route("/nothing", routing::get(async || "{}"))
            .route("/register", routing::post(register::<S>))
            .with_state(invitations.clone())
            .nest_service("/api/invitations", web.api());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, app).await });
        let host = Self { address, invitations };
        host.fresh_codes(1_000).await?;
        Ok(host)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn settle(&self) -> Result {
        self.invitations.store().settle().await
    }

    pub(crate) async fn fresh_codes(&self, n: usize) -> Result<Vec<String>> {
        let draft = Draft::new().with_role(Role::new("staff")?);
        let mut codes = Vec::with_capacity(n);
        while codes.len() < n {
            let batch = vec![draft.clone(); (n - codes.len()).min(1_000)];
            let created = self.invitations.create_many(&admin()?, batch).await?;
            codes.extend(created.iter().map(|one| one.code().reveal().to_string()));
        }
        Ok(codes)
    }
}

async fn register<S: Accounts>(
    State(invitations): State<Invitations<S>>,
    axum::Json(body): axum::Json<Value>,
) -> StatusCode {
    let text = |field: &str| body[field].as_str().unwrap_or_default();
    match S::register(&invitations, text("code"), text("username")).await {
        Ok(()) => StatusCode::CREATED,
        Err(error) if error.is::<Error>() => StatusCode::GONE,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
