"""The nightly check: do the books add up, each entry, each currency, each account, and do payouts agree with them.

The database refuses most of this when it is written. The check is for what it cannot see (a payout whose row and
entries part, a share taken back twice) and for what should be impossible (somebody at the database with triggers off).
It reads one snapshot, changes nothing, and says what it found in the log, the metrics and the exit code of
`footlight ledger check`.
"""

import asyncio
from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any, Literal, get_args

import msgspec

from infra.clock import Clock, system_clock
from infra.errors import FootlightError
from infra.logs import get_logger
from infra.metrics import Metrics
from infra.stores.postgres import Postgres

CHECKED_AT = time(3, 17)  # UTC; when few watch and no statement is being made
PAUSE_SECONDS = 300.0
QUERY_SECONDS = 600.0  # it reads every line; a million took 2.8 s
MOST = 100  # findings of one kind told; where there are more, the first hundred are enough to begin with

FindingKind = Literal["entry", "currency", "account", "payout", "share"]

log = get_logger(__name__)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong. `what` names the entry, currency, account, payout or payment."""

    kind: FindingKind
    what: str
    why: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check saw. `balances`: account -> currency -> minor units, debit positive; creators are put together."""

    at: datetime
    entries: int
    findings: list[Finding]
    balances: dict[str, dict[str, int]]


