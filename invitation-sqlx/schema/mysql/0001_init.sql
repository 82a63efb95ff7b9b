-- Times are microseconds since 1970-01-01T00:00:00Z; ids are UUIDs as 16 bytes.
-- Text is UTF-8 in binary columns, so that it is compared byte for byte: every text
-- collation folds something, and the padding ones take 'a' for 'a '. The view at the
-- end shows it as text.
-- One statement at a time can be made anew: each of them commits by itself here.

CREATE TABLE IF NOT EXISTS {prefix}codes (
    id              BINARY(16)     NOT NULL PRIMARY KEY,
    digest          BINARY(32)     NOT NULL UNIQUE, -- tombstones keep theirs
    tag             BINARY(8)      NOT NULL, -- of the code's first four symbols
    sealed          VARBINARY(128) NOT NULL, -- the code, to be shown again
    email           VARBINARY(254),          -- as given
    email_key       VARBINARY(254),          -- the comparison form
    email_domain    VARBINARY(254),          -- bound to a domain instead
    role            VARBINARY(64)  NOT NULL,
    division        VARBINARY(64)  NOT NULL,
    inviter         VARBINARY(128),          -- both NULL: the system itself
    inviter_role    VARBINARY(64),
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
    used_lease      BINARY(16),              -- the lease that held its use
    revoked_at      BIGINT,
    revoked_reason  VARBINARY(500),
    deleted_at      BIGINT,
    version         BIGINT         NOT NULL,
    batch           BINARY(16),              -- the call that created it with others
    metadata        BLOB,
    request_id      BINARY(16),              -- the request that it was created by
    touched         BIGINT         NOT NULL DEFAULT 0, -- changes that change only leases
    CHECK (uses BETWEEN 0 AND max_uses),
    CHECK (held BETWEEN 0 AND max_uses - uses),
    CHECK ((uses = 0) = (used_id IS NULL)),
    CHECK (email IS NULL OR email_domain IS NULL),
    -- With all that a list's candidates are asked for, so that no row is looked at.
    KEY {prefix}codes_newest (division, created_at, id, deleted_at),
    KEY {prefix}codes_newest_anywhere (created_at, id, deleted_at),
    KEY {prefix}codes_role (role, division, created_at, id, deleted_at),
    KEY {prefix}codes_inviter (inviter, created_at, id, division, deleted_at),
    KEY {prefix}codes_tag (tag),
    KEY {prefix}codes_batch (batch, created_at, id, division, deleted_at),
    KEY {prefix}codes_invitee (email_key, division, expires_at),
    KEY {prefix}codes_request (request_id)
) ENGINE = InnoDB;

-- Where each invitation stands that is no tombstone: what lists and counts by status
-- and quotas go through.
CREATE TABLE IF NOT EXISTS {prefix}standings (
    division        VARBINARY(64)  NOT NULL,
    standing        BIGINT         NOT NULL, -- 0: uses left, 1: revoked, 2: used
    created_at      BIGINT         NOT NULL,
    id              BINARY(16)     NOT NULL,
    expires_at      BIGINT         NOT NULL,
    inviter         VARBINARY(128),
    PRIMARY KEY (division, standing, created_at, id),
    KEY {prefix}standings_anywhere (standing, created_at, id, expires_at),
    KEY {prefix}standings_valid (standing, division, expires_at),
    KEY {prefix}standings_valid_anywhere (standing, expires_at),
    KEY {prefix}standings_valid_by (standing, inviter, expires_at)
) ENGINE = InnoDB;

-- Who redeemed a code for several uses. That of a single-use code is in its row.
CREATE TABLE IF NOT EXISTS {prefix}redemptions (
    invitation      BINARY(16)     NOT NULL,
    user_id         VARBINARY(128) NOT NULL,
    id              BINARY(16)     NOT NULL, -- that of its event
    username        VARBINARY(128) NOT NULL,
    at              BIGINT         NOT NULL,
    role            VARBINARY(64)  NOT NULL, -- as granted then
    lease           BINARY(16),              -- the lease that held its use
    PRIMARY KEY (invitation, user_id),
    KEY {prefix}redemptions_newest (invitation, at, id)
) ENGINE = InnoDB;

