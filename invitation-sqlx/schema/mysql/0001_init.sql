-- Times are microseconds since 1970-01-01T00:00:00Z; ids are UUIDs as 16 bytes.
-- Text is UTF-8 in binary columns, so that it is compared byte for byte. Every text collation
-- ignores some differences, and padding ones treat 'a' and 'a ' as equal. The view at the end
-- shows it as text.
-- Each statement can be repeated, because MySQL and MariaDB commit each one by itself.

CREATE TABLE IF NOT EXISTS {prefix}codes (
    id              BINARY(16)     NOT NULL PRIMARY KEY,
    digest          BINARY(32)     NOT NULL UNIQUE, -- kept by tombstones too
    tag             BINARY(8)      NOT NULL, -- a tag of the code's first four symbols
    sealed          VARBINARY(128) NOT NULL, -- the code, to be shown again
    email           VARBINARY(254),          -- as given
    email_key       VARBINARY(254),          -- the comparison form
    email_domain    VARBINARY(254),          -- set if bound to a domain instead
    role            VARBINARY(64)  NOT NULL,
    division        VARBINARY(64)  NOT NULL,
    inviter         VARBINARY(128),          -- all NULL if the system created it
    inviter_role    VARBINARY(64),
    inviter_name    VARBINARY(128),          -- as people knew the user then
    grantor         VARBINARY(128),          -- the user whose rights the role is granted by
    grantor_role    VARBINARY(64),
    grantor_name    VARBINARY(128),
    created_at      BIGINT         NOT NULL,
    expires_at      BIGINT         NOT NULL, -- valid while now < expires_at
    max_uses        BIGINT         NOT NULL CHECK (max_uses >= 1),
    uses            BIGINT         NOT NULL,
    held            BIGINT         NOT NULL,
    used_id         BINARY(16),              -- the latest redemption
    used_by         VARBINARY(128),
    used_name       VARBINARY(128),
    used_at         BIGINT,
    used_role       VARBINARY(64),
    used_lease      BINARY(16),              -- the lease that reserved its use
    used_mailbox    VARBINARY(254),          -- its proved address, if bound to a domain
    revoked_at      BIGINT,
    revoked_reason  VARBINARY(500),
    deleted_at      BIGINT,
    version         BIGINT         NOT NULL,
    batch           BINARY(16),              -- the bulk call that created it
    metadata        BLOB,
    request_id      BINARY(16),              -- the idempotent request that created it
    touched         BIGINT         NOT NULL DEFAULT 0, -- counts changes of leases only
    CHECK (uses BETWEEN 0 AND max_uses),
    CHECK (held BETWEEN 0 AND max_uses - uses),
    CHECK ((uses = 0) = (used_id IS NULL)),
    CHECK (email IS NULL OR email_domain IS NULL),
    -- Covering indexes for the candidates of a list, so that no row has to be read.
    KEY {prefix}codes_newest (division, created_at, id, deleted_at),
    KEY {prefix}codes_newest_anywhere (created_at, id, deleted_at),
    KEY {prefix}codes_role (role, division, created_at, id, deleted_at),
    KEY {prefix}codes_inviter (inviter, created_at, id, division, deleted_at),
    KEY {prefix}codes_tag (tag),
    KEY {prefix}codes_batch (batch, created_at, id, division, deleted_at),
    KEY {prefix}codes_invitee (email_key, division, expires_at),
    KEY {prefix}codes_request (request_id)
) ENGINE = InnoDB;

-- The state of each invitation that is no tombstone. Lists and counts by status use it, and
-- so do quotas.
CREATE TABLE IF NOT EXISTS {prefix}states (
    division        VARBINARY(64)  NOT NULL,
    state           BIGINT         NOT NULL, -- 0: uses left, 1: revoked, 2: used
    created_at      BIGINT         NOT NULL,
    id              BINARY(16)     NOT NULL,
    expires_at      BIGINT         NOT NULL,
    inviter         VARBINARY(128),
    PRIMARY KEY (division, state, created_at, id),
    KEY {prefix}states_anywhere (state, created_at, id, expires_at),
    KEY {prefix}states_valid (state, division, expires_at, id),
    KEY {prefix}states_valid_anywhere (state, expires_at, id),
    KEY {prefix}states_valid_by (state, inviter, expires_at, id)
) ENGINE = InnoDB;

