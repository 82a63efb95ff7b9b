-- Inserts `{rows}` invitations as the view `made` defines them, spread over 1,000,000
-- seconds. The same fraction has therefore expired at each size.
INSERT INTO invitation_codes (
    id, digest, tag, sealed, email, email_key, role, division, inviter, inviter_role, grantor,
    grantor_role, created_at,
    expires_at, max_uses, uses, held, used_id, used_by, used_name, used_at, used_role, revoked_at,
    version
)
SELECT
    decode(lpad(to_hex(n), 32, '0'), 'hex'), sha256(n::TEXT::BYTEA),
    substr(sha256(n::TEXT::BYTEA), 1, 8), '\x00',
    CASE WHEN n % 2 = 0 THEN address END, CASE WHEN n % 2 = 0 THEN address END,
    CASE WHEN n % ({rows} / 100) = 4 THEN 'manager' ELSE 'staff' END, 'sales', 'u-' || (n % 50), 'manager',
    'u-' || (n % 50), 'manager',
    created_at, created_at + lifetime, 1, is_used::INT, 0,
    CASE WHEN is_used THEN decode(lpad(to_hex(n), 32, '0'), 'hex') END,
    CASE WHEN is_used THEN 'u' || n END,
    CASE WHEN is_used THEN 'user' || n END,
    CASE WHEN is_used THEN created_at + 5 END,
    CASE WHEN is_used THEN 'staff' END,
    CASE WHEN is_revoked THEN created_at + 7 END, 1
FROM (
    SELECT
        *,
        -- The newest invitation is a day old.
        (extract(epoch FROM now())::BIGINT - 86400) * 1000000
            - ({rows} - n) * (1000000000000 / {rows}) AS created_at,
        'person' || n || '.' || (ARRAY['anna', 'ben', 'cleo', 'dora', 'emil'])[1 + n % 5]
            || CASE WHEN n IN ({rows} / 2, {rows} - 100) THEN '.unique' ELSE '' END
            -- With anna, among the oldest hundred only.
            || CASE WHEN n % 7 = 3 AND (n % 5 <> 0 OR n <= 100) THEN '.west' ELSE '' END
            || CASE WHEN n % ({rows} / 20) = 8 THEN '.rarely' ELSE '' END
            || '@example.com' AS address
    FROM made
) rows;

INSERT INTO invitation_states
SELECT
    division,
    CASE WHEN uses = max_uses THEN 2 WHEN revoked_at IS NOT NULL THEN 1 ELSE 0 END,
    created_at, id, expires_at, inviter
FROM invitation_codes;

INSERT INTO invitation_search_terms
SELECT DISTINCT word, division, created_at, id, 0
FROM invitation_codes, regexp_split_to_table(email, '[^a-z0-9]+') word
WHERE email IS NOT NULL;

INSERT INTO invitation_search_terms
SELECT used_name, division, created_at, id, uses FROM invitation_codes WHERE used_by IS NOT NULL;
