#!/usr/bin/env python3
"""Counts the instructions of each hot path, and compares them with those of baseline.json.

    count.py PROGRAM VALGRIND           fails if one has grown by more than 5%
    count.py PROGRAM VALGRIND --update  writes the baseline

A path runs twice under callgrind, for few rounds and for many: the difference is what the rounds cost, without the start of the
process. valgrind plays one processor (AVX2, no SHA extensions) whatever the machine has, so a count is the code's and the
compiler's alone; hash tables, which are seeded at random, move it by some instructions in a thousand rounds.
"""

import argparse
import concurrent.futures
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

BASELINE = Path(__file__).with_name("baseline.json")
FEW = 20
# Public-key signatures are a hundred times as long as the rest.
MANY, MANY_SLOW = 520, 70
SLOW = re.compile("rs256|es256|eddsa")
TOLERANCE = 0.05


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("valgrind")
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    counted = count(arguments.program, arguments.valgrind)
    if arguments.update:
        BASELINE.write_text(json.dumps(counted, indent=2) + "\n")
        print(table(counted["instructions"], {}))
        return 0
    baseline = json.loads(BASELINE.read_text())
    print(table(counted["instructions"], baseline["instructions"]))
    if counted["machine"] != baseline["machine"]:
        print(f"not compared: the baseline is of {baseline['machine']}, this is {counted['machine']}")
        return 0
    worse, other = compare(counted, baseline)
    for line in worse + other:
        print(line)
    if worse or other:
        print("`make instructions UPDATE=1` makes these counts the baseline.")
    return 1 if worse else 0


def count(program: str, valgrind: str) -> dict:
    paths = subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.split()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = list(pool.map(lambda path: rounds(program, valgrind, path), paths))
    compiler = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    return {"machine": platform.machine(), "compiler": compiler, "instructions": dict(zip(paths, counts))}


def rounds(program: str, valgrind: str, path: str) -> int:
    many = MANY_SLOW if SLOW.search(path) else MANY
    cost = collected(program, valgrind, path, many) - collected(program, valgrind, path, FEW)
    return round(cost / (many - FEW))


def collected(program: str, valgrind: str, path: str, count: int) -> int:
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", program, path, str(count)]
    run = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode or not found:
        raise SystemExit(f"{' '.join(command)} failed:\n{run.stderr}")
    return int(found[1])


def compare(counted: dict, baseline: dict) -> tuple[list[str], list[str]]:
    """What has become worse than the baseline, and what else does not fit it; a line each.

    >>> before = {"compiler": "rustc 1", "instructions": {"a": 1000, "b": 1000, "c": 1000}}
    >>> compare({"compiler": "rustc 1", "instructions": {"a": 1050, "b": 950, "c": 1000}}, before)
    ([], [])
    >>> worse, other = compare({"compiler": "rustc 2", "instructions": {"a": 1051, "b": 949, "d": 1}}, before)
    >>> print(*worse, *other, sep="\\n")
    a has grown from 1,000 to 1,051 instructions
    c is counted no more
    d is not in the baseline
    b has shrunk from 1,000 to 949 instructions
    the baseline is of rustc 1, this is rustc 2
    """
    worse, other = [], []
    now, before = counted["instructions"], baseline["instructions"]
    for path in sorted(now.keys() | before.keys()):
        if path not in now:
            worse.append(f"{path} is counted no more")
        elif path not in before:
            worse.append(f"{path} is not in the baseline")
        elif now[path] > before[path] * (1 + TOLERANCE):
            worse.append(f"{path} has grown from {before[path]:,} to {now[path]:,} instructions")
        elif now[path] < before[path] * (1 - TOLERANCE):
            other.append(f"{path} has shrunk from {before[path]:,} to {now[path]:,} instructions")
    if counted["compiler"] != baseline["compiler"]:
        other.append(f"the baseline is of {baseline['compiler']}, this is {counted['compiler']}")
    return worse, other


def table(now: dict[str, int], before: dict[str, int]) -> str:
    lines = ["| path | instructions | baseline |", "|---|---:|---:|"]
    for path, value in now.items():
        change = f"{value / before[path] - 1:+.1%}" if path in before else ""
        lines.append(f"| {path} | {value:,} | {change} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
