"""Figures become tables, and tables get into BENCHMARKS.md."""

import json
import re
import statistics
from pathlib import Path

from table import ROOT

BENCHMARKS = ROOT / "BENCHMARKS.md"


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile.

    >>> quartiles([5, 1, 4, 2, 3])
    (2.0, 3.0, 4.0)
    >>> quartiles([7])
    (7, 7, 7)
    """
    if len(values) == 1:
        return (values[0],) * 3
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def spread(values: list[float], unit: float, digits: int = 1) -> str:
    """The median, and in brackets the quartiles.

    >>> spread([5e6, 1e6, 4e6, 2e6, 3e6], 1e6)
    '3.0 (2.0-4.0)'
    """
    low, middle, high = (f"{value / unit:.{digits}f}" for value in quartiles(values))
    return middle if low == high else f"{middle} ({low}-{high})"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A table whose first column is text.

    >>> print(markdown(["a", "b"], [["x", "1"]]))
    | a | b |
    |---|---:|
    | x | 1 |
    """
    lines = ["| " + " | ".join(row) + " |" for row in [header, *rows]]
    return "\n".join([lines[0], "|---|" + "---:|" * (len(header) - 1), *lines[1:]])


def keep(name: str, figures: object, text: str) -> None:
    """Writes target/bench/NAME.json, and the text between the marks of that name in BENCHMARKS.md."""
    folder = ROOT / "target/bench"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(figures, indent=1))
    replaced = between(BENCHMARKS.read_text(), name, text)
    BENCHMARKS.write_text(replaced)
    print(text)
    print(f"\nIn {BENCHMARKS.name}; every figure is in {Path('target/bench') / (name + '.json')}.")


def between(document: str, name: str, text: str) -> str:
    """The document with another text between two marks.

    >>> print(between("a\\n<!-- x -->\\nold\\n<!-- /x -->\\nb", "x", "new"))
    a
    <!-- x -->
    new
    <!-- /x -->
    b
    """
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(document):
        raise SystemExit(f"there are no marks <!-- {name} --> in {BENCHMARKS.name}")
    return pattern.sub(lambda found: f"{found[1]}{text}\n{found[2]}", document)
