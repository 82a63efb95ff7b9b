-- Half used and half expired, except for the ten oldest.
CREATE VIEW made AS
SELECT
    n, n > 10 AND n % 2 = 1 AS is_used, FALSE AS is_revoked,
    CASE WHEN n <= 10 THEN 31536000000000 ELSE 3600000000 END AS lifetime
FROM generate_series(1, {rows}) n;
