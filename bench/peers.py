#!/usr/bin/env python3
"""Times hone against ONNX Runtime, OpenVINO and ncnn: the same models, inputs, threads and cores.

  peers.py [--models NAME ...] [--rounds 20] [--threads N] [--trials 64] [--log FILE] [--json FILE]

Each model of the zoo is tuned (with --log, what the log holds is not measured again), compiled and
loaded into this process beside its peers; outputs are compared with ONNX Runtime's, and a peer that
differs or cannot take the model is left out by name. This process stays on the first N cores.

A round times every side for a twentieth of a second after a warm-up, in an order that rotates,
between two calibrations of the machine (bench/calibrate.c). When these differ by more than 2 % the
round is dropped and repeated. The figure of a model is the median over the rounds of the ratio hone
/ peer, with a 95 % bootstrap interval, for the peer with the smallest median time.

Run with the interpreter that `tests/peers/venv.sh --peers` prints. Exit code 0 whatever the figures
are: timings are no tests; 1 when hone's outputs differ.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/peers"))
import peer  # noqa: E402
import sides  # noqa: E402

CALIBRATE = ROOT / "build/release/bin/bench/calibrate"
# Model and the ratio that is asked for, one thread.
GATES = {"resnet50": 0.80, "resnet18": 0.62, "vgg16": 0.80, "squeezenet1_1": 0.88,
         "mobilenet_v1": 0.93, "mobilenet_v2": 0.90, "mlp": 0.92, "bert_layer": 0.95,
         "conv_1d": 0.95, "ds_cnn": 0.85, "tiny_resnet8": 0.85, "vww_mobilenet": 0.85}
GATE_THREADS = 1.0
SECONDS, RUNS_MIN, RUNS_MAX, WARM_SECONDS = 0.05, 5, 2000, 0.01
MOVED, ATTEMPTS = 0.02, 4  # a calibration may move so far; rounds tried per round asked for
TOLERANCE = 1e-3           # of the largest output


def seconds_of(side):
    """median seconds of a run, after a warm-up"""
    if hasattr(side, "seconds"):
        return side.seconds()
    run, clock, samples = side.run, time.perf_counter, []
    start = clock()
    while not samples or clock() - start < WARM_SECONDS:
        run()
        samples.append(0)
    samples, start = [], clock()
    while len(samples) < RUNS_MIN or (len(samples) < RUNS_MAX and clock() - start < SECONDS):
        began = clock()
        run()
        samples.append(clock() - began)
    return float(np.median(samples))


def calibration(program):
    return float(subprocess.run([program], check=True, capture_output=True, text=True).stdout)


def rounds(all_sides, a):
    """seconds per side and round; how many rounds were dropped"""
    times, dropped = {side.name: [] for side in all_sides}, 0
    for attempt in range(ATTEMPTS * a.rounds):
        if len(times["hone"]) == a.rounds:
            break
        turn = attempt % len(all_sides)
        before = calibration(a.calibrate)
        now = {side.name: seconds_of(side) for side in all_sides[turn:] + all_sides[:turn]}
        after = calibration(a.calibrate)
        if abs(after / before - 1) > MOVED:
            dropped += 1
            continue
        for name, t in now.items():
            times[name].append(t)
    return times, dropped


def interval(ratios):
    """median and its 95 % bootstrap interval"""
    rng = np.random.default_rng(0)
    drawn = np.median(rng.choice(ratios, (2000, len(ratios))), axis=1)
    return [float(np.median(ratios)), *map(float, np.percentile(drawn, [2.5, 97.5]))]


def difference(got, want):
    """largest difference over the largest value, over all outputs"""
    worst = 0.0
    for g, w in zip(got, want):
        if g is not None:
            g = np.asarray(g).reshape(-1)
            worst = max(worst, float(np.max(np.abs(g - w.reshape(-1))) / np.max(np.abs(w)))
                        if g.size == w.size else np.inf)
    return worst if len(got) == len(want) else np.inf


def make_peers(model, inputs, want, a, folder):
    """those that agree, and why the others are left out"""
    made, left_out = [], {}
    for side in sides.PEERS:
        if a.peers and side.name not in a.peers:
            continue
        try:
            made.append(side(model, inputs, a.threads, folder / side.name))
            error = difference(made[-1].outputs(), want)
            if not error <= TOLERANCE:
                made.pop()
                left_out[side.name] = f"its outputs differ by {error:.2g}"
        except Exception as e:  # whatever a peer throws at a model it does not take
            left_out[side.name] = f"{type(e).__name__}: {e}".split("\n")[0][:200]
    return made, left_out


def make_bundle(model, bundle, a):
    threads = ["--threads", a.threads] if a.threads > 1 else []
    log = a.log or bundle.parent / "log.db"
    for command in ([a.hone, "tune", model, "--trials", a.trials, "--log", log, *threads],
                    [a.hone, "compile", model, "--log", log, "-o", bundle, *threads]):
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)


def make_hone(model, inputs, want, a, folder):
    bundle = folder / "bundle"
    make_bundle(model, bundle, a)
    if a.threads > 1:
        return sides.HoneProcess(a.hone, bundle, a.threads)
    hone = sides.Hone(bundle, inputs)
    error = difference(hone.outputs(), want)
    if not error <= TOLERANCE:
        sys.exit(f"peers: {model.stem}: hone's outputs differ by {error:.2g}")
    return hone


def compare(name, a, folder):
    model = folder / f"{name}.onnx"
    subprocess.run([a.hone, "zoo", name, "-o", model], check=True)
    session = peer.session(model)
    inputs = [np.ascontiguousarray(x) for x in peer.seeded_inputs(session)]
    want = peer.reference(session, inputs)
    peers, left_out = make_peers(model, inputs, want, a, folder)
    hone = make_hone(model, inputs, want, a, folder)
    times, dropped = rounds([hone, *peers], a)
    result = {"rung": "peers", "name": name, "threads": a.threads, "left_out": left_out,
              "dropped": dropped, "rounds": len(times["hone"]),
              "gate": GATES.get(name) if a.threads == 1 else GATE_THREADS}
    if not peers or not times["hone"]:
        return result | {"ok": False, "why": "no peer" if times["hone"] else "no steady round"}
    medians = {who: float(np.median(t)) for who, t in times.items()}
    fastest = min((p.name for p in peers), key=medians.get)
    ratio, low, high = interval(np.array(times["hone"]) / np.array(times[fastest]))
    return result | {"peer": fastest, "ratio": ratio, "low": low, "high": high,
                     "ok": result["gate"] is None or ratio <= result["gate"],
                     "ms": {who: 1e3 * t for who, t in medians.items()}}


def show(r):
    if "ratio" not in r:
        print(f"{r['name']:14} {r['why']}, {r['dropped']} rounds dropped", flush=True)
        return
    ms = "  ".join(f"{who} {t:.4g}" for who, t in r["ms"].items())
    gate = f"gate {r['gate']:.2f} {'ok   ' if r['ok'] else 'above'}" if r["gate"] else ""
    print(f"{r['name']:14} {r['ratio']:.3f} [{r['low']:.3f}, {r['high']:.3f}] of "
          f"{r['peer']:11} {gate}  ms: {ms}  ({r['rounds']} rounds, {r['dropped']} dropped)",
          flush=True)
    for who, why in r["left_out"].items():
        print(f"  without {who}: {why}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--hone", default=peer.HONE)
    p.add_argument("--calibrate", default=CALIBRATE)
    p.add_argument("--models", nargs="+", default=list(GATES), metavar="NAME")
    p.add_argument("--peers", nargs="+", metavar="NAME", help="only these")
    p.add_argument("--rounds", type=int, default=20)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--trials", type=int, default=64)
    p.add_argument("--log", type=Path)
    p.add_argument("--json", type=Path)
    a = p.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:a.threads]
    os.sched_setaffinity(0, cores)  # before any runtime makes threads; children inherit it
    results = []
    for name in a.models:
        with tempfile.TemporaryDirectory(prefix="hone-bench-") as folder:
            results.append(compare(name, a, Path(folder)))
        show(results[-1])
    if a.json:
        a.json.write_text("".join(json.dumps(r) + "\n" for r in results))


if __name__ == "__main__":
    main()
