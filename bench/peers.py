#!/usr/bin/env python3
"""Times hone against ONNX Runtime and OpenVINO: one thread, the same models and inputs, in turns.

  peers.py [--models NAME ...] [--rounds 20] [--trials 64] [--log FILE] [--json FILE]

Each model of the zoo is tuned (with --log, what the log holds is not measured again) and compiled.
A round times every runtime once, in turns; the ratio hone / fastest peer is of one round's medians,
its interval a bootstrap over rounds.

Run with the interpreter that tests/peers/venv.sh prints; OpenVINO takes part when it is installed
there. Exit code 0 whatever the figures are: timings are no tests.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/peers"))
import peer  # noqa: E402

MODELS = ["resnet50", "resnet18", "vgg16", "squeezenet1_1", "mobilenet_v1", "mobilenet_v2", "mlp",
          "bert_layer", "conv_1d", "ds_cnn", "tiny_resnet8", "vww_mobilenet"]
RUNS = 60


def timed(run):
    """median seconds of RUNS calls after a warm-up, fewer for what takes long"""
    start = time.perf_counter()
    run()
    once = time.perf_counter() - start
    n = max(10, min(RUNS, int(2 / max(once, 1e-9))))
    samples = []
    for _ in range(n):
        start = time.perf_counter()
        run()
        samples.append(time.perf_counter() - start)
    return float(np.median(samples))


def onnxruntime_peer(model, inputs):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    sess = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    feed = {i.name: x for i, x in zip(sess.get_inputs(), inputs)}
    return lambda: timed(lambda: sess.run(None, feed))


def openvino_peer(model, inputs):
    try:
        import openvino as ov
    except ImportError:
        return None
    core = ov.Core()
    config = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
    request = core.compile_model(core.read_model(str(model)), "CPU", config).create_infer_request()
    feed = dict(enumerate(inputs))
    return lambda: timed(lambda: request.infer(feed, share_inputs=True))


def hone_bundle(hone, model, folder, log, trials):
    subprocess.run([hone, "tune", model, "--trials", str(trials), "--log", log], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run([hone, "compile", model, "--log", log, "-o", folder], check=True,
                   stdout=subprocess.DEVNULL)

    def run():
        out = subprocess.run([hone, "bench", folder, "--runs", str(RUNS), "--json"], check=True,
                             capture_output=True, text=True).stdout
        return json.loads(out)["median_ms"] / 1e3
    return run


def interval(ratios):
    """median and its 95 % bootstrap interval"""
    rng = np.random.default_rng(0)
    drawn = np.median(rng.choice(ratios, (2000, len(ratios))), axis=1)
    return float(np.median(ratios)), *map(float, np.percentile(drawn, [2.5, 97.5]))


def compare(a, name, folder):
    model = folder / f"{name}.onnx"
    subprocess.run([a.hone, "zoo", name, "-o", model], check=True)
    inputs = peer.seeded_inputs(peer.session(model))
    runs = {"hone": hone_bundle(a.hone, model, folder / name, a.log or folder / "log.db", a.trials),
            "onnxruntime": onnxruntime_peer(model, inputs), "openvino": openvino_peer(model, inputs)}
    runs = {who: run for who, run in runs.items() if run}
    times = {who: [] for who in runs}
    for _ in range(a.rounds):
        for who, run in runs.items():
            times[who].append(run())
    medians = {who: float(np.median(t)) for who, t in times.items()}
    fastest = min((who for who in medians if who != "hone"), key=medians.get)
    ratio, lo, hi = interval(np.array(times["hone"]) / np.array(times[fastest]))
    return {"model": name, "peer": fastest, "ratio": ratio, "low": lo, "high": hi,
            "ms": {who: 1e3 * t for who, t in medians.items()}}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--hone", default=peer.HONE)
    p.add_argument("--models", nargs="+", default=MODELS, metavar="NAME")
    p.add_argument("--rounds", type=int, default=20)
    p.add_argument("--trials", type=int, default=64)
    p.add_argument("--log", type=Path)
    p.add_argument("--json", type=Path)
    a = p.parse_args()
    results = []
    for name in a.models:
        with tempfile.TemporaryDirectory(prefix="hone-bench-") as folder:
            r = compare(a, name, Path(folder))
        results.append(r)
        ms = "  ".join(f"{who} {t:.4g} ms" for who, t in r["ms"].items())
        print(f"{name:16} {r['ratio']:.3f} [{r['low']:.3f}, {r['high']:.3f}] of {r['peer']}  {ms}",
              flush=True)
    if a.json:
        a.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
