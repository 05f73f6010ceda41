#!/usr/bin/env python3
"""Times a model tuned with one effort against the same model tuned with others, in turns.

  efforts.py [--model resnet50] [--logs DIR] [--rounds 40] [--json FILE] [WAY ...]

WAY: an effort of hone tune, or EFFORT@SECONDS with a time limit; measure, measure@10 and exhaustive
unless given. Each is a search from an empty log of its own, kept as DIR/MODEL-WAY.db: what is there
is not searched again. Then all bundles are loaded into this process and timed in the rounds of
bench/peers.py. The figure of a way is the speed of the bundle of `measure` over that of its own, or
the other way round where a limit made it search less: median over the rounds, with a 95 %
bootstrap interval.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import peers
import sides

REFERENCE = "measure"
GATES = {"exhaustive": 0.98, "measure@10": 0.97}  # speed of measure / exhaustive; @10 / measure


def search(a, model, way, log):
    """trials and seconds of the search; nothing when the log has it already"""
    effort, _, limit = way.partition("@")
    if limit and log.exists():
        return {}  # it would go on for as long again; others go on where they were
    began = time.time()
    out = subprocess.run([a.hone, "tune", model, "--log", log, "--effort", effort, "--json",
                          *(["--time-limit", f"{limit}s"] if limit else [])],
                         check=True, stdout=subprocess.PIPE).stdout
    trials = json.loads(out)["trials"]
    return {"trials": trials, "seconds": time.time() - began} if trials else {}


def bundle(a, model, way, folder, inputs):
    log = a.logs / f"{a.model}-{way}.db"
    found = search(a, model, way, log)
    subprocess.run([a.hone, "compile", model, "--log", log, "-o", folder / way], check=True,
                   stdout=subprocess.DEVNULL)
    side = sides.Hone(folder / way, inputs)
    side.name = name_of(way)
    return side, found


def name_of(way):
    """the name that peers.rounds counts the reference by"""
    return "hone" if way == REFERENCE else way


def figure(way, times, found):
    own, reference = np.array(times[name_of(way)]), np.array(times["hone"])
    speed = reference / own if "@" in way else own / reference
    ratio, low, high = peers.interval(speed)
    gate = GATES.get(way)
    return {"rung": "efforts", "name": way, "ratio": ratio, "low": low, "high": high,
            "ms": 1e3 * float(np.median(own)), "gate": gate, "ok": gate is None or ratio >= gate, **found}


def compare(a, folder):
    model = folder / f"{a.model}.onnx"
    subprocess.run([a.hone, "zoo", a.model, "-o", model], check=True)
    inputs = [np.ascontiguousarray(x)
              for x in peers.peer.seeded_inputs(peers.peer.session(model))]
    ways = [REFERENCE] + [w for w in a.ways if w != REFERENCE]
    made = {w: bundle(a, model, w, folder, inputs) for w in ways}
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    times, dropped = peers.rounds([side for side, _ in made.values()], a)
    rows = [figure(w, times, made[w][1]) for w in ways]
    for r in rows:
        r.update(model=a.model, rounds=len(times["hone"]), dropped=dropped)
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("ways", nargs="*", default=["measure", "measure@10", "exhaustive"],
                   metavar="WAY")
    p.add_argument("--hone", default=peers.peer.HONE)
    p.add_argument("--calibrate", default=peers.CALIBRATE)
    p.add_argument("--model", default="resnet50")
    p.add_argument("--logs", type=Path, default=peers.ROOT / "build/bench")
    p.add_argument("--rounds", type=int, default=40)
    p.add_argument("--json", type=Path)
    a = p.parse_args()
    a.logs.mkdir(parents=True, exist_ok=True)
    a.threads = 1
    with tempfile.TemporaryDirectory(prefix="hone-bench-") as folder:
        rows = compare(a, Path(folder))
    for r in rows:
        if "seconds" in r:
            print(f"{a.model}: {r['name']} {r['trials']} trials in {r['seconds']:.1f} s, "
                  f"{r['trials'] / r['seconds']:.1f} a second")
    for r in rows[1:]:
        of = f"{r['name']} / measure" if "@" in r["name"] else f"measure / {r['name']}"
        print(f"{a.model}: speed of {of} {r['ratio']:.3f} [{r['low']:.3f}, {r['high']:.3f}]"
              + (f"  gate {r['gate']:.2f} {'ok' if r['ok'] else 'below'}" if r["gate"] else ""))
    if a.json:
        a.json.write_text("".join(json.dumps(r) + "\n" for r in rows))


if __name__ == "__main__":
    main()