-- Redemptions of codes for several uses. The redemption of a single-use code is in its row.
CREATE TABLE IF NOT EXISTS {prefix}redemptions (
    invitation      BINARY(16)     NOT NULL,
    user_id         VARBINARY(128) NOT NULL,
    id              BINARY(16)     NOT NULL, -- the id of its event
    username        VARBINARY(128) NOT NULL,
    at              BIGINT         NOT NULL,
    role            VARBINARY(64)  NOT NULL, -- as granted at that time
    lease           BINARY(16),              -- the lease that reserved its use
    mailbox         VARBINARY(254),          -- its proved address, if bound to a domain
    PRIMARY KEY (invitation, user_id),
    UNIQUE KEY {prefix}redemptions_mailbox (invitation, mailbox),
    KEY {prefix}redemptions_newest (invitation, at, id)
) ENGINE = InnoDB;

-- Reserved uses, for users whose accounts are being created. The column held of the
-- invitation has their number.
CREATE TABLE IF NOT EXISTS {prefix}leases (
    invitation      BINARY(16)     NOT NULL,
    user_id         VARBINARY(128) NOT NULL,
    id              BINARY(16)     NOT NULL, -- the id of its first event
    username        VARBINARY(128) NOT NULL,
    held_since      BIGINT         NOT NULL,
    held_until      BIGINT         NOT NULL, -- expired once now >= held_until
    division        VARBINARY(64)  NOT NULL, -- of the invitation, never changes
    mailbox         VARBINARY(254),          -- the proved address, if bound to a domain
    PRIMARY KEY (invitation, user_id),
    UNIQUE KEY {prefix}leases_mailbox (invitation, mailbox),
    KEY {prefix}leases_first (invitation, held_until, id),
    KEY {prefix}leases_newest (division, held_since, id),
    KEY {prefix}leases_newest_anywhere (held_since, id)
) ENGINE = InnoDB;

-- Idempotency keys of creations.
CREATE TABLE IF NOT EXISTS {prefix}requests (
    owner           VARBINARY(128) NOT NULL, -- a user, or empty for the system
    request_key     VARBINARY(128) NOT NULL,
    id              BINARY(16)     NOT NULL UNIQUE,
    fingerprint     BINARY(32)     NOT NULL, -- of the request's content
    results         MEDIUMBLOB,              -- the result of each row
    forgotten_at    BIGINT,                  -- expiry of a key that created nothing
    PRIMARY KEY (owner, request_key),
    KEY {prefix}requests_forgotten (forgotten_at)
) ENGINE = InnoDB;

-- One row for each quota that was ever counted. Counting locks it. Each count also changes
-- the row, because on a Galera cluster only a changed row conflicts with another node.
CREATE TABLE IF NOT EXISTS {prefix}quotas (
    kind            BIGINT         NOT NULL, -- 0: of an inviter, 1: of a division
    name            VARBINARY(128) NOT NULL,
    counted         BIGINT         NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, name)
) ENGINE = InnoDB;

