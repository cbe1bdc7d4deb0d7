#!/usr/bin/env python3
"""Draws what small.py has measured: plot.py PNG. Needs matplotlib."""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from report import quartiles
from table import ROOT


def main() -> None:
    figures = json.loads((ROOT / "target/bench/small.json").read_text())
    pictures, axes = plt.subplots(1, 2, figsize=(12, 4.5), sharey=True, layout="constrained")
    for axis, name in zip(axes, ("first", "warm")):
        axis.set_prop_cycle(color=matplotlib.colormaps["tab20"].colors)
        for candidate, sizes in figures.items():
            middle = [quartiles(values[name])[1] / 1e6 for values in sizes.values()]
            axis.plot([int(size) for size in sizes], middle, marker="o", markersize=3, label=candidate)
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xticks([int(size) for size in sizes], list(sizes))
        axis.minorticks_off()
        axis.set_xlabel("memory, MB")
        axis.set_title(f"{name} request")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("ms")
    pictures.legend(*axes[1].get_legend_handles_labels(), fontsize=8, loc="outside right center")
    pictures.savefig(sys.argv[1], dpi=110)


if __name__ == "__main__":
    main()
