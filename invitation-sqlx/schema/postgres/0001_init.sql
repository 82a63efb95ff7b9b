-- Times are microseconds since 1970-01-01T00:00:00Z; ids are UUIDs as 16 bytes.
-- Text is compared byte for byte, whatever the database's collation.

CREATE TABLE {prefix}codes (
    id              BYTEA            NOT NULL PRIMARY KEY,
    digest          BYTEA            NOT NULL UNIQUE, -- tombstones keep theirs
    tag             BYTEA            NOT NULL, -- of the code's first four symbols
    sealed          BYTEA            NOT NULL, -- the code, to be shown again
    email           TEXT COLLATE "C",         -- as given
    email_key       TEXT COLLATE "C",         -- the comparison form
    email_domain    TEXT COLLATE "C",         -- bound to a domain instead
    role            TEXT COLLATE "C" NOT NULL,
    division        TEXT COLLATE "C" NOT NULL,
    inviter         TEXT COLLATE "C",         -- both NULL: the system itself
    inviter_role    TEXT COLLATE "C",
    created_at      BIGINT           NOT NULL,
    expires_at      BIGINT           NOT NULL, -- valid while now < expires_at
    max_uses        BIGINT           NOT NULL CHECK (max_uses >= 1),
    uses            BIGINT           NOT NULL CHECK (uses BETWEEN 0 AND max_uses),
    held            BIGINT           NOT NULL CHECK (held BETWEEN 0 AND max_uses - uses),
    used_id         BYTEA,                    -- the latest redemption
    used_by         TEXT COLLATE "C",
    used_name       TEXT COLLATE "C",
    used_at         BIGINT,
    used_role       TEXT COLLATE "C",
    used_lease      BYTEA,                    -- the lease that held its use
    revoked_at      BIGINT,
    revoked_reason  TEXT COLLATE "C",
    deleted_at      BIGINT,
    version         BIGINT           NOT NULL,
    batch           BYTEA,                    -- the call that created it with others
    metadata        TEXT COLLATE "C",
    request_id      BYTEA,                    -- the request that it was created by
    CHECK ((uses = 0) = (used_id IS NULL)),
    CHECK (email IS NULL OR email_domain IS NULL)
) WITH (fillfactor = 50); -- a redemption writes its row anew, and finds room beside it

-- None of these holds a column that a redemption changes, so that it updates in place.
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
    division        TEXT COLLATE "C" NOT NULL,
    standing        BIGINT           NOT NULL, -- 0: uses left, 1: revoked, 2: used
    created_at      BIGINT           NOT NULL,
    id              BYTEA            NOT NULL,
    expires_at      BIGINT           NOT NULL,
    inviter         TEXT COLLATE "C",
    -- One of 32, drawn when the row is made: a sample that proves a count to be beyond its
    -- cap. Not by random(), which repeats itself for who sets its seed. Nobody is shown it.
    sampled         BOOLEAN          NOT NULL DEFAULT (get_byte(uuid_send(gen_random_uuid()), 0) < 8),
    PRIMARY KEY (division, standing, created_at, id) INCLUDE (expires_at)
);

CREATE INDEX {prefix}standings_anywhere ON {prefix}standings (standing, created_at, id) INCLUDE (expires_at);
CREATE INDEX {prefix}standings_valid ON {prefix}standings (division, expires_at, created_at, id) WHERE standing = 0;
CREATE INDEX {prefix}standings_valid_anywhere ON {prefix}standings (expires_at, created_at, id) WHERE standing = 0;
-- By how many days they are valid for. < 1 instead of = 0, so that no other of the partial
-- indexes answers a question that is put so.
CREATE INDEX {prefix}standings_lasting ON {prefix}standings (division, ((expires_at - created_at) / 86400000000), created_at, id) INCLUDE (expires_at) WHERE standing < 1;
CREATE INDEX {prefix}standings_lasting_anywhere ON {prefix}standings (((expires_at - created_at) / 86400000000), created_at, id) INCLUDE (expires_at) WHERE standing < 1;
CREATE INDEX {prefix}standings_sampled ON {prefix}standings (division, standing, expires_at) WHERE sampled;
CREATE INDEX {prefix}standings_sampled_anywhere ON {prefix}standings (standing, expires_at) WHERE sampled;
CREATE INDEX {prefix}standings_valid_by ON {prefix}standings (inviter, expires_at) WHERE standing = 0;

-- Who redeemed a code for several uses. That of a single-use code is in its row.
CREATE TABLE {prefix}redemptions (
    invitation      BYTEA            NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    id              BYTEA            NOT NULL, -- that of its event
    username        TEXT COLLATE "C" NOT NULL,
    at              BIGINT           NOT NULL,
    role            TEXT COLLATE "C" NOT NULL, -- as granted then
    lease           BYTEA,                    -- the lease that held its use
    PRIMARY KEY (invitation, user_id)
);

