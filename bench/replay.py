#!/usr/bin/env python3
"""Makes the tables of docs/SEARCH.md: `hone replay` over the recorded set, one way after the other.

Usage: bench/replay.py BIN WAY...     BIN: folder of hone

A way is a strategy, and behind it, each after a plus, what it knows before:
  avx2   a search of the same tasks on x86-64-v3
  near   what is best for the other tasks of the set
  learn  a cost model trained with the other tasks
"""

import glob
import json
import os
import subprocess
import sys
from math import exp, log
from statistics import median

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def sets(*folder):
    return sorted(glob.glob(os.path.join(ROOT, "tests", "replay", *folder, "*.txt")))


def known(word):
    if word == "learn":
        return ["--learn"]
    files = {"avx2": sets("avx2"), "near": sets()}[word]
    return [argument for f in files for argument in ("--warm", f)]


def replay(program, way):
    strategy, *words = way.split("+")
    command = [program, "replay", "--json", "--search", strategy]
    for word in words:
        command += known(word)
    run = json.loads(subprocess.run(command + sets(), check=True, capture_output=True).stdout)
    run["way"] = way
    return run


def figures(f):
    """Shares after 1, 8, 16, 32, 64 trials; the worst after 64; trials to 95 and 98 %; seconds."""
    trials = [("" if t["always"] else "> ") + "%.1f" % t["trials"] for t in f["to"]]
    shares = ["%.1f" % (100 * a["share"]) for a in f["after"]]
    return shares + ["%.1f" % (100 * f["after"][-1]["worst"])] + trials + [
        "%.2f" % (f["compile_s"] + f["measure_s"])]


def row(cells):
    print("| " + " | ".join(cells) + " |")


def head(first, after):
    row([first, *["%d" % a["trials"] for a in after], "worst", "to 95 %", "to 98 %", "s"])
    print("|---" * (len(after) + 5) + "|")


def shares_by_task(runs):
    row(["task", "rows", "whole space", "best us"] +
        ["%s, %d" % (r["way"], n) for r in runs for n in (32, 64)])
    print("|---" * (4 + 2 * len(runs)) + "|")
    for i, task in enumerate(runs[0]["tasks"]):
        row([task["name"], "%d" % task["rows"], "%.4g" % task["space"], "%.4g" % task["best_us"]] +
            ["%.1f" % (100 * r["tasks"][i]["after"][k]["share"]) for r in runs for k in (-2, -1)])


def trials_by_task(runs):
    """Until 95 % of the best, means over the seeds."""
    row(["trials to 95 %"] + [r["way"] for r in runs])
    print("|---" * (1 + len(runs)) + "|")
    trials = [[t["to"][0]["trials"] for t in r["tasks"]] for r in runs]
    for i, task in enumerate(runs[0]["tasks"]):
        row([task["name"]] + ["%.1f" % t[i] for t in trials])
    row(["mean"] + ["%.1f" % (sum(t) / len(t)) for t in trials])
    row(["geometric mean"] + ["%.1f" % exp(sum(map(log, t)) / len(t)) for t in trials])
    row(["median"] + ["%.1f" % median(t) for t in trials])


def main():
    runs = [replay(os.path.join(sys.argv[1], "hone"), way) for way in sys.argv[2:]]
    head("way", runs[0]["mean"]["after"])
    for run in runs:
        row([run["way"]] + figures(run["mean"]))
    print()
    shares_by_task(runs)
    print()
    trials_by_task(runs)


if __name__ == "__main__":
    main()
