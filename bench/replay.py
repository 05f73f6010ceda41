#!/usr/bin/env python3
"""Makes the tables of docs/SEARCH.md: `hone replay` over the recorded set, one strategy after the other.

Usage: bench/replay.py BIN STRATEGY...     BIN: folder of hone"""

import glob
import json
import os
import subprocess
import sys


def replay(program, sets, strategy):
    command = [program, "replay", "--json", "--search", strategy] + sets
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


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


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sets = sorted(glob.glob(os.path.join(root, "tests", "replay", "*.txt")))
    runs = [replay(os.path.join(sys.argv[1], "hone"), sets, s) for s in sys.argv[2:]]
    head("strategy", runs[0]["mean"]["after"])
    for run in runs:
        row([run["search"]] + figures(run["mean"]))
    print()
    row(["task", "rows", "whole space", "best us"] +
        ["%s, %d" % (r["search"], n) for r in runs for n in (32, 64)])
    print("|---" * (4 + 2 * len(runs)) + "|")
    for i, task in enumerate(runs[0]["tasks"]):
        row([task["name"], "%d" % task["rows"], "%.4g" % task["space"], "%.4g" % task["best_us"]] +
            ["%.1f" % (100 * r["tasks"][i]["after"][k]["share"]) for r in runs for k in (-2, -1)])


if __name__ == "__main__":
    main()