CREATE INDEX {prefix}redemptions_newest ON {prefix}redemptions (invitation, at, id);

-- Uses that are held for somebody whose account is being created. As many as
-- the column held of the invitation says.
CREATE TABLE {prefix}leases (
    invitation      BYTEA            NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    id              BYTEA            NOT NULL, -- that of its first event
    username        TEXT COLLATE "C" NOT NULL,
    held_since      BIGINT           NOT NULL,
    held_until      BIGINT           NOT NULL, -- run out once now >= held_until
    division        TEXT COLLATE "C" NOT NULL, -- the invitation's, which never changes
    PRIMARY KEY (invitation, user_id)
);

CREATE INDEX {prefix}leases_first ON {prefix}leases (invitation, held_until, id);
CREATE INDEX {prefix}leases_newest ON {prefix}leases (division, held_since, id);
CREATE INDEX {prefix}leases_newest_anywhere ON {prefix}leases (held_since, id);

-- Idempotency keys of creations.
CREATE TABLE {prefix}requests (
    owner           TEXT COLLATE "C" NOT NULL, -- a user; empty: the system itself
    request_key     TEXT COLLATE "C" NOT NULL,
    id              BYTEA            NOT NULL UNIQUE,
    fingerprint     BYTEA            NOT NULL, -- of what was asked for
    results         BYTEA,                    -- what each row came to
    forgotten_at    BIGINT,                   -- of one that created nothing: known until then
    PRIMARY KEY (owner, request_key)
);

CREATE INDEX {prefix}requests_forgotten ON {prefix}requests (forgotten_at) WHERE forgotten_at IS NOT NULL;

-- One row for each quota that was ever counted: what counting locks.
CREATE TABLE {prefix}quotas (
    kind            BIGINT           NOT NULL, -- 0: of an inviter, 1: of a division
    name            TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, name)
);

-- What a search looks through: the terms of the address (part 0) and of the name of
-- the redeemer who took the n-th use (part n), which count while it is the latest.
CREATE TABLE {prefix}words (
    word            TEXT COLLATE "C" NOT NULL,
    division        TEXT COLLATE "C" NOT NULL, -- the invitation's, as is the next
    created_at      BIGINT           NOT NULL,
    invitation      BYTEA            NOT NULL,
    part            BIGINT           NOT NULL,
    PRIMARY KEY (word, division, created_at, invitation, part)
);

CREATE INDEX {prefix}words_of ON {prefix}words (invitation, part);

CREATE TABLE {prefix}events (
    id              BYTEA            NOT NULL PRIMARY KEY,
    at              BIGINT           NOT NULL,
    actor           TEXT COLLATE "C",         -- NULL: the system itself
    actor_role      TEXT COLLATE "C",         -- of a user who manages invitations
    redeemer        TEXT COLLATE "C",         -- the name of a newcomer
    action          TEXT COLLATE "C" NOT NULL,
    outcome         TEXT COLLATE "C" NOT NULL,
    reason          TEXT COLLATE "C",
    invitation      BYTEA,
    division        TEXT COLLATE "C",
    correlation     TEXT COLLATE "C",
    source          TEXT COLLATE "C",
    detail          TEXT
);

CREATE INDEX {prefix}events_newest ON {prefix}events (at, id);
CREATE INDEX {prefix}events_division ON {prefix}events (division, at, id);
CREATE INDEX {prefix}events_invitation ON {prefix}events (invitation, at, id);
CREATE INDEX {prefix}events_actor ON {prefix}events (actor, at, id);

-- The invitations for a person to read. Codes that the library sealed are not shown.
CREATE VIEW {prefix}overview AS
SELECT
    CASE WHEN substr(sealed, 1, 1) = '\x00' THEN convert_from(substr(sealed, 2), 'UTF8') END AS code,
    COALESCE(email, '@' || email_domain) AS email,
    role,
    CASE
        WHEN uses >= max_uses THEN 'used'
        WHEN revoked_at IS NOT NULL THEN 'revoked'
        WHEN expires_at <= extract(epoch FROM statement_timestamp()) * 1000000 THEN 'expired'
        ELSE 'active'
    END AS status,
    TIMESTAMPTZ 'epoch' + expires_at * INTERVAL '1 microsecond' AS expires,
    used_name || CASE WHEN uses > 1 THEN ' and ' || uses - 1 || ' more' ELSE '' END AS used_by,
    division,
    TIMESTAMPTZ 'epoch' + created_at * INTERVAL '1 microsecond' AS created,
    encode(id, 'hex') AS id
FROM {prefix}codes
WHERE deleted_at IS NULL;
