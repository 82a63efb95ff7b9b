-- Times are microseconds since 1970-01-01T00:00:00Z; ids are UUIDs as 16 bytes.
-- Text is compared byte for byte (BINARY, SQLite's default collation).

CREATE TABLE {prefix}codes (
    id              BLOB    NOT NULL PRIMARY KEY,
    digest          BLOB    NOT NULL UNIQUE,  -- tombstones keep theirs
    tag             BLOB    NOT NULL,         -- of the code's first four symbols
    sealed          BLOB    NOT NULL,         -- the code, to be shown again
    email           TEXT,                     -- as given
    email_key       TEXT,                     -- the comparison form
    email_domain    TEXT,                     -- bound to a domain instead
    role            TEXT    NOT NULL,
    division        TEXT    NOT NULL,
    inviter         TEXT,                     -- both NULL: the system itself
    inviter_role    TEXT,
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
    used_lease      BLOB,                     -- the lease that held its use
    revoked_at      INTEGER,
    revoked_reason  TEXT,
    deleted_at      INTEGER,
    version         INTEGER NOT NULL,
    batch           BLOB,                     -- the call that created it with others
    metadata        TEXT,
    request_id      BLOB,                     -- the request that it was created by
    CHECK ((uses = 0) = (used_id IS NULL)),
    CHECK (email IS NULL OR email_domain IS NULL)
) STRICT;

-- None of these holds a column that a redemption changes.
CREATE INDEX {prefix}codes_newest ON {prefix}codes (division, created_at, id);
CREATE INDEX {prefix}codes_newest_anywhere ON {prefix}codes (created_at, id);
CREATE INDEX {prefix}codes_role ON {prefix}codes (role, division, created_at, id);
CREATE INDEX {prefix}codes_inviter ON {prefix}codes (inviter, created_at, id);
CREATE INDEX {prefix}codes_tag ON {prefix}codes (tag);
CREATE INDEX {prefix}codes_batch ON {prefix}codes (batch, created_at, id) WHERE batch IS NOT NULL;
CREATE INDEX {prefix}codes_invitee ON {prefix}codes (email_key, division, expires_at) WHERE email_key IS NOT NULL;
CREATE INDEX {prefix}codes_request ON {prefix}codes (request_id) WHERE request_id IS NOT NULL;

-- Where each invitation stands that is no tombstone: what lists and counts by status
-- and quotas go through.
CREATE TABLE {prefix}standings (
    division        TEXT    NOT NULL,
    standing        INTEGER NOT NULL,         -- 0: uses left, 1: revoked, 2: used
    created_at      INTEGER NOT NULL,
    id              BLOB    NOT NULL,
    expires_at      INTEGER NOT NULL,
    inviter         TEXT,
    PRIMARY KEY (division, standing, created_at, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}standings_anywhere ON {prefix}standings (standing, created_at, id, expires_at);
CREATE INDEX {prefix}standings_valid ON {prefix}standings (division, expires_at) WHERE standing = 0;
CREATE INDEX {prefix}standings_valid_anywhere ON {prefix}standings (expires_at) WHERE standing = 0;
CREATE INDEX {prefix}standings_valid_by ON {prefix}standings (inviter, expires_at) WHERE standing = 0;

-- Who redeemed a code for several uses. That of a single-use code is in its row.
CREATE TABLE {prefix}redemptions (
    invitation      BLOB    NOT NULL,
    user_id         TEXT    NOT NULL,
    id              BLOB    NOT NULL,         -- that of its event
    username        TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    role            TEXT    NOT NULL,         -- as granted then
    lease           BLOB,                     -- the lease that held its use
    PRIMARY KEY (invitation, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}redemptions_newest ON {prefix}redemptions (invitation, at, id);

-- Uses that are held for somebody whose account is being created. As many as
-- the column held of the invitation says.
CREATE TABLE {prefix}leases (
    invitation      BLOB    NOT NULL,
    user_id         TEXT    NOT NULL,
    id              BLOB    NOT NULL,         -- that of its first event
    username        TEXT    NOT NULL,
    held_since      INTEGER NOT NULL,
    held_until      INTEGER NOT NULL,         -- run out once now >= held_until
    division        TEXT    NOT NULL,         -- the invitation's, which never changes
    PRIMARY KEY (invitation, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}leases_first ON {prefix}leases (invitation, held_until, id);
CREATE INDEX {prefix}leases_newest ON {prefix}leases (division, held_since, id);
CREATE INDEX {prefix}leases_newest_anywhere ON {prefix}leases (held_since, id);

-- Idempotency keys of creations.
CREATE TABLE {prefix}requests (
    owner           TEXT    NOT NULL,         -- a user; empty: the system itself
    request_key     TEXT    NOT NULL,
    id              BLOB    NOT NULL UNIQUE,
    fingerprint     BLOB    NOT NULL,         -- of what was asked for
    results         BLOB,                     -- what each row came to
    forgotten_at    INTEGER,                  -- of one that created nothing: known until then
    PRIMARY KEY (owner, request_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}requests_forgotten ON {prefix}requests (forgotten_at) WHERE forgotten_at IS NOT NULL;

-- One row for each quota that was ever counted: what counting locks.
CREATE TABLE {prefix}quotas (
    kind            INTEGER NOT NULL,         -- 0: of an inviter, 1: of a division
    name            TEXT    NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- What a search looks through: the terms of the address (part 0) and of the name of
-- the redeemer who took the n-th use (part n), which count while it is the latest.
CREATE TABLE {prefix}words (
    word            TEXT    NOT NULL,
    division        TEXT    NOT NULL,         -- the invitation's, as is the next
    created_at      INTEGER NOT NULL,
    invitation      BLOB    NOT NULL,
    part            INTEGER NOT NULL,
    PRIMARY KEY (word, division, created_at, invitation, part)
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}words_of ON {prefix}words (invitation, part);

-- Every index of it holds the id in any case, so it needs no row number besides.
CREATE TABLE {prefix}events (
    id              BLOB    NOT NULL PRIMARY KEY,
    at              INTEGER NOT NULL,
    actor           TEXT,                     -- NULL: the system itself
    actor_role      TEXT,                     -- of a user who manages invitations
    redeemer        TEXT,                     -- the name of a newcomer
    action          TEXT    NOT NULL,
    outcome         TEXT    NOT NULL,
    reason          TEXT,
    invitation      BLOB,
    division        TEXT,
    correlation     TEXT,
    source          TEXT,
    detail          TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX {prefix}events_newest ON {prefix}events (at, id);
CREATE INDEX {prefix}events_division ON {prefix}events (division, at, id);
CREATE INDEX {prefix}events_invitation ON {prefix}events (invitation, at, id);
CREATE INDEX {prefix}events_actor ON {prefix}events (actor, at, id);

-- The invitations for a person to read, with times in UTC. Codes that the library
-- sealed are not shown.
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