-- Search terms: of the address (part 0), and of the name of the redeemer of the n-th use
-- (part n). Those of a deleted invitation stay until the purge.
CREATE TABLE IF NOT EXISTS {prefix}search_terms (
    term            VARBINARY(768) NOT NULL, -- the normalised form may take more bytes
    division        VARBINARY(64)  NOT NULL, -- of the invitation, like created_at
    created_at      BIGINT         NOT NULL,
    invitation      BINARY(16)     NOT NULL,
    part            BIGINT         NOT NULL,
    PRIMARY KEY (term, division, created_at, invitation, part),
    KEY {prefix}search_terms_of (invitation, part, term)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS {prefix}events (
    id              BINARY(16)     NOT NULL PRIMARY KEY,
    at              BIGINT         NOT NULL,
    actor           VARBINARY(128),          -- NULL for the system
    actor_role      VARBINARY(64),           -- set for users who manage invitations
    actor_name      VARBINARY(128),          -- of an actor, a redeemer or a job
    action          VARBINARY(64)  NOT NULL,
    outcome         VARBINARY(64)  NOT NULL,
    reason          VARBINARY(64),
    invitation      BINARY(16),
    division        VARBINARY(64),
    correlation     VARBINARY(128),
    source          VARBINARY(128),
    detail          MEDIUMBLOB,
    position        BIGINT,                  -- in the feed; assigned after the commit
    UNIQUE KEY {prefix}events_feed (position),
    KEY {prefix}events_newest (at, id),
    KEY {prefix}events_division (division, at, id),
    KEY {prefix}events_invitation (invitation, at, id),
    KEY {prefix}events_actor (actor, at, id),
    KEY {prefix}events_correlation (correlation, at, id)
) ENGINE = InnoDB;

-- The last position that was assigned to an event. A call that assigns positions locks the row.
CREATE TABLE IF NOT EXISTS {prefix}feed (
    id              BIGINT         NOT NULL PRIMARY KEY,
    last            BIGINT         NOT NULL
) ENGINE = InnoDB;

INSERT IGNORE INTO {prefix}feed (id, last) VALUES (1, 0);

-- How far the consumers of the feed have come, and who works from there.
CREATE TABLE IF NOT EXISTS {prefix}cursors (
    name            VARBINARY(64)  NOT NULL PRIMARY KEY,
    position        BINARY(24),              -- of the last processed event
    holder          VARBINARY(128),          -- both NULL if it was released
    held_until      BIGINT,
    claims          BIGINT         NOT NULL,
    version         BIGINT         NOT NULL
) ENGINE = InnoDB;

-- Small versioned records that consumers of the feed keep, such as the delivery of a mail.
CREATE TABLE IF NOT EXISTS {prefix}documents (
    kind            VARBINARY(32)  NOT NULL,
    name            VARBINARY(200) NOT NULL,
    version         BIGINT         NOT NULL,
    division        VARBINARY(64),           -- NULL if it concerns all divisions
    invitation      BINARY(16),              -- the invitation that it is about, if any
    state           VARBINARY(32)  NOT NULL,
    at              BIGINT         NOT NULL,
    due             BIGINT,                  -- NULL if there is nothing to do
    body            MEDIUMBLOB     NOT NULL,
    PRIMARY KEY (kind, name),
    KEY {prefix}documents_due (kind, due, name),
    KEY {prefix}documents_newest (kind, at, name),
    KEY {prefix}documents_state (kind, state, at, name),
    KEY {prefix}documents_division (kind, division, at, name),
    KEY {prefix}documents_invitation (kind, invitation, at, name)
) ENGINE = InnoDB;

-- The failed guesses of codes in the last two minutes. No row has an address or a code.
CREATE TABLE IF NOT EXISTS {prefix}budgets (
    id              BINARY(32)     NOT NULL PRIMARY KEY, -- a hash of the source, or of source and code
    minute          BIGINT         NOT NULL, -- since 1970-01-01T00:00Z
    taken           BIGINT         NOT NULL, -- tokens taken in that minute
    KEY {prefix}budgets_minute (minute)
) ENGINE = InnoDB;

-- The invitations for human readers, with times in UTC. Sealed codes are not shown.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW {prefix}overview AS
SELECT
    IF(LEFT(sealed, 1) = x'00', CONVERT(SUBSTRING(sealed, 2) USING utf8mb4), NULL) AS code,
    CONVERT(COALESCE(email, CONCAT('@', email_domain)) USING utf8mb4) AS email,
    CONVERT(role USING utf8mb4) AS role,
    CASE
        WHEN uses >= max_uses THEN 'used'
        WHEN revoked_at IS NOT NULL THEN 'revoked'
        WHEN expires_at <= TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) THEN 'expired'
        ELSE 'active'
    END AS status,
    TIMESTAMP('1970-01-01') + INTERVAL expires_at MICROSECOND AS expires,
    CONVERT(CONCAT(used_name, IF(uses > 1, CONCAT(' and ', uses - 1, ' more'), '')) USING utf8mb4)
        AS used_by,
    CONVERT(division USING utf8mb4) AS division,
    TIMESTAMP('1970-01-01') + INTERVAL created_at MICROSECOND AS created,
    LOWER(HEX(id)) AS id
FROM {prefix}codes
WHERE deleted_at IS NULL;
