"""What every benchmark of this folder is told, and where its figures go."""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from report import keep
from table import ROOT


def parse(about: str, rounds: int, warm: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--warm", type=int, default=warm, help="warm invocations of a process; bench.py: a tenth with passwords")
    parser.add_argument("--seconds", type=float, default=280, help="no round begins after these")
    parser.add_argument("--binaries", type=Path, default=ROOT / "target/release", help="the folder of the functions")
    parser.add_argument("--only", default="", help="what has one of these words in its name, separated by commas")
    return parser.parse_args()


def wanted(name: str, arguments: argparse.Namespace) -> bool:
    return not arguments.only or any(word.strip() in name for word in arguments.only.split(","))


def rounds(arguments: argparse.Namespace) -> Iterator[int]:
    """At least one, and as many as the time allows."""
    end = time.monotonic() + arguments.seconds
    for number in range(1, arguments.rounds + 1):
        if number > 1 and time.monotonic() > end:
            break
        yield number
        print(f"round {number}", file=sys.stderr)


def tell(name: str, figures: dict, text: str, arguments: argparse.Namespace) -> None:
    """Kept are the figures of everything; those of a part are shown."""
    if arguments.only:
        print(text)
    else:
        keep(name, figures, text)
