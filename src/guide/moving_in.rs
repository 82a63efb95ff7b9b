use invitation::{
    Division, Draft, Email, Expiry, IdempotencyKey, Invitations, Refusal, Role, SystemActor,
    Timestamp, sql::sqlx,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A row of the host's table: id, code, address, role, team, and expiry in seconds.
type Invite = (i64, String, Option<String>, String, String, i64);

/// The rows that are pending and have not moved yet.
const PENDING: &str = "\
    SELECT id, code, email, role, team, expires_at FROM invites \
    WHERE used_at IS NULL AND expires_at > $1 \
    AND NOT EXISTS (SELECT 1 FROM moved_invites WHERE moved_invites.code = invites.code) \
    ORDER BY id LIMIT 500";

/// Moves up to 500 rows, and returns their number.
async fn move_invites(invitations: &Invitations<Store>) -> Result<usize> {
    let pool = invitations.store().pool();
    let job = SystemActor::new("moving-in")?;
    // An invitation lasts for an hour at least. A row with less time left is not worth moving.
    let soon = invitations.now().as_micros() / 1_000_000 + 3_600 + 60;
    let rows: Vec<Invite> = sqlx::query_as(PENDING).bind(soon).fetch_all(pool).await?;
    for (id, code, email, role, team, expires_at) in &rows {
        let expires_at = expires_at.checked_mul(1_000_000).and_then(Timestamp::from_micros);
        let expires_at = expires_at.ok_or_else(|| format!("the expiry of invite {id}"))?;
        let mut draft = Draft::new()
            .with_role(Role::new(role)?)
            .in_division(Division::new(team)?)
            .expiring(Expiry::At(expires_at));
        if let Some(email) = email {
            draft = draft.for_email(Email::parse(email)?);
        }
        let key = IdempotencyKey::new(format!("invite-{id}"))?;
        let created = invitations.create_once(&job, &key, draft).await?;
        sqlx::query("INSERT INTO moved_invites (code, invitation) VALUES ($1, $2)")
            .bind(code)
            .bind(created.invitation().id().to_string())
            .execute(pool)
            .await?;
    }
    Ok(rows.len())
}

/// Returns the code to redeem: that of the invitation that an old code leads to, or the typed text.
async fn current_code(invitations: &Invitations<Store>, typed: &str) -> Result<String> {
    let moved = sqlx::query_scalar("SELECT invitation FROM moved_invites WHERE code = $1")
        .bind(typed.trim());
    let moved: Option<String> = moved.fetch_optional(invitations.store().pool()).await?;
    let Some(id) = moved else { return Ok(typed.to_owned()) };
    let job = SystemActor::new("moving-in")?;
    match invitations.copy(&job, id.parse()?).await {
        Ok(code) => Ok(code.reveal().to_string()),
        // Deleted or purged: the old text is then a code that cannot be read.
        Err(error) if error.refusal() == Some(&Refusal::NotFound) => Ok(typed.to_owned()),
        Err(error) => Err(error.into()),
    }
}
