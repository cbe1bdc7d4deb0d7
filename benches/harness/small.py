#!/usr/bin/env python3
"""The functions on the CPU that Lambda gives to 128 to 1769 MB: small.py [--rounds N].

A process starts with a whole CPU, as a Lambda function does, and is held to its share from its first question for an event on.
"""

import argparse
import collections
import statistics
import sys
import time
from pathlib import Path

from bench import machine, wanted
from candidates import Candidate, candidates
from report import keep, markdown, quartiles
from share import PERIOD, Share
from table import ROOT
from world import World

SIZES = (128, 256, 512, 1024, 1769)
FIRST, WARM = "first", "warm"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--warm", type=int, default=10, help="warm invocations of a process")
    parser.add_argument("--seconds", type=float, default=280, help="no round begins after these")
    parser.add_argument("--binaries", type=Path, default=ROOT / "target/release", help="the folder of the functions")
    parser.add_argument("--only", default="", help="functions whose name has one of these words, separated by commas")
    arguments = parser.parse_args()
    world = World(arguments.binaries)
    shares = {size: Share(size) for size in SIZES}
    try:
        chosen = [each for each in candidates(world) if each.function and wanted(each, arguments.only)]
        figures = measure(chosen, shares, arguments)
    finally:
        for share in shares.values():
            share.close()
        world.stop()
    text = "\n\n".join([context(figures), times(figures, FIRST), times(figures, WARM), costs(figures)])
    if arguments.only:
        print(text)
    else:
        keep("small", figures, text)


def measure(chosen: list[Candidate], shares: dict[int, Share], arguments: argparse.Namespace) -> dict:
    figures: dict = {each.name: {size: collections.defaultdict(list) for size in SIZES} for each in chosen}
    end = time.monotonic() + arguments.seconds
    for round_ in range(arguments.rounds):
        if round_ and time.monotonic() > end:
            break
        for candidate in chosen:
            for size, share in shares.items():
                for name, values in run(candidate, share, arguments.warm).items():
                    figures[candidate.name][size][name] += values
        print(f"round {round_ + 1}", file=sys.stderr)
    return figures


def run(candidate: Candidate, share: Share, count: int) -> dict[str, list[float]]:
    """Nanoseconds of wall clock from the event to the answer: what a client waits for, and what Lambda bills."""
    talk = candidate.talk()
    event = next(talk)
    with candidate.start() as process:
        share.take(process.child.pid)
        time.sleep(2 * PERIOD / 1e6)
        first, answer = process.invoke(event)
        warm = []
        for _ in range(count):
            # Requests come one by one, with a whole period's share unused.
            time.sleep(PERIOD / 1e6)
            wall, answer = process.invoke(talk.send(answer))
            warm.append(wall)
        return {FIRST: [first], WARM: [statistics.median(warm)]}


def context(figures: dict) -> str:
    rounds = max(len(values[FIRST]) for sizes in figures.values() for values in sizes.values())
    return (
        f"{machine()}; {rounds} processes of each function and size, taking turns; medians of wall clock."
    )


def times(figures: dict, name: str) -> str:
    header = [f"{name} request, ms", *(f"{size} MB" for size in SIZES)]
    rows = []
    for candidate, sizes in figures.items():
        rows.append([candidate, *(f"{median(sizes[size][name]) / 1e6:.1f}" for size in SIZES)])
    return markdown(header, rows)


def costs(figures: dict) -> str:
    """Lambda bills whole milliseconds, times memory."""
    header = ["warm request, MB-ms billed", *(f"{size} MB" for size in SIZES), "cheapest", "fastest"]
    rows = []
    for candidate, sizes in figures.items():
        walls = {size: median(sizes[size][WARM]) / 1e6 for size in SIZES}
        billed = {size: size * -int(-wall // 1) for size, wall in walls.items()}
        cheapest, fastest = min(billed, key=billed.get), min(walls, key=lambda size: round(walls[size], 1))
        rows.append([candidate, *(f"{billed[size]:,}" for size in SIZES), f"{cheapest} MB", f"{fastest} MB"])
    return markdown(header, rows)


def median(values: list[float]) -> float:
    return quartiles(values)[1]


if __name__ == "__main__":
    main()
