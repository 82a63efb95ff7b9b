//! Initial data of the demonstration. Seeding can be repeated after an interruption without
//! changing existing rows.

use invitation::{
    Actor, Created, Division, Draft, Email, Error, Expiry, IdempotencyKey, IfVersion, Redeemer,
    Refusal, Role, Timestamp, UserId, Username,
    clock::{Clock, ManualClock, SystemClock},
    sql::Dialect,
};
use time::Duration;

use crate::{
    Result,
    accounts::{Account, is_taken},
    app::Host,
    tables::Tables,
};

/// The users of the demonstration: name, role and division.
pub(crate) const USERS: [(&str, &str, Option<&str>); 4] = [
    ("admin", "admin", None),
    ("sales-manager", "manager", Some("sales")),
    ("operations-manager", "manager", Some("operations")),
    ("sales-staff", "staff", Some("sales")),
];

/// Inserts the users who can sign in.
pub(crate) async fn users<DB: Dialect>(tables: &Tables<DB>) -> Result {
    for (name, role, division) in USERS {
        let account = Account {
            id: id(name)?,
            username: Username::new(name)?,
            role: Role::new(role)?,
            division: division.map(Division::new).transpose()?,
        };
        let mut conn = tables.pool().acquire().await?;
        match Tables::<DB>::insert(&mut conn, &account, None).await {
            Err(error) if is_taken(&error) => {}
            inserted => inserted?,
        }
    }
    Ok(())
}

/// Creates invitations in each state, all through the library's own calls.
pub(crate) async fn invitations(host: &Host) -> Result {
    let sales = manager("sales-manager", "sales")?;
    let operations = manager("operations-manager", "operations")?;
    let admin = Actor::across_divisions(id("admin")?, Role::new("admin")?);
    // A clock that is ten days behind, so that an invitation has expired by now.
    let now = SystemClock.now();
    let then = now.checked_add(Duration::days(-10)).unwrap_or(now);

    let draft = Draft::new().expiring(Expiry::InDays(7));
    create(host, &sales, "expired", draft, then).await?;

    let draft = Draft::new().expiring(Expiry::InDays(30));
    let used = create(host, &sales, "used", draft, then).await?;
    let newcomer = Redeemer::new(id("jonas.weber")?, Username::new("jonas.weber")?);
    host.admission.admit(&used.code().reveal(), &newcomer).await?;

    let revoked = create(host, &sales, "revoked", Draft::new(), now).await?;
    let id = revoked.invitation().id();
    let reason = Some("hired elsewhere");
    match host.invitations.revoke(&admin, id, reason, IfVersion::Any).await {
        Err(error) if error.refusal() == Some(&Refusal::Revoked) => {}
        revoked => drop(revoked?),
    }

    let bound = Draft::new().for_email(Email::parse("maria.lopez@example.com")?);
    create(host, &sales, "bound", bound, now).await?;
    create(host, &sales, "anyone", Draft::new().expiring(Expiry::InDays(14)), now).await?;
    create(host, &operations, "operations", Draft::new(), now).await?;
    Ok(())
}

/// Creates an invitation once: the idempotency key makes a repeated call return it again.
async fn create(
    host: &Host,
    manager: &Actor,
    key: &str,
    draft: Draft,
    at: Timestamp,
) -> Result<Created> {
    let invitations = host.invitations.clone().with_clock(ManualClock::new(at));
    let key = IdempotencyKey::new(format!("demo-{key}"))?;
    let created: std::result::Result<_, Error> =
        invitations.create_once(manager, &key, draft).await;
    Ok(created?)
}

fn manager(name: &str, division: &str) -> Result<Actor> {
    Ok(Actor::in_division(id(name)?, Role::new("manager")?, Division::new(division)?))
}

/// Returns the user's name as the id, which is readable in an audit trail. The id of a
/// newcomer is derived and is no name.
fn id(name: &str) -> Result<UserId> {
    Ok(UserId::new(name)?)
}
