"""How benchmarks print: a title, the method in a sentence, rows in columns; and percentiles."""

from collections.abc import Sequence
from math import ceil


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * share) - 1)]


def table(title: str, method: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown, so that what was printed can be pasted into the docs as it is."""
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = [max(len(line[index]) for line in [list(columns), *cells]) for index in range(len(columns))]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [columns, *cells]
    ]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join(
        [f"### {title}", "", method, "", f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:]), ""]
    )


def _text(cell: object) -> str:
    return f"{cell:.2f}".rstrip("0").rstrip(".") if isinstance(cell, float) else str(cell)