class Audit:
    """Checks the books, once (`check`) or every night (`run`)."""

    def __init__(self, db: Postgres, metrics: Metrics, clock: Clock = system_clock) -> None:
        self._db = db
        self._metrics = metrics
        self._clock = clock

    async def run(self) -> None:
        """Check every night until cancelled; a check that could not be made is tried again."""
        wait = seconds_until(CHECKED_AT, self._clock())
        while True:
            await asyncio.sleep(wait)
            done = await self._try()
            wait = seconds_until(CHECKED_AT, self._clock()) if done else PAUSE_SECONDS

    async def _try(self) -> bool:
        try:
            await self.check()
        except FootlightError as failure:
            log.error("books.check_failed", code=failure.code)
            return False
        except Exception:  # nobody else checks: one bad night must not be the last
            log.exception("books.check_failed")
            return False
        return True

    async def check(self) -> Checked:
        """Look at everything there is now."""
        findings: list[Finding] = []
        async with (
            self._db.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            for kind, query in QUERIES.items():
                rows = await connection.fetch(query, MOST, timeout=QUERY_SECONDS)
                findings += [Finding(kind=kind, what=row["what"], why=row["why"]) for row in rows]
            entries = await connection.fetchval("SELECT count(*) FROM journal", timeout=QUERY_SECONDS)
            totals = await connection.fetch(TOTALS, timeout=QUERY_SECONDS)
        checked = Checked(at=self._clock(), entries=entries, findings=findings, balances=_by_account(totals))
        self._tell(checked)
        return checked

    def _tell(self, checked: Checked) -> None:
        found = Counter(finding.kind for finding in checked.findings)
        for kind in get_args(FindingKind):
            self._metrics.ledger_findings.labels(kind).set(found[kind])
        self._metrics.ledger_checked.set(checked.at.timestamp())
        for finding in checked.findings:
            log.error("books.wrong", kind=finding.kind, what=finding.what, why=finding.why)
        log.info("books.checked", entries=checked.entries, findings=len(checked.findings))


def seconds_until(moment: time, now: datetime) -> float:
    """To the next time the clock shows `moment`, a day when it shows it now."""
    today = now.replace(hour=moment.hour, minute=moment.minute, second=0, microsecond=0)
    return ((today if today > now else today + timedelta(days=1)) - now).total_seconds()


def _by_account(rows: list[Any]) -> dict[str, dict[str, int]]:
    balances: dict[str, dict[str, int]] = {}
    for row in rows:
        balances.setdefault(row["account"], {})[row["currency"]] = int(row["total"])
    return balances


TOTALS = """
SELECT split_part(account, ':', 1) AS account, currency, sum(amount_minor) AS total
FROM journal_lines GROUP BY 1, 2 ORDER BY 1, 2
"""

# Each answers `what` and `why` of at most $1 findings.
QUERIES: dict[FindingKind, str] = {
    "entry": """
SELECT j.cause AS what, format('%s of %s lines, %s currencies, %s left over', count(l.*), j.lines,
    count(DISTINCT l.currency), coalesce(sum(l.amount_minor), 0)) AS why
FROM journal j LEFT JOIN journal_lines l ON l.entry_id = j.id GROUP BY j.id
HAVING count(l.*) < 2 OR count(l.*) <> j.lines OR sum(l.amount_minor) <> 0
    OR count(*) FILTER (WHERE l.currency <> j.currency) > 0
ORDER BY j.id LIMIT $1
""",
    "currency": """
SELECT currency AS what, format('%s left over', sum(amount_minor)) AS why
FROM journal_lines GROUP BY currency HAVING sum(amount_minor) <> 0 ORDER BY currency LIMIT $1
""",
    # Nobody can be on their way to be paid less than nothing, and no bank holds less than nothing of ours.
    "account": """
SELECT account || ' ' || currency AS what, format('stands at %s', sum(amount_minor)) AS why
FROM journal_lines WHERE account = 'disputed' OR account LIKE 'reserve:%' OR account LIKE 'transit:%'
GROUP BY account, currency
HAVING (account = 'disputed') = (sum(amount_minor) < 0) AND sum(amount_minor) <> 0 ORDER BY 1 LIMIT $1
""",
    # Each payout has the entries of its state, of its amount, and each of those entries has its payout.
    "payout": """
WITH booked AS (
    SELECT j.about, array_agg(j.kind ORDER BY j.kind) AS kinds, count(DISTINCT j.currency) AS currencies,
        min(j.currency) AS currency, min(sums.amount) AS least, max(sums.amount) AS most,
        min(sums.creator) AS creator, max(sums.creator) AS other, min(j.creator_id::text) AS named
    FROM journal j CROSS JOIN LATERAL (
        SELECT sum(amount_minor) FILTER (WHERE amount_minor > 0) AS amount,
            max(split_part(account, ':', 2)) AS creator
        FROM journal_lines l WHERE l.entry_id = j.id
    ) AS sums WHERE j.kind LIKE 'payout\\_%' GROUP BY j.about
), wanted AS (
    SELECT *, 'payout:' || id AS about, CASE state
        WHEN 'asked' THEN ARRAY['payout_asked'] WHEN 'sent' THEN ARRAY['payout_asked', 'payout_sent']
        WHEN 'failed' THEN ARRAY['payout_asked', 'payout_failed']
        ELSE ARRAY['payout_asked', 'payout_returned', 'payout_sent'] END AS kinds
    FROM payouts
)
SELECT coalesce(w.about, b.about) AS what,
    CASE WHEN w.id IS NULL THEN 'is booked, but there is no such payout' WHEN b.about IS NULL THEN 'is not booked'
        ELSE format('is %s: %s %s for %s, but booked as %s: %s to %s %s for %s', w.state, w.amount_minor, w.currency,
            w.creator_id, array_to_string(b.kinds, ', '), b.least, b.most, b.currency, b.creator) END AS why
FROM wanted w FULL JOIN booked b USING (about)
WHERE w.id IS NULL OR b.about IS NULL OR w.kinds <> b.kinds OR b.currencies <> 1 OR b.currency <> w.currency
    OR b.least <> w.amount_minor OR b.most <> w.amount_minor
    OR ARRAY[b.creator, b.other, b.named] <> array_fill(w.creator_id::text, ARRAY[3])
ORDER BY 1 LIMIT $1
""",
    # Of one payment a creator never loses more than it brought them, nor the tax office.
    "share": """
SELECT j.about AS what, format('%s took back %s more than it was given', split_part(l.account, ':', 1),
    sum(l.amount_minor)) AS why
FROM journal j JOIN journal_lines l ON l.entry_id = j.id
WHERE j.kind NOT LIKE 'payout\\_%' AND (l.account = 'tax' OR l.account LIKE 'creator:%' OR l.account LIKE 'reserve:%')
GROUP BY j.about, split_part(l.account, ':', 1), l.currency
HAVING sum(l.amount_minor) > 0 ORDER BY 1 LIMIT $1
""",
}
