"""What the dashboard asks of PostgreSQL. Each question is bounded by an index on creator, stream or scope."""

import asyncpg

Row = asyncpg.Record

# What is owed is credit, so signs turn. A dispute moves between two accounts of the creator until it is lost.
_SUMS = """
    coalesce(-sum(l.amount_minor) FILTER (WHERE j.kind = 'payment'), 0) AS earned,
    coalesce(sum(l.amount_minor) FILTER (WHERE j.kind <> 'payment'), 0) AS returned,
    count(DISTINCT j.id) FILTER (WHERE j.kind = 'payment') AS sales
"""

# $1 creator, $2 and $3 when, $4 time zone, $5 accounts
REVENUE = f"""
SELECT (j.at AT TIME ZONE $4)::date AS day, j.source, j.currency, {_SUMS}
FROM journal j JOIN journal_lines l ON l.entry_id = j.id
WHERE j.creator_id = $1 AND j.at >= $2 AND j.at < $3 AND j.source IS NOT NULL AND l.account = ANY($5)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608 - constants

# $1 creator, $2 streams, $3 accounts
OF_STREAMS = f"""
SELECT j.stream_id, j.source, j.currency, {_SUMS}
FROM journal j JOIN journal_lines l ON l.entry_id = j.id
WHERE j.stream_id = ANY($2::uuid[]) AND j.creator_id = $1 AND l.account = ANY($3)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608 - constants

# $1 creator, $2 and $3 when, $4 currency, $5 accounts, $6 how many. People whose account is gone are one nobody.
SUPPORTERS = """
SELECT u.id, u.display_name AS name, sum(spent.amount) AS spent, sum(spent.sales)::bigint AS sales,
    max(spent.last_at) AS last_at
FROM (
    SELECT j.payer_id, -sum(l.amount_minor) AS amount, max(j.at) AS last_at,
        count(DISTINCT j.id) FILTER (WHERE j.kind = 'payment') AS sales
    FROM journal j JOIN journal_lines l ON l.entry_id = j.id
    WHERE j.creator_id = $1 AND j.at >= $2 AND j.at < $3 AND j.currency = $4 AND j.source IS NOT NULL
        AND l.account = ANY($5)
    GROUP BY j.payer_id
) AS spent LEFT JOIN users u ON u.id = spent.payer_id
GROUP BY u.id HAVING sum(spent.amount) > 0 ORDER BY 3 DESC, 5 DESC LIMIT $6
"""

# Who has a right, without a gap, and its highest level. Gifts of one level wait for each other (`rights.py`): a gift
# ends when all those up to it have been used up, one after the other, counted from whichever of them began last.
# What ended before $2 concerns nobody, but for gifts that others waited for.
_STAYS = """
WITH raw AS (
    SELECT user_id, level, source, starts_at, until, source LIKE 'gift:%' AND until IS NOT NULL AS waits
    FROM rights WHERE scope = $1 AND (until IS NULL OR until >= $2 OR source LIKE 'gift:%')
), gifts AS (
    SELECT user_id, level, source, extract(epoch FROM starts_at) AS begins,
        extract(epoch FROM until) - extract(epoch FROM starts_at) AS seconds FROM raw WHERE waits
), summed AS (
    SELECT *, sum(seconds) OVER (PARTITION BY user_id, level ORDER BY begins, source) AS total FROM gifts
), turned AS (
    SELECT user_id, level, seconds,
        total + max(begins - (total - seconds)) OVER (PARTITION BY user_id, level ORDER BY begins, source) AS ends
    FROM summed
), held AS (
    SELECT user_id, level, tstzrange(starts_at, until) AS span FROM raw WHERE NOT waits
    UNION ALL
    SELECT user_id, level, tstzrange(to_timestamp(ends - seconds), to_timestamp(ends)) FROM turned
), islands AS (
    SELECT user_id, unnest(range_agg(span)) AS span FROM held WHERE NOT isempty(span) GROUP BY user_id
), stays AS (
    SELECT i.user_id, max(h.level) AS level, lower(i.span) AS came, upper(i.span) AS went
    FROM islands i JOIN held h ON h.user_id = i.user_id AND h.span && i.span GROUP BY i.user_id, i.span
)
"""

# $1 scope, $2 and $3 when, $4 time zone, $5 now: nobody is lost in the future
SUBSCRIBERS = f"""
{_STAYS}
SELECT 'there' AS what, NULL::date AS day, level, count(*) AS count FROM stays
WHERE came < $2 AND (went IS NULL OR went >= $2) GROUP BY level
UNION ALL
SELECT 'gained', (came AT TIME ZONE $4)::date, level, count(*) FROM stays
WHERE came >= $2 AND came < $3 AND came <= $5 GROUP BY 2, 3
UNION ALL
SELECT 'lost', (went AT TIME ZONE $4)::date, level, count(*) FROM stays
WHERE went >= $2 AND went < $3 AND went <= $5 GROUP BY 2, 3
"""  # noqa: S608 - constants

# $1 scope, $2 the earliest of the streams, then of each: $3 its id, $4 from, $5 until
NEW_SUBSCRIBERS = f"""
{_STAYS}
SELECT s.id AS stream_id, count(*) AS count
FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[]) AS s (id, began, ended)
JOIN stays ON stays.came >= s.began AND stays.came < s.ended GROUP BY s.id
"""  # noqa: S608 - constants
