-- Half used, one of twenty revoked, the others valid for up to sixty days or expired.
CREATE VIEW made AS
SELECT
    n, n % 2 = 1 AS is_used, n % 20 = 0 AS is_revoked,
    (1 + n::BIGINT * 7919 % 60) * 86400000000 AS lifetime
FROM generate_series(1, {rows}) n;
