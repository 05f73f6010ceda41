#!/usr/bin/env python3
"""How fast a model is after so many seconds of search.

  curve.py [--model resnet50] [--seeds 5] [--seconds 1 3 10 30 60] [--effort measure] [--json FILE]

Each seed is a run of hone tune from an empty log. What was known at a time is read from the log: the
best of each task so far, the untuned choice where nothing was measured yet. The figure is the
model's time at the end over its time then, both as sums over the tasks; times are those that the
search measured, each kernel alone, so that the last second counts like the first.
"""
import argparse
import json
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import peers

GATE, GATE_SECONDS = 0.97, 10


def run(a, model, log, seed):
    """seconds it took, its tasks"""
    began = time.time()
    out = subprocess.run([a.hone, "tune", model, "--log", log, "--seed", str(seed), "--effort",
                          a.effort, "--json"], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    return began, time.time() - began, json.loads(out.stdout)


def known(log, began, task):
    """(seconds, best so far) of a task, in order; the first is the untuned choice, at 0"""
    rows = sqlite3.connect(f"file:{log}?mode=ro", uri=True).execute(
        "SELECT time, best_ns, stage FROM trial JOIN keys ON keys.id = trial.key "
        "WHERE task = ? AND form = ? AND status = 'OK' AND race = 0 ORDER BY trial.id",
        (task["key"], task["form"])).fetchall()
    untuned = [ns for _, ns, stage in rows if stage == "untuned"] or [rows[0][1]]
    steps = [(0.0, untuned[0])]
    for when, ns, _ in rows:
        if ns < steps[-1][1]:
            steps.append((max(0.0, when - began), ns))
    return steps


def at(steps, seconds):
    return [ns for when, ns in steps if when <= seconds][-1]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--hone", default=peers.peer.HONE)
    p.add_argument("--model", default="resnet50")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--seconds", type=float, nargs="+", default=[1, 3, 10, 30, 60])
    p.add_argument("--effort", default="measure")
    p.add_argument("--json", type=Path)
    a = p.parse_args()
    shares, took, rates = {s: [] for s in a.seconds}, [], []
    with tempfile.TemporaryDirectory(prefix="hone-bench-") as folder:
        model = Path(folder) / f"{a.model}.onnx"
        subprocess.run([a.hone, "zoo", a.model, "-o", model], check=True)
        for seed in range(a.seeds):
            log = Path(folder) / f"{seed}.db"
            began, seconds, report = run(a, model, log, seed)
            tasks = [(t["uses"], known(log, began, t)) for t in report["tasks"]]
            end = sum(uses * steps[-1][1] for uses, steps in tasks)
            for s in a.seconds:
                shares[s].append(end / sum(uses * at(steps, s) for uses, steps in tasks))
            took.append(seconds)
            rates.append(report["trials"] / seconds)
    rows = [{"rung": "curve", "name": f"after {s:g} s", "median": statistics.median(v),
             "least": min(v), "most": max(v)} for s, v in shares.items()]
    rows.append({"rung": "curve", "name": "whole", "seconds": statistics.median(took),
                 "trials_s": statistics.median(rates), "seeds": a.seeds, "model": a.model})
    for r in rows[:-1]:
        print(f"{r['name']:12} {100 * r['median']:.1f} % of the speed at the end "
              f"[{100 * r['least']:.1f}, {100 * r['most']:.1f}]")
    print(f"{a.model}: {rows[-1]['seconds']:.1f} s, {rows[-1]['trials_s']:.1f} trials/s, "
          f"{a.seeds} seeds; asked for: {100 * GATE:.0f} % after {GATE_SECONDS} s")
    if a.json:
        a.json.write_text("".join(json.dumps(r) + "\n" for r in rows))


if __name__ == "__main__":
    main()
