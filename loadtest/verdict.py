"""What a run's figures mean: the lines that are printed, and what was broken. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.mixes import Scenario
from loadtest.tables import table
from loadtest.users.figures import Result, Summary

METHOD = (
    "A platform of its own (two nodes, all stores) and Locust on the same cores; limits on, an address for each "
    "client. Delivery: from just before a message is written to a socket to the moment a viewer's read returned with "
    "it, every viewer and message. Recovery: from the lost connection to the answered join, jitter included. A viewer "
    "who missed, doubled or reordered one message is *not whole*. CPU and memory are of the talk alone."
)


@dataclass(frozen=True, slots=True)
class Machine:
    """What the platform took while there was talk: cores, and proportional memory (PSS)."""

    node_cores: float
    platform_cores: float
    node_memory_mb: float
    platform_memory_mb: float


def broken(scenario: Scenario, result: Result) -> list[str]:
    """A sentence for each thing that may not be."""
    bounds = scenario.bounds
    limits = (
        ("joins p99", result.joins.p99, bounds.join_p99),
        ("acknowledgements p99", result.acks.p99, bounds.ack_p99),
        ("deliveries p99", result.deliveries.p99, bounds.delivery_p99),
        ("recoveries p99", result.recoveries.p99, bounds.recovery_p99),
        ("HTTP p95", result.http_p95, bounds.http_p95),
    )
    found = [f"{name} is {value:g} ms, more than {bound:g}" for name, value, bound in limits if value > bound]
    nothing = (
        ("viewers were not there at the end", result.viewers - result.present),
        ("viewers are not whole", result.not_whole),
        ("messages stood where they should not", result.wrong),
    )
    found += [f"{count} {what}" for what, count in nothing if count]
    if scenario.messages_per_second and not result.acknowledged:
        found.append("no message was acknowledged")
    if scenario.storms and not result.recoveries.count:
        found.append("nobody recovered, though there was a storm")
    return found + [f"{count} x {what}" for what, count in result.errors.items()]


def report(name: str, result: Result, machine: Machine) -> str:
    """Both tables, as Markdown."""
    seconds = result.talk_ended - result.talk_began
    times = [
        _row("join", result.joins),
        _row("send to acknowledgement", result.acks),
        _row("send to receive", result.deliveries),
        _row("recovery", result.recoveries),
    ]
    counts: Sequence[tuple[str, object]] = (
        ("viewers", result.viewers),
        ("not whole", result.not_whole),
        ("messages acknowledged", result.acknowledged),
        ("deliveries a second", result.deliveries.count / seconds),
        ("recoveries", result.recoveries.count),
        ("connections lost", result.connections_lost),
        ("gaps noticed", result.gaps),
        ("entries that came again and were ignored", result.repeated),
        ("errors", sum(result.errors.values())),
        ("HTTP requests", result.http_requests),
        ("slowest HTTP request's p95, ms", result.http_p95),
        ("nodes, cores", machine.node_cores),
        ("whole platform, cores", machine.platform_cores),
        ("generator, cores", result.generator_cpu_seconds / seconds),
        ("nodes, MB", machine.node_memory_mb),
        ("whole platform, MB", machine.platform_memory_mb),
        ("generator, MB", result.generator_memory_mb),
    )
    columns = ("what", "count", "p50 ms", "p95 ms", "p99 ms", "max ms")
    return "\n".join(
        (
            table(f"Load: {name}, {seconds:.0f} s of talk", METHOD, columns, times),
            table("Counts", "", ("what", "figure"), counts),
        )
    )


def _row(name: str, summary: Summary) -> tuple[object, ...]:
    return name, summary.count, summary.p50, summary.p95, summary.p99, summary.max
