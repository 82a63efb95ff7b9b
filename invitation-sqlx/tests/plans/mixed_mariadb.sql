-- The same rows as in benches/benches/postgres/mixed.sql, as far as plans depend on them.
INSERT INTO invitation_codes (
    id, digest, tag, sealed, email, email_key, role, division, inviter, inviter_role, grantor,
    grantor_role, created_at,
    expires_at, max_uses, uses, held, used_id, used_by, used_name, used_at, used_role, revoked_at,
    version
)
SELECT
    UNHEX(LPAD(HEX(seq), 32, '0')), UNHEX(SHA2(seq, 256)), LEFT(UNHEX(SHA2(seq, 256)), 8), x'00',
    IF(seq % 2 = 0, CONCAT('person', seq, '@example.com'), NULL),
    IF(seq % 2 = 0, CONCAT('person', seq, '@example.com'), NULL),
    IF(seq % 5000 = 4, 'manager', 'staff'), 'sales', CONCAT('u-', seq % 50), 'manager',
    CONCAT('u-', seq % 50), 'manager',
    (UNIX_TIMESTAMP() - 86400 - {rows} + seq) * 1000000,
    (UNIX_TIMESTAMP() - 86400 - {rows} + seq + (1 + seq * 7919 % 60) * 86400) * 1000000, 1,
    seq % 2, 0,
    IF(seq % 2 = 1, UNHEX(LPAD(HEX(seq), 32, '0')), NULL),
    IF(seq % 2 = 1, CONCAT('u', seq), NULL),
    IF(seq % 2 = 1, CONCAT('user', seq), NULL),
    IF(seq % 2 = 1, 5, NULL),
    IF(seq % 2 = 1, 'staff', NULL),
    IF(seq % 20 = 0, 7, NULL), 1
FROM seq_1_to_{rows};

INSERT INTO invitation_states
SELECT
    division, IF(uses = max_uses, 2, IF(revoked_at IS NOT NULL, 1, 0)), created_at, id, expires_at,
    inviter
FROM invitation_codes;

INSERT INTO invitation_search_terms
SELECT 'example', division, created_at, id, 0 FROM invitation_codes WHERE email IS NOT NULL;

INSERT INTO invitation_search_terms
SELECT SUBSTRING_INDEX(email, '@', 1), division, created_at, id, 0
FROM invitation_codes WHERE email IS NOT NULL;

INSERT INTO invitation_search_terms
SELECT 'rarely', division, created_at, id, 0
FROM invitation_codes WHERE CONV(HEX(id), 16, 10) % ({rows} / 20) = 8;

INSERT INTO invitation_search_terms
SELECT used_name, division, created_at, id, uses FROM invitation_codes WHERE used_by IS NOT NULL;

INSERT INTO invitation_events
    (id, at, actor, actor_role, action, outcome, invitation, division, correlation)
SELECT id, created_at, inviter, inviter_role, 'create', 'succeeded', id, division,
    IF(used_by IS NULL, HEX(id), 'nightly')
FROM invitation_codes;

INSERT INTO invitation_leases
    (invitation, user_id, id, username, held_since, held_until, division)
SELECT id, 'u-1', id, 'anna', created_at, created_at, division
FROM invitation_codes ORDER BY id LIMIT 20000;

INSERT INTO invitation_redemptions (invitation, user_id, id, username, at, role)
SELECT id, 'u-1', id, 'anna', created_at, role
FROM invitation_codes ORDER BY id LIMIT 20000;

ANALYZE TABLE invitation_codes, invitation_states, invitation_search_terms, invitation_events,
    invitation_leases, invitation_redemptions
