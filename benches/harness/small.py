#!/usr/bin/env python3
"""The functions on the CPU that Lambda gives to 128 to 1769 MB: small.py [--rounds N].

A process starts with a whole CPU, as a Lambda function does, and is held to its share from its first question for an event on.
"""

import argparse
import collections
import contextlib
import statistics
import time

import command_line
from bench import machine
from candidates import Candidate, candidates
from report import markdown, quartiles
from share import PERIOD, Share
from world import World

SIZES = (128, 256, 512, 1024, 1769)
FIRST, WARM = "first", "warm"


def main() -> None:
    arguments = command_line.parse(__doc__, rounds=15, warm=10)
    with World(arguments.binaries) as world, contextlib.ExitStack() as stack:
        shares = {size: stack.enter_context(contextlib.closing(Share(size))) for size in SIZES}
        ours = [each for each in candidates(world) if each.function]
        chosen = [each for each in ours if command_line.wanted(each.name, arguments)]
        figures = measure(chosen, shares, arguments)
    text = "\n\n".join([context(figures), times(figures, FIRST), times(figures, WARM), costs(figures)])
    command_line.tell("small", figures, text, arguments)


def measure(chosen: list[Candidate], shares: dict[int, Share], arguments: argparse.Namespace) -> dict:
    figures: dict = {each.name: {size: collections.defaultdict(list) for size in SIZES} for each in chosen}
    for _ in command_line.rounds(arguments):
        for candidate in chosen:
            for size, share in shares.items():
                for name, values in run(candidate, share, arguments.warm).items():
                    figures[candidate.name][size][name] += values
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
