#!/usr/bin/env python3
"""Starts the functions' release binaries behind the Runtime API and measures each process: bench.py [--rounds N] [--only WORDS].

Candidates take turns: a round starts each of them once. Figures are medians over the rounds.
"""

import argparse
import collections
import os
import platform
import statistics
import time
from pathlib import Path

import command_line
import targets
from candidates import Candidate, candidates
from report import markdown, quartiles, spread
from table import ROOT
from world import World

# The first of them fill caches and are counted in no median.
SETTLING = 10


def main() -> None:
    arguments = command_line.parse(__doc__, rounds=20, warm=200)
    with World(arguments.binaries) as world:
        chosen = [each for each in candidates(world) if command_line.wanted(each.name, arguments)]
        figures = measure(chosen, arguments)
    text = "\n\n".join([context(figures), starts(figures), warm(figures), targets.table(figures), sizes(arguments.binaries)])
    command_line.tell("bench", {"machine": platform.platform(), "figures": figures}, text, arguments)


def measure(chosen: list[Candidate], arguments: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    figures: dict = {candidate.name: collections.defaultdict(list) for candidate in chosen}
    for _ in command_line.rounds(arguments):
        for candidate in chosen:
            count = arguments.warm // 10 if candidate.heavy else arguments.warm
            for name, value in run(candidate, count).items():
                figures[candidate.name][name].append(value)
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


# The functions' programs, and how many megabytes they are to have at most.
LIMITS = {
    **dict.fromkeys("authorizer token-authorizer".split(), 5),
    **dict.fromkeys("change-password login logout me refresh sessions signup well-known".split(), 9),
}
FLOOR = ("echo", "table_calls")


def sizes(binaries: Path) -> str:
    programs = {name: binaries / name for name in (*LIMITS, *FLOOR)}
    programs["SDK defaults"] = ROOT / "target/peers/release/sdk-defaults"
    rows = []
    for name, program in programs.items():
        if program.exists():
            rows.append([name, f"{program.stat().st_size / 1e6:.2f}", str(LIMITS.get(name, ""))])
    return markdown(["program, stripped, MB", "measured", "at most"], rows)


if __name__ == "__main__":
    main()
