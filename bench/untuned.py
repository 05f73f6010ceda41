#!/usr/bin/env python3
"""Times a model without a tuning log against the same model tuned, in turns.

  untuned.py [--models NAME ...] [--rounds 20] [--trials 64] [--log FILE] [--json FILE]

Both bundles are loaded into this process; rounds are those of bench/peers.py. The figure is the
median over the rounds of untuned / tuned, with a 95 % bootstrap interval.
"""
import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import peers
import sides

MODELS, GATE = ["resnet50", "mobilenet_v2", "squeezenet1_1"], 1.10


def compare(name, a, folder):
    model = folder / f"{name}.onnx"
    subprocess.run([a.hone, "zoo", name, "-o", model], check=True)
    inputs = [np.ascontiguousarray(x)
              for x in peers.peer.seeded_inputs(peers.peer.session(model))]
    peers.make_bundle(model, folder / "tuned", a)
    subprocess.run([a.hone, "compile", model, "-o", folder / "untuned"], check=True,
                   stdout=subprocess.DEVNULL)
    tuned, untuned = sides.Hone(folder / "tuned", inputs), sides.Hone(folder / "untuned", inputs)
    untuned.name = "untuned"
    times, dropped = peers.rounds([tuned, untuned], a)
    ratio, low, high = peers.interval(np.array(times["untuned"]) / np.array(times["hone"]))
    return {"rung": "untuned", "name": name, "ratio": ratio, "low": low, "high": high,
            "gate": GATE, "ok": ratio <= GATE, "rounds": len(times["hone"]), "dropped": dropped,
            "ms": {who: 1e3 * float(np.median(t)) for who, t in times.items()}}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--hone", default=peers.peer.HONE)
    p.add_argument("--calibrate", default=peers.CALIBRATE)
    p.add_argument("--models", nargs="+", default=MODELS, metavar="NAME")
    p.add_argument("--rounds", type=int, default=20)
    p.add_argument("--trials", type=int, default=64)
    p.add_argument("--log", type=Path)
    p.add_argument("--json", type=Path)
    a = p.parse_args()
    a.threads = 1
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    results = []
    for name in a.models:
        with tempfile.TemporaryDirectory(prefix="hone-bench-") as folder:
            r = compare(name, a, Path(folder))
        results.append(r)
        print(f"{name:14} untuned / tuned {r['ratio']:.3f} [{r['low']:.3f}, {r['high']:.3f}]  "
              f"gate {GATE:.2f} {'ok' if r['ok'] else 'above'}  ms: untuned "
              f"{r['ms']['untuned']:.4g} tuned {r['ms']['hone']:.4g}", flush=True)
    if a.json:
        a.json.write_text("".join(json.dumps(r) + "\n" for r in results))


if __name__ == "__main__":
    main()
