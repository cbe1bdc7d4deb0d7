#!/usr/bin/env python3
"""Starts the functions' release binaries behind the Runtime API and measures each process: bench.py [--rounds N] [--only WORDS].

Candidates take turns: a round starts each of them once. Figures are medians over the rounds.
"""

import argparse
import collections
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import targets
from candidates import Candidate, candidates
from report import keep, markdown, quartiles, spread
from table import ROOT
from world import World

# The first of them fill caches and are counted in no median.
SETTLING = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--warm", type=int, default=200, help="warm invocations of a process, a tenth with passwords")
    parser.add_argument("--seconds", type=float, default=280, help="no round begins after these")
    parser.add_argument("--binaries", type=Path, default=ROOT / "target/release", help="the folder of the functions")
    parser.add_argument("--only", default="", help="candidates whose name has one of these words, separated by commas")
    arguments = parser.parse_args()
    world = World(arguments.binaries)
    try:
        chosen = [each for each in candidates(world) if wanted(each, arguments.only)]
        figures = measure(chosen, arguments)
    finally:
        world.stop()
    text = "\n\n".join([context(figures), starts(figures), warm(figures), targets.table(figures), sizes(arguments.binaries)])
    if arguments.only:
        print(text)
    else:
        keep("bench", {"machine": platform.platform(), "figures": figures}, text)


def wanted(candidate: Candidate, only: str) -> bool:
    return not only or any(word.strip() in candidate.name for word in only.split(","))


def measure(chosen: list[Candidate], arguments: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    figures: dict = {candidate.name: collections.defaultdict(list) for candidate in chosen}
    end = time.monotonic() + arguments.seconds
    for round_ in range(arguments.rounds):
        if round_ and time.monotonic() > end:
            break
        for candidate in chosen:
            count = arguments.warm // 10 if candidate.heavy else arguments.warm
            for name, value in run(candidate, count).items():
                figures[candidate.name][name].append(value)
        print(f"round {round_ + 1}", file=sys.stderr)
    return figures


def run(candidate: Candidate, count: int) -> dict[str, float]:
    """The life of one process; times in nanoseconds, memory in KiB."""
    talk = candidate.talk()
    event = next(talk)
    with candidate.start() as process:
        first_wall, answer = process.invoke(event)
        first_cpu = process.cpu_at_rest() - process.start_cpu
        for _ in range(SETTLING):
            _, answer = process.invoke(talk.send(answer))
        before, walls = process.cpu_at_rest(), []
        for _ in range(count):
            wall, answer = process.invoke(talk.send(answer))
            walls.append(wall)
        return {
            "start_wall": process.start_wall,
            "start_cpu": process.start_cpu,
            "first_wall": first_wall,
            "first_cpu": first_cpu,
            "warm_wall": statistics.median(walls),
            "warm_cpu": (process.cpu_at_rest() - before) / count,
            "memory": process.peak_memory(),
        }


def context(figures: dict) -> str:
    rounds = max(len(values["start_wall"]) for values in figures.values())
    return (
        f"{machine()}; {rounds} processes of each, taking turns. Median, and in brackets the quartiles."
    )


def machine() -> str:
    """When and on what."""
    with open("/proc/cpuinfo") as file:
        found = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    model = found[0] if found else platform.machine()
    return f"{time.strftime('%Y-%m-%d')}, {model}, {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}"


def starts(figures: dict) -> str:
    header = ["start and first request, ms", "start, wall", "start, CPU", "first, wall", "first, CPU", "peak MiB"]
    names = ("start_wall", "start_cpu", "first_wall", "first_cpu")
    rows = []
    for candidate, values in figures.items():
        rows.append([candidate, *(spread(values[name], 1e6, 2) for name in names), spread(values["memory"], 1024)])
    return markdown(header, rows)


def warm(figures: dict) -> str:
    floor = quartiles(figures["echo"]["warm_cpu"])[1] if "echo" in figures else None
    header = ["warm request, µs", "CPU", "wall", "CPU, echo = 1"]
    rows = []
    for candidate, values in figures.items():
        ratio = f"{quartiles(values['warm_cpu'])[1] / floor:.2f}" if floor else ""
        rows.append([candidate, spread(values["warm_cpu"], 1e3, 0), spread(values["warm_wall"], 1e3, 0), ratio])
    return markdown(header, rows)


NAMES = "authorizer change-password login logout me refresh sessions signup well-known echo table_calls"


def sizes(binaries: Path) -> str:
    rows = []
    for name in NAMES.split():
        file = binaries / name
        if file.exists():
            rows.append([name, f"{file.stat().st_size / 2**20:.2f}"])
    peer = ROOT / "target/peers/release/sdk-defaults"
    if peer.exists():
        rows.append(["SDK defaults", f"{peer.stat().st_size / 2**20:.2f}"])
    return markdown(["binary, stripped", "MiB"], rows)


if __name__ == "__main__":
    main()
