-- Times are microseconds since 1970-01-01T00:00:00Z; ids are UUIDs as 16 bytes.
-- Text is compared byte for byte (BINARY, SQLite's default collation).

CREATE TABLE {prefix}codes (
    id              BLOB    NOT NULL PRIMARY KEY,
    digest          BLOB    NOT NULL UNIQUE,  -- kept by tombstones too
    tag             BLOB    NOT NULL,         -- a tag of the code's first four symbols
    sealed          BLOB    NOT NULL,         -- the code, to be shown again
    email           TEXT,                     -- as given
    email_key       TEXT,                     -- the comparison form
    email_domain    TEXT,                     -- set if bound to a domain instead
    role            TEXT    NOT NULL,
    division        TEXT    NOT NULL,
    inviter         TEXT,                     -- all NULL if the system created it
    inviter_role    TEXT,
    inviter_name    TEXT,                     -- as people knew the user then
    grantor         TEXT,                     -- the user whose rights the role is granted by
    grantor_role    TEXT,
    grantor_name    TEXT,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,         -- valid while now < expires_at
    max_uses        INTEGER NOT NULL CHECK (max_uses >= 1),
    uses            INTEGER NOT NULL CHECK (uses BETWEEN 0 AND max_uses),
    held            INTEGER NOT NULL CHECK (held BETWEEN 0 AND max_uses - uses),
    used_id         BLOB,                     -- the latest redemption
    used_by         TEXT,
    used_name       TEXT,
    used_at         INTEGER,
    used_role       TEXT,
    used_lease      BLOB,                     -- the lease that reserved its use
    used_mailbox    TEXT,                     -- its proved address, if bound to a domain
    revoked_at      INTEGER,
    revoked_reason  TEXT,
    deleted_at      INTEGER,
    version         INTEGER NOT NULL,
    batch           BLOB,                     -- the bulk call that created it
    metadata        TEXT,
    request_id      BLOB,                     -- the idempotent request that created it
    CHECK ((uses = 0) = (used_id IS NULL)),
    CHECK (email IS NULL OR email_domain IS NULL)
) STRICT;

-- None of these indexes contains a column that a redemption changes.
CREATE INDEX {prefix}codes_newest ON {prefix}codes (division, created_at, id);
CREATE INDEX {prefix}codes_newest_anywhere ON {prefix}codes (created_at, id);
CREATE INDEX {prefix}codes_role ON {prefix}codes (role, division, created_at, id);
CREATE INDEX {prefix}codes_inviter ON {prefix}codes (inviter, created_at, id);
CREATE INDEX {prefix}codes_tag ON {prefix}codes (tag);
CREATE INDEX {prefix}codes_batch ON {prefix}codes (batch, created_at, id) WHERE batch IS NOT NULL;
CREATE INDEX {prefix}codes_invitee ON {prefix}codes (email_key, division, expires_at) WHERE email_key IS NOT NULL;
CREATE INDEX {prefix}codes_request ON {prefix}codes (request_id) WHERE request_id IS NOT NULL;

-- The state of each invitation that is no tombstone. Lists and counts by status use it, and
-- so do quotas.
CREATE TABLE {prefix}states (
    division        TEXT    NOT NULL,
    state           INTEGER NOT NULL,         -- 0: uses left, 1: revoked, 2: used
    created_at      INTEGER NOT NULL,
    id              BLOB    NOT NULL,
    expires_at      INTEGER NOT NULL,
    inviter         TEXT,
    PRIMARY KEY (division, state, created_at, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}states_anywhere ON {prefix}states (state, created_at, id, expires_at);
-- The condition is <= 0: after an equality, a planner without statistics expects so few rows that it
-- uses any index with the state, and sorts.
CREATE INDEX {prefix}states_valid ON {prefix}states (division, expires_at, id) WHERE state <= 0;
CREATE INDEX {prefix}states_valid_anywhere ON {prefix}states (expires_at, id) WHERE state <= 0;
CREATE INDEX {prefix}states_valid_by ON {prefix}states (inviter, expires_at, id) WHERE state <= 0;

-- Redemptions of codes for several uses. The redemption of a single-use code is in its row.
CREATE TABLE {prefix}redemptions (
    invitation      BLOB    NOT NULL,
    user_id         TEXT    NOT NULL,
    id              BLOB    NOT NULL,         -- the id of its event
    username        TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    role            TEXT    NOT NULL,         -- as granted at that time
    lease           BLOB,                     -- the lease that reserved its use
    mailbox         TEXT,                     -- its proved address, if bound to a domain
    PRIMARY KEY (invitation, user_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX {prefix}redemptions_mailbox ON {prefix}redemptions (invitation, mailbox) WHERE mailbox IS NOT NULL;

CREATE INDEX {prefix}redemptions_newest ON {prefix}redemptions (invitation, at, id);

-- Reserved uses, for users whose accounts are being created. The column held of the
-- invitation has their number.
CREATE TABLE {prefix}leases (
    invitation      BLOB    NOT NULL,
    user_id         TEXT    NOT NULL,
    id              BLOB    NOT NULL,         -- the id of its first event
    username        TEXT    NOT NULL,
    held_since      INTEGER NOT NULL,
    held_until      INTEGER NOT NULL,         -- expired once now >= held_until
    division        TEXT    NOT NULL,         -- of the invitation, never changes
    mailbox         TEXT,                     -- the proved address, if bound to a domain
    PRIMARY KEY (invitation, user_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX {prefix}leases_mailbox ON {prefix}leases (invitation, mailbox) WHERE mailbox IS NOT NULL;

CREATE INDEX {prefix}leases_first ON {prefix}leases (invitation, held_until, id);
CREATE INDEX {prefix}leases_newest ON {prefix}leases (division, held_since, id);
CREATE INDEX {prefix}leases_newest_anywhere ON {prefix}leases (held_since, id);

-- Idempotency keys of creations.
CREATE TABLE {prefix}requests (
    owner           TEXT    NOT NULL,         -- a user, or empty for the system
    request_key     TEXT    NOT NULL,
    id              BLOB    NOT NULL UNIQUE,
    fingerprint     BLOB    NOT NULL,         -- of the request's content
    results         BLOB,                     -- the result of each row
    forgotten_at    INTEGER,                  -- expiry of a key that created nothing
    PRIMARY KEY (owner, request_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}requests_forgotten ON {prefix}requests (forgotten_at) WHERE forgotten_at IS NOT NULL;

-- One row for each quota that was ever counted. Counting locks it.
CREATE TABLE {prefix}quotas (
    kind            INTEGER NOT NULL,         -- 0: of an inviter, 1: of a division
    name            TEXT    NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- Search terms: of the address (part 0), and of the name of the redeemer of the n-th use
-- (part n). Those of a deleted invitation stay until the purge.
CREATE TABLE {prefix}search_terms (
    term            TEXT    NOT NULL,
    division        TEXT    NOT NULL,         -- of the invitation, like created_at
    created_at      INTEGER NOT NULL,
    invitation      BLOB    NOT NULL,
    part            INTEGER NOT NULL,
    PRIMARY KEY (term, division, created_at, invitation, part)
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}search_terms_of ON {prefix}search_terms (invitation, part, term);

-- The position in the feed is the order of commits, because there is one writer at a time. A
-- number would come again only if the last row was deleted. A removal of old events writes a
-- row behind them, and nothing else deletes any.
CREATE TABLE {prefix}events (
    position        INTEGER NOT NULL PRIMARY KEY,
    id              BLOB    NOT NULL UNIQUE,
    at              INTEGER NOT NULL,
    actor           TEXT,                     -- NULL for the system
    actor_role      TEXT,                     -- set for users who manage invitations
    actor_name      TEXT,                     -- of an actor, a redeemer or a job
    action          TEXT    NOT NULL,
    outcome         TEXT    NOT NULL,
    reason          TEXT,
    invitation      BLOB,
    division        TEXT,
    correlation     TEXT,
    source          TEXT,
    detail          TEXT
) STRICT;

CREATE INDEX {prefix}events_newest ON {prefix}events (at, id);
CREATE INDEX {prefix}events_division ON {prefix}events (division, at, id);
CREATE INDEX {prefix}events_invitation ON {prefix}events (invitation, at, id);
CREATE INDEX {prefix}events_actor ON {prefix}events (actor, at, id);
CREATE INDEX {prefix}events_correlation ON {prefix}events (correlation, at, id) WHERE correlation IS NOT NULL;

-- How far the consumers of the feed have come, and who works from there.
CREATE TABLE {prefix}cursors (
    name            TEXT    NOT NULL PRIMARY KEY,
    position        BLOB,                     -- of the last processed event: 24 bytes
    holder          TEXT,                     -- both NULL if it was released
    held_until      INTEGER,
    claims          INTEGER NOT NULL,
    version         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Small versioned records that consumers of the feed keep, such as the delivery of a mail.
CREATE TABLE {prefix}documents (
    kind            TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    version         INTEGER NOT NULL,
    division        TEXT,                     -- NULL if it concerns all divisions
    invitation      BLOB,                     -- the invitation that it is about, if any
    state           TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    due             INTEGER,                  -- NULL if there is nothing to do
    body            BLOB    NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT;

CREATE INDEX {prefix}documents_due ON {prefix}documents (kind, due, name) WHERE due IS NOT NULL;
CREATE INDEX {prefix}documents_newest ON {prefix}documents (kind, at, name);
CREATE INDEX {prefix}documents_state ON {prefix}documents (kind, state, at, name);
CREATE INDEX {prefix}documents_division ON {prefix}documents (kind, division, at, name) WHERE division IS NOT NULL;
CREATE INDEX {prefix}documents_invitation ON {prefix}documents (kind, invitation, at, name) WHERE invitation IS NOT NULL;

-- The failed guesses of codes in the last two minutes. No row has an address or a code.
CREATE TABLE {prefix}budgets (
    id              BLOB    NOT NULL PRIMARY KEY, -- a hash of the source, or of source and code
    minute          INTEGER NOT NULL,         -- since 1970-01-01T00:00Z
    taken           INTEGER NOT NULL          -- tokens taken in that minute
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}budgets_minute ON {prefix}budgets (minute);

-- The invitations for human readers, with times in UTC. Sealed codes are not shown.
CREATE VIEW {prefix}overview AS
SELECT
    CASE WHEN substr(sealed, 1, 1) = x'00' THEN CAST(substr(sealed, 2) AS TEXT) END AS code,
    COALESCE(email, '@' || email_domain) AS email,
    role,
    CASE
        WHEN uses >= max_uses THEN 'used'
        WHEN revoked_at IS NOT NULL THEN 'revoked'
        WHEN expires_at <= (julianday('now') - 2440587.5) * 86400000000 THEN 'expired'
        ELSE 'active'
    END AS status,
    strftime('%Y-%m-%d %H:%M:%f', expires_at / 1000000.0, 'unixepoch') AS expires,
    used_name || CASE WHEN uses > 1 THEN ' and ' || (uses - 1) || ' more' ELSE '' END AS used_by,
    division,
    strftime('%Y-%m-%d %H:%M:%f', created_at / 1000000.0, 'unixepoch') AS created,
    lower(hex(id)) AS id
FROM {prefix}codes
WHERE deleted_at IS NULL;
