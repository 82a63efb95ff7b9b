-- Times are microseconds since 1970-01-01T00:00:00Z; ids are UUIDs as 16 bytes.
-- Text is compared byte for byte, whatever the database's collation.

CREATE TABLE {prefix}codes (
    id              BYTEA            NOT NULL PRIMARY KEY,
    digest          BYTEA            NOT NULL UNIQUE, -- kept by tombstones too
    tag             BYTEA            NOT NULL, -- a tag of the code's first four symbols
    sealed          BYTEA            NOT NULL, -- the code, to be shown again
    email           TEXT COLLATE "C",         -- as given
    email_key       TEXT COLLATE "C",         -- the comparison form
    email_domain    TEXT COLLATE "C",         -- set if bound to a domain instead
    role            TEXT COLLATE "C" NOT NULL,
    division        TEXT COLLATE "C" NOT NULL,
    inviter         TEXT COLLATE "C",         -- all NULL if the system created it
    inviter_role    TEXT COLLATE "C",
    inviter_name    TEXT COLLATE "C",         -- as people knew the user then
    grantor         TEXT COLLATE "C",         -- the user whose rights the role is granted by
    grantor_role    TEXT COLLATE "C",
    grantor_name    TEXT COLLATE "C",
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
    used_lease      BYTEA,                    -- the lease that reserved its use
    used_mailbox    TEXT COLLATE "C",         -- its proved address, if bound to a domain
    revoked_at      BIGINT,
    revoked_reason  TEXT COLLATE "C",
    deleted_at      BIGINT,
    version         BIGINT           NOT NULL,
    batch           BYTEA,                    -- the bulk call that created it
    metadata        TEXT COLLATE "C",
    request_id      BYTEA,                    -- the idempotent request that created it
    CHECK ((uses = 0) = (used_id IS NULL)),
    CHECK (email IS NULL OR email_domain IS NULL)
) WITH (fillfactor = 50); -- room for the new row version of a redemption on the same page

-- None of these indexes contains a column that a redemption changes, so that PostgreSQL can
-- update the row in place (HOT).
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
    division        TEXT COLLATE "C" NOT NULL,
    state           BIGINT           NOT NULL, -- 0: uses left, 1: revoked, 2: used
    created_at      BIGINT           NOT NULL,
    id              BYTEA            NOT NULL,
    expires_at      BIGINT           NOT NULL,
    inviter         TEXT COLLATE "C",
    PRIMARY KEY (division, state, created_at, id) INCLUDE (expires_at)
);

CREATE INDEX {prefix}states_anywhere ON {prefix}states (state, created_at, id) INCLUDE (expires_at);
-- The condition is <= 0: after an equality, a planner without statistics expects so few rows that it
-- uses any index with the state, and sorts.
CREATE INDEX {prefix}states_valid ON {prefix}states (division, expires_at, id) INCLUDE (created_at) WHERE state <= 0;
CREATE INDEX {prefix}states_valid_anywhere ON {prefix}states (expires_at, id) INCLUDE (created_at) WHERE state <= 0;
-- By validity in whole days. The condition is an expression, so that only queries with the same
-- condition use the index, and use no other.
CREATE INDEX {prefix}states_by_length ON {prefix}states (division, ((expires_at - created_at) / 86400000000), created_at, id) INCLUDE (expires_at) WHERE state + 0 < 1;
CREATE INDEX {prefix}states_by_length_anywhere ON {prefix}states (((expires_at - created_at) / 86400000000), created_at, id) INCLUDE (expires_at) WHERE state + 0 < 1;
CREATE INDEX {prefix}states_valid_by ON {prefix}states (inviter, expires_at, id) WHERE state <= 0;

-- Redemptions of codes for several uses. The redemption of a single-use code is in its row.
CREATE TABLE {prefix}redemptions (
    invitation      BYTEA            NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    id              BYTEA            NOT NULL, -- the id of its event
    username        TEXT COLLATE "C" NOT NULL,
    at              BIGINT           NOT NULL,
    role            TEXT COLLATE "C" NOT NULL, -- as granted at that time
    lease           BYTEA,                    -- the lease that reserved its use
    mailbox         TEXT COLLATE "C",         -- its proved address, if bound to a domain
    PRIMARY KEY (invitation, user_id)
);

CREATE UNIQUE INDEX {prefix}redemptions_mailbox ON {prefix}redemptions (invitation, mailbox) WHERE mailbox IS NOT NULL;

CREATE INDEX {prefix}redemptions_newest ON {prefix}redemptions (invitation, at, id);

-- Reserved uses, for users whose accounts are being created. The column held of the
-- invitation has their number.
CREATE TABLE {prefix}leases (
    invitation      BYTEA            NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    id              BYTEA            NOT NULL, -- the id of its first event
    username        TEXT COLLATE "C" NOT NULL,
    held_since      BIGINT           NOT NULL,
    held_until      BIGINT           NOT NULL, -- expired once now >= held_until
    division        TEXT COLLATE "C" NOT NULL, -- of the invitation, never changes
    mailbox         TEXT COLLATE "C",         -- the proved address, if bound to a domain
    PRIMARY KEY (invitation, user_id)
);

CREATE UNIQUE INDEX {prefix}leases_mailbox ON {prefix}leases (invitation, mailbox) WHERE mailbox IS NOT NULL;

