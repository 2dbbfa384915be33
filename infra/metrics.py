"""Every figure the platform counts, in one place. One object a process, made where the program is wired.

Labels are bounded by the code that fills them: routes are templates (`/streams/{id}`), never paths; groups, queues and
breakers are names in our own source. Sample: `footlight_bus_handled_total{name="realtime"} 12`.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Around the promise of 100 ms at the 95th percentile; above 5 s only "too long" matters.
LATENCY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Handles to count with; `registry` takes the collectors of parts that keep their own figures."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.http_requests = Counter(
            "footlight_http_requests", "Requests answered", ("method", "route", "status"), registry=registry
        )
        self.http_seconds = Histogram(
            "footlight_http_seconds",
            "Time to answer a request",
            ("method", "route"),
            buckets=LATENCY_SECONDS,
            registry=registry,
        )
        self.sockets = Gauge("footlight_sockets", "Socket connections open now", registry=registry)
        self.room_messages = Counter(
            "footlight_room_messages", "Events from (in) and frames to (out) viewers", ("direction",), registry=registry
        )
        self.bus_published = Counter(
            "footlight_bus_published", "Messages the broker has safely", ("topic",), registry=registry
        )
        self.bus_handled = Counter("footlight_bus_handled", "Messages handled", ("name",), registry=registry)
        self.bus_failed = Counter(
            "footlight_bus_failed", "Attempts that raised, to be tried again", ("name",), registry=registry
        )
        self.bus_dead = Counter("footlight_bus_dead", "Messages given up", ("name",), registry=registry)
        self.bus_dropped = Counter(
            "footlight_bus_dropped", "Unread events cut off because the log reached its cap", registry=registry
        )
        self.retries = Counter("footlight_retries", "Calls tried again", ("call", "error"), registry=registry)
        self.breaker_open = Gauge(
            "footlight_breaker_open", "0 closed, 0.5 letting one probe through, 1 open", ("breaker",), registry=registry
        )
        self.breaker_changes = Counter(
            "footlight_breaker_changes", "Changes of state", ("breaker", "state"), registry=registry
        )
        self.outbox_backlog = Gauge(
            "footlight_outbox_backlog", "Events committed but not yet on the bus", registry=registry
        )
        self.archive_backlog = Gauge(
            "footlight_archive_backlog", "Chat entries in the rooms' logs that the archive lacks", registry=registry
        )
        self.archived = Counter("footlight_archived", "Chat entries stored in the archive", registry=registry)
        self.recordings_failed = Counter(
            "footlight_recordings_failed", "Recordings of streams that no video could be made of", registry=registry
        )
        self._of_payments(registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is the template, not the path."""
        self.http_requests.labels(method, route, str(status)).inc()
        self.http_seconds.labels(method, route).observe(seconds)

    def render(self) -> bytes:
        """What `/metrics` answers, as `CONTENT_TYPE`."""
        return generate_latest(self.registry)

    def _of_payments(self, registry: CollectorRegistry) -> None:
        self.inbox_events = Gauge(
            "footlight_inbox_events", "Stripe's events that wait, and those given up", ("state",), registry=registry
        )
        self.ledger_findings = Gauge(
            "footlight_ledger_findings", "What the last check of the books found wrong", ("kind",), registry=registry
        )
        self.ledger_checked = Gauge(
            "footlight_ledger_checked_seconds", "When the books were last checked, Unix time", registry=registry
        )
