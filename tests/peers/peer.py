"""What the scripts here share: ONNX Runtime as the peer, inputs for a model, running hone."""
import subprocess
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

ROOT = Path(__file__).resolve().parents[2]
HONE = ROOT / "build/release/bin/hone"
TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64,
         "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(uint8)": np.uint8,
         "tensor(int8)": np.int8, "tensor(bool)": np.bool_}


def session(model):
    """a path or the bytes of a model, to be computed as written: no optimisation, one thread"""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model if isinstance(model, bytes) else str(model), options,
                                providers=["CPUExecutionProvider"])


def seeded_inputs(sess, seed=0):
    """an array per input: slow waves with noise of variance about 1; symbolic sizes are 1"""
    rng, arrays = np.random.default_rng(seed), []
    for i in sess.get_inputs():
        shape = [d if isinstance(d, int) and d > 0 else 1 for d in i.shape]
        x = 0.5 * rng.standard_normal(shape)
        for _ in range(3):
            phase = rng.uniform(0, 2 * np.pi)
            for axis, n in enumerate(shape[-2:], len(shape) - len(shape[-2:])):
                line = [n if k == axis else 1 for k in range(len(shape))]
                phase = phase + np.arange(n).reshape(line) * rng.uniform(0.02, 0.5)
            x = x + 0.7 * np.sin(phase)
        arrays.append(np.asarray(x, TYPES[i.type]))
    return arrays


def reference(sess, arrays):
    """an array per output"""
    return sess.run(None, {i.name: x for i, x in zip(sess.get_inputs(), arrays)})


def save(folder, stem, arrays):
    """writes stem_0.npy, stem_1.npy... and returns their paths"""
    paths = [Path(folder) / f"{stem}_{k}.npy" for k in range(len(arrays))]
    for path, x in zip(paths, arrays):
        np.save(path, np.ascontiguousarray(x) if np.ndim(x) else x)
    return paths


def each(option, values):
    """['--input', a, '--input', b]"""
    return [text for v in values for text in (option, str(v))]


def run(command, timeout=3600):
    """exit code (None: it ran out of time), output, errors, seconds"""
    start = time.monotonic()
    try:
        p = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                           timeout=timeout)
        code, out, err = p.returncode, p.stdout, p.stderr
    except subprocess.TimeoutExpired:
        code, out, err = None, "", f"still running after {timeout} s"
    return code, out, err, time.monotonic() - start


def verdict(code):
    names = {0: "ok", 1: "wrong", 2: "bad input", 3: "unsupported", None: "timeout"}
    return names.get(code, f"crash {-code}" if code is not None and code < 0 else f"exit {code}")
