"""How well the edge shields the origin, by class of object: as JSON for a person, as metrics for Prometheus.

`hit` came from memory, `coalesced` joined a request that was under way, `miss` asked the origin. `error` counts, on
top of those, the answers of 400 and above and the fetches that failed.
"""

from collections.abc import Iterator
from typing import Any, Literal, get_args

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from media.delivery.cache import ByteCache
from media.delivery.wanted import Kind

Source = Literal["hit", "coalesced", "miss"]
Result = Literal["hit", "coalesced", "miss", "error"]


class EdgeStats(Collector):
    """Counts since the process began."""

    def __init__(self, cache: ByteCache) -> None:
        self._cache = cache
        self._counts: dict[Kind, dict[Result, int]] = {
            kind: dict.fromkeys(get_args(Result), 0) for kind in get_args(Kind)
        }
        self.refused = 0  # names that no object has
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def count(self, kind: Kind, result: Result) -> None:
        self._counts[kind][result] += 1

    def as_dict(self) -> dict[str, Any]:
        """`{classes: {playlist: {hit, coalesced, miss, error}, ..}, requests, hit_ratio, refused, entries, bytes}`."""
        shielded = sum(counts["hit"] + counts["coalesced"] for counts in self._counts.values())
        requests = shielded + sum(counts["miss"] for counts in self._counts.values())
        return {
            "classes": {kind: dict(counts) for kind, counts in self._counts.items()},
            "requests": requests,
            "hit_ratio": round(shielded / requests, 4) if requests else None,
            "refused": self.refused,
            "entries": len(self._cache),
            "bytes": self._cache.bytes,
        }

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "footlight_edge_requests", "Requests by class and where the answer came from", labels=["class", "source"]
        )
        errors = CounterMetricFamily("footlight_edge_errors", "Answers of 400 and above", labels=["class"])
        for kind, counts in self._counts.items():
            for source in get_args(Source):
                requests.add_metric([kind, source], counts[source])
            errors.add_metric([kind], counts["error"])
        yield requests
        yield errors
        yield CounterMetricFamily("footlight_edge_refused", "Requests for names no object has", value=self.refused)
        yield GaugeMetricFamily("footlight_edge_cache_bytes", "Memory the cache fills", value=self._cache.bytes)