-- Uses that are held for somebody whose account is being created. As many as
-- the column held of the invitation says.
CREATE TABLE IF NOT EXISTS {prefix}leases (
    invitation      BINARY(16)     NOT NULL,
    user_id         VARBINARY(128) NOT NULL,
    id              BINARY(16)     NOT NULL, -- that of its first event
    username        VARBINARY(128) NOT NULL,
    held_since      BIGINT         NOT NULL,
    held_until      BIGINT         NOT NULL, -- run out once now >= held_until
    division        VARBINARY(64)  NOT NULL, -- the invitation's, which never changes
    PRIMARY KEY (invitation, user_id),
    KEY {prefix}leases_first (invitation, held_until, id),
    KEY {prefix}leases_newest (division, held_since, id),
    KEY {prefix}leases_newest_anywhere (held_since, id)
) ENGINE = InnoDB;

-- Idempotency keys of creations.
CREATE TABLE IF NOT EXISTS {prefix}requests (
    owner           VARBINARY(128) NOT NULL, -- a user; empty: the system itself
    request_key     VARBINARY(128) NOT NULL,
    id              BINARY(16)     NOT NULL UNIQUE,
    fingerprint     BINARY(32)     NOT NULL, -- of what was asked for
    results         MEDIUMBLOB,              -- what each row came to
    forgotten_at    BIGINT,                  -- of one that created nothing: known until then
    PRIMARY KEY (owner, request_key),
    KEY {prefix}requests_forgotten (forgotten_at)
) ENGINE = InnoDB;

-- One row for each quota that was ever counted: what counting locks. How often is
-- counted too: of two nodes of a cluster, only what really changes a row keeps the
-- other from it.
CREATE TABLE IF NOT EXISTS {prefix}quotas (
    kind            BIGINT         NOT NULL, -- 0: of an inviter, 1: of a division
    name            VARBINARY(128) NOT NULL,
    counted         BIGINT         NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, name)
) ENGINE = InnoDB;

-- What a search looks through: the terms of the address (part 0) and of the name of
-- the redeemer who took the n-th use (part n), which count while it is the latest.
CREATE TABLE IF NOT EXISTS {prefix}words (
    word            VARBINARY(768) NOT NULL, -- the form that is searched may take more bytes
    division        VARBINARY(64)  NOT NULL, -- the invitation's, as is the next
    created_at      BIGINT         NOT NULL,
    invitation      BINARY(16)     NOT NULL,
    part            BIGINT         NOT NULL,
    PRIMARY KEY (word, division, created_at, invitation, part),
    KEY {prefix}words_of (invitation, part)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS {prefix}events (
    id              BINARY(16)     NOT NULL PRIMARY KEY,
    at              BIGINT         NOT NULL,
    actor           VARBINARY(128),          -- NULL: the system itself
    actor_role      VARBINARY(64),           -- of a user who manages invitations
    redeemer        VARBINARY(128),          -- the name of a newcomer
    action          VARBINARY(64)  NOT NULL,
    outcome         VARBINARY(64)  NOT NULL,
    reason          VARBINARY(64),
    invitation      BINARY(16),
    division        VARBINARY(64),
    correlation     VARBINARY(128),
    source          VARBINARY(128),
    detail          MEDIUMBLOB,
    KEY {prefix}events_newest (at, id),
    KEY {prefix}events_division (division, at, id),
    KEY {prefix}events_invitation (invitation, at, id),
    KEY {prefix}events_actor (actor, at, id)
) ENGINE = InnoDB;

-- The invitations for a person to read, with times in UTC. Codes that the library
-- sealed are not shown.
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