CREATE INDEX {prefix}leases_first ON {prefix}leases (invitation, held_until, id);
CREATE INDEX {prefix}leases_newest ON {prefix}leases (division, held_since, id);
CREATE INDEX {prefix}leases_newest_anywhere ON {prefix}leases (held_since, id);

-- Idempotency keys of creations.
CREATE TABLE {prefix}requests (
    owner           TEXT COLLATE "C" NOT NULL, -- a user, or empty for the system
    request_key     TEXT COLLATE "C" NOT NULL,
    id              BYTEA            NOT NULL UNIQUE,
    fingerprint     BYTEA            NOT NULL, -- of the request's content
    results         BYTEA,                    -- the result of each row
    forgotten_at    BIGINT,                   -- expiry of a key that created nothing
    PRIMARY KEY (owner, request_key)
);

CREATE INDEX {prefix}requests_forgotten ON {prefix}requests (forgotten_at) WHERE forgotten_at IS NOT NULL;

-- One row for each quota that was ever counted. Counting locks it.
CREATE TABLE {prefix}quotas (
    kind            BIGINT           NOT NULL, -- 0: of an inviter, 1: of a division
    name            TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, name)
);

-- Search terms: of the address (part 0), and of the name of the redeemer of the n-th use
-- (part n). Those of a deleted invitation stay until the purge.
CREATE TABLE {prefix}search_terms (
    term            TEXT COLLATE "C" NOT NULL,
    division        TEXT COLLATE "C" NOT NULL, -- of the invitation, like created_at
    created_at      BIGINT           NOT NULL,
    invitation      BYTEA            NOT NULL,
    part            BIGINT           NOT NULL,
    PRIMARY KEY (term, division, created_at, invitation, part)
);

CREATE INDEX {prefix}search_terms_of ON {prefix}search_terms (invitation, part, term);

CREATE TABLE {prefix}events (
    id              BYTEA            NOT NULL PRIMARY KEY,
    at              BIGINT           NOT NULL,
    actor           TEXT COLLATE "C",         -- NULL for the system
    actor_role      TEXT COLLATE "C",         -- set for users who manage invitations
    actor_name      TEXT COLLATE "C",         -- of an actor, a redeemer or a job
    action          TEXT COLLATE "C" NOT NULL,
    outcome         TEXT COLLATE "C" NOT NULL,
    reason          TEXT COLLATE "C",
    invitation      BYTEA,
    division        TEXT COLLATE "C",
    correlation     TEXT COLLATE "C",
    source          TEXT COLLATE "C",
    detail          TEXT,
    -- The position in the feed. All events of transactions before the oldest open one are
    -- visible, and none is added to them.
    transaction     XID8             NOT NULL DEFAULT pg_current_xact_id(),
    sequence        BIGINT           NOT NULL GENERATED BY DEFAULT AS IDENTITY
);

CREATE INDEX {prefix}events_newest ON {prefix}events (at, id);
CREATE INDEX {prefix}events_division ON {prefix}events (division, at, id);
CREATE INDEX {prefix}events_invitation ON {prefix}events (invitation, at, id);
CREATE INDEX {prefix}events_actor ON {prefix}events (actor, at, id);
CREATE INDEX {prefix}events_correlation ON {prefix}events (correlation, at, id) WHERE correlation IS NOT NULL;
CREATE INDEX {prefix}events_feed ON {prefix}events (transaction, sequence);

-- How far the consumers of the feed have come, and who works from there.
CREATE TABLE {prefix}cursors (
    name            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    position        BYTEA,                    -- of the last processed event: 24 bytes
    holder          TEXT COLLATE "C",         -- both NULL if it was released
    held_until      BIGINT,
    claims          BIGINT           NOT NULL,
    version         BIGINT           NOT NULL
);

-- Small versioned records that consumers of the feed keep, such as the delivery of a mail.
CREATE TABLE {prefix}documents (
    kind            TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    version         BIGINT           NOT NULL,
    division        TEXT COLLATE "C",         -- NULL if it concerns all divisions
    invitation      BYTEA,                    -- the invitation that it is about, if any
    state           TEXT COLLATE "C" NOT NULL,
    at              BIGINT           NOT NULL,
    due             BIGINT,                   -- NULL if there is nothing to do
    body            BYTEA            NOT NULL,
    PRIMARY KEY (kind, name)
);

CREATE INDEX {prefix}documents_due ON {prefix}documents (kind, due, name) WHERE due IS NOT NULL;
CREATE INDEX {prefix}documents_newest ON {prefix}documents (kind, at, name);
CREATE INDEX {prefix}documents_state ON {prefix}documents (kind, state, at, name);
CREATE INDEX {prefix}documents_division ON {prefix}documents (kind, division, at, name) WHERE division IS NOT NULL;
CREATE INDEX {prefix}documents_invitation ON {prefix}documents (kind, invitation, at, name) WHERE invitation IS NOT NULL;

-- The failed guesses of codes in the last two minutes. No row has an address or a code.
CREATE TABLE {prefix}budgets (
    id              BYTEA            NOT NULL PRIMARY KEY, -- a hash of the source, or of source and code
    minute          BIGINT           NOT NULL, -- since 1970-01-01T00:00Z
    taken           BIGINT           NOT NULL  -- tokens taken in that minute
);

CREATE INDEX {prefix}budgets_minute ON {prefix}budgets (minute);

-- The invitations for human readers. Sealed codes are not shown.
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
