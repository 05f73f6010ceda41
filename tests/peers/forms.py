#!/usr/bin/env python3
"""Forms of operators, mostly those of newer opsets, as one-node models: hone against ONNX Runtime.

  forms.py [--only TEXT] [--hone PROGRAM]

Each form is run by `hone run`; its outputs must have ONNX Runtime's type, shape and values. Prints
what is not so; exit code 1 if there is any.
"""
import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import peer


def f32(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-2, 2, shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def form(op, opset, inputs, consts=(), outputs=1, **attributes):
    """one node; inputs are the model's, consts its initializers, in this order; None is absent"""
    return op, opset, list(inputs), list(consts), outputs, attributes


def reductions():
    x = f32(2, 3, 4, 5)
    for op in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceSumSquare", "ReduceSum"):
        yield form(op, 18, [x], [ints(1, -1)])
        yield form(op, 18, [x], [ints(2)], keepdims=0)
        yield form(op, 18, [x])
        if op not in ("ReduceL2", "ReduceSumSquare"):  # ONNX Runtime skips their squares
            yield form(op, 18, [x], noop_with_empty_axes=1)
        yield form(op, 20, [x], [ints(0, 1, 2, 3)], keepdims=0)
    yield form("ReduceMax", 20, [np.arange(12, dtype=np.int32).reshape(3, 4)], [ints(0)])
    yield form("ArgMax", 13, [np.round(x)], axis=-2, select_last_index=1)
    yield form("ArgMax", 13, [x], axis=1, keepdims=0)


def splits():
    x = f32(2, 7, 6)
    yield form("Split", 18, [x], outputs=3, axis=2, num_outputs=3)
    yield form("Split", 18, [x], outputs=3, axis=1, num_outputs=3)
    yield form("Split", 18, [x], outputs=2, axis=-2, num_outputs=2)
    yield form("Split", 18, [x], [ints(1, 4, 2)], outputs=3, axis=1)
    yield form("Split", 13, [x], [ints(2, 5)], outputs=2, axis=1)
    yield form("Split", 13, [x], outputs=2, axis=0)


def resizes():
    x = f32(1, 2, 7, 9)
    up, down = np.float32([1.75, 2.25]), np.float32([0.625, 0.4375])  # exact: ties are ties
    for opset in (18, 19):
        yield form("Resize", opset, [x], [None, up], axes=[2, 3], mode="linear")
        yield form("Resize", opset, [x], [None, None, ints(11, 5)], axes=[3, 2], mode="nearest")
        yield form("Resize", opset, [x], [None, down], axes=[2, 3], mode="linear", antialias=1)
        yield form("Resize", opset, [x], [None, down], axes=[2, 3], mode="cubic", antialias=1)
        yield form("Resize", opset, [x], [None, down], axes=[2, 3], mode="cubic", antialias=1,
                   exclude_outside=1, cubic_coeff_a=-0.5)
        yield form("Resize", opset, [x], [None, up], axes=[2, 3], mode="cubic")
    for policy in ("not_larger", "not_smaller"):
        yield form("Resize", 18, [x], [None, None, ints(12, 12)], axes=[2, 3], mode="linear",
                   keep_aspect_ratio_policy=policy)
    yield form("Resize", 19, [x], [None, np.float32([1, 1, 1.5, 0.7])], mode="linear",
               coordinate_transformation_mode="half_pixel_symmetric")
    for mode in ("align_corners", "asymmetric", "pytorch_half_pixel"):
        yield form("Resize", 18, [x], [None, None, ints(1, 2, 10, 13)], mode="linear",
                   coordinate_transformation_mode=mode)
    for rule in ("round_prefer_ceil", "floor", "ceil"):
        yield form("Resize", 18, [x], [None, up], axes=[2, 3], mode="nearest", nearest_mode=rule)


def pads():
    x = f32(2, 3, 5, 6)
    for opset in (18, 21):
        yield form("Pad", opset, [x], [ints(1, 2, 0, 3), np.float32(0.5), ints(2, 3)])
        yield form("Pad", opset, [x], [ints(1, 2), None, ints(-1)], mode="reflect")
        yield form("Pad", opset, [x], [ints(2, 1, 1, 2), None, ints(3, 1)], mode="edge")
        yield form("Pad", opset, [x], [ints(0, 0, -1, 1, 0, 0, 2, -2)])
    yield form("Pad", 19, [x], [ints(2, 1, 1, 2), None, ints(2, 3)], mode="wrap")


def normalisations():
    x = f32(2, 3, 4, 8)
    yield form("LayerNormalization", 17, [x], [f32(8), f32(8, seed=1)], axis=-1, epsilon=1e-5)
    yield form("LayerNormalization", 17, [x], [f32(4, 8)], axis=2)
    yield form("LayerNormalization", 17, [x], [f32(3, 4, 8), f32(3, 4, 8, seed=1)], axis=-3)
    yield form("BatchNormalization", 15, [x], [f32(3), f32(3), f32(3), abs(f32(3)) + 0.5])
    yield form("InstanceNormalization", 6, [x], [f32(3), f32(3, seed=1)])
    yield form("Softmax", 13, [x])
    yield form("Softmax", 13, [x], axis=1)
    yield form("LogSoftmax", 13, [x], axis=-2)


def elementwise():
    x = f32(3, 4)
    yield form("Gelu", 20, [x])
    yield form("Gelu", 20, [x], approximate="tanh")
    yield form("HardSwish", 14, [x])
    yield form("HardSigmoid", 6, [x], alpha=0.3, beta=0.4)
    yield form("Clip", 13, [x], [np.float32(-1)])
    yield form("Clip", 13, [x], [None, np.float32(1)])
    yield form("PRelu", 16, [f32(2, 3, 4)], [f32(3, 1)])
    yield form("LeakyRelu", 16, [x], alpha=0.2)
    yield form("Pow", 15, [abs(x)], [np.float32(1.5)])
    yield form("Pow", 15, [x], [np.int32(2)])
    yield form("Where", 16, [x > 0, x, f32(4, seed=1)])
    yield form("Equal", 19, [np.round(x), np.round(f32(3, 1, seed=1))])
    yield form("Less", 13, [x, f32(4, seed=1)])
    yield form("Cast", 21, [x], to=TensorProto.INT32)
    yield form("Cast", 19, [x], to=TensorProto.FLOAT16)
    yield form("Mean", 13, [x, f32(4), f32(3, 1)])
    yield form("Max", 13, [x, f32(4), f32(3, 1)])
    yield form("Dropout", 13, [x], [np.float32(0.3)])
    yield form("Identity", 21, [x])


def moves():
    x = f32(2, 3, 4)
    yield form("Squeeze", 21, [x[:, None]], [ints(1)])
    yield form("Unsqueeze", 21, [x], [ints(-1, 0)])
    yield form("Reshape", 21, [x], [ints(0, -1)])
    yield form("Reshape", 19, [f32(0, 3)], [ints(3, 0)], allowzero=1)
    yield form("Flatten", 21, [x], axis=-1)
    yield form("Transpose", 21, [x], perm=[2, 0, 1])
    yield form("Slice", 13, [x], [ints(-1, 3), ints(-9, 0), ints(1, 2), ints(-1, -2)])
    yield form("Gather", 13, [x], [np.array([[-1, 0], [1, 1]])], axis=1)
    yield form("Expand", 13, [x[:, :1]], [ints(2, 3, 1)])
    yield form("Tile", 13, [x], [ints(1, 2, 3)])
    yield form("Concat", 13, [x, f32(2, 1, 4)], axis=-2)
    yield form("DepthToSpace", 13, [f32(1, 8, 2, 3)], blocksize=2, mode="CRD")
    yield form("Shape", 21, [x], start=1, end=-1)


def windows():
    x, line = f32(1, 4, 9, 8), f32(1, 4, 11)
    yield form("AveragePool", 19, [x], kernel_shape=[3, 2], dilations=[2, 1], strides=[2, 2])
    yield form("AveragePool", 19, [x], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1,
               pads=[1, 0, 1, 1], count_include_pad=1)
    yield form("MaxPool", 12, [x], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1,
               dilations=[1, 2])
    yield form("MaxPool", 12, [line], kernel_shape=[4], strides=[3], auto_pad="SAME_LOWER")
    yield form("Conv", 11, [x], [f32(6, 2, 3, 3), f32(6)], group=2, strides=[2, 2],
               auto_pad="SAME_UPPER")
    yield form("Conv", 11, [line], [f32(3, 4, 3)], dilations=[2], pads=[0, 3])
    yield form("ConvTranspose", 11, [x], [f32(4, 3, 3, 3)], strides=[2, 2], output_padding=[1, 1])
    yield form("ConvTranspose", 11, [x], [f32(4, 3, 3, 3)], strides=[2, 3], auto_pad="SAME_UPPER")
    yield form("ConvTranspose", 11, [x], [f32(4, 1, 3, 2)], strides=[2, 2], group=2,
               output_shape=[18, 15])
    yield form("LRN", 13, [x], size=3, alpha=0.01)
    yield form("Gemm", 13, [f32(5, 3)], [f32(5, 4), f32(4)], transA=1, alpha=0.5, beta=2.0)
    yield form("MatMul", 13, [f32(2, 1, 3, 4), f32(5, 4, 2)])
    yield form("QuantizeLinear", 21, [x], [np.float32(0.02), np.uint8(128)])
    yield form("DequantizeLinear", 21, [np.arange(-6, 6, dtype=np.int8).reshape(3, 4)],
               [np.float32([0.1, 0.2, 0.3]), np.int8([1, 0, -1])], axis=0)


def quantised():
    """exact in integers; scaled results are rounded half to even"""
    rng = np.random.default_rng(5)
    x8, w8 = (lambda t, *shape: rng.integers(np.iinfo(t).min, np.iinfo(t).max, shape, t, True)
              for _ in range(2))
    u, i = np.uint8, np.int8
    x, w, bias = x8(u, 1, 8, 9, 7), w8(i, 12, 8, 3, 3), rng.integers(-9999, 9999, 12, np.int32)
    each = rng.uniform(0.01, 0.05, 12).astype(np.float32)
    s, t, y = np.float32(0.05), np.float32(0.02), np.float32(1.7)
    yield form("ConvInteger", 10, [x], [w, u(117)], pads=[1, 1, 1, 1])
    yield form("ConvInteger", 10, [x], [x8(u, 4, 4, 3, 3), u(9), u(128)], group=2, strides=[2, 2])
    yield form("MatMulInteger", 10, [x8(u, 5, 24)], [w8(i, 24, 20), u(3)])
    yield form("MatMulInteger", 10, [x8(u, 2, 5, 24)], [x8(u, 24, 20), u(3), x8(u, 20)])
    yield form("MatMulInteger", 10, [x8(i, 5, 24)], [w8(i, 24, 20), i(-3), i(4)])
    yield form("QLinearConv", 10, [x], [s, u(117), w, t, i(0), y, u(131), bias], pads=[1, 1, 1, 1])
    yield form("QLinearConv", 10, [x], [s, u(0), w, each, np.zeros(12, i), y, u(9)], strides=[2, 2])
    yield form("QLinearConv", 10, [x], [s, u(3), x8(u, 6, 4, 1, 1), t, u(140), y, u(1)], group=2)
    yield form("QLinearMatMul", 10, [x8(u, 5, 24)], [s, u(7), w8(i, 24, 20), t, i(0), y, u(100)])
    yield form("QLinearMatMul", 10, [x8(i, 5, 24)], [s, i(7), w8(i, 24, 20), t, i(0), y, i(-9)])
    yield form("DynamicQuantizeLinear", 11, [f32(3, 50)], outputs=3)
    yield form("DynamicQuantizeLinear", 11, [abs(f32(3, 50)) + 1], outputs=3)


GROUPS = (reductions, splits, resizes, pads, normalisations, elementwise, moves, windows,
          quantised)


def value_info(name, x):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)


def build(op, opset, inputs, consts, outputs, attributes):
    ins = {f"x{k}": x for k, x in enumerate(inputs)}
    fixed = {f"c{k}": c for k, c in enumerate(consts) if c is not None}
    names = [*ins, *(f"c{k}" if c is not None else "" for k, c in enumerate(consts))]
    outs = [f"y{k}" for k in range(outputs)]
    graph = helper.make_graph(
        [helper.make_node(op, names, outs, name="node", **attributes)], op,
        [value_info(name, x) for name, x in ins.items()],
        [helper.make_empty_tensor_value_info(name) for name in outs],
        [numpy_helper.from_array(np.asarray(c), name) for name, c in fixed.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                             ir_version=10).SerializeToString()


def difference(got, want):
    """"" when got is what was wanted"""
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"{got.dtype}{list(got.shape)}, expected {want.dtype}{list(want.shape)}"
    if not want.size or want.dtype.kind in "biu":
        return "" if np.array_equal(got, want) else "other values"
    got, want = got.astype(float), want.astype(float)
    error = abs(got - want) - 1e-5 * abs(want).max() - 1e-4 * abs(want)
    return "" if error.max() <= 0 else f"off by {abs(got - want).max():.3g}"


def check(hone, case):
    """what is wrong with the form in hone, or "" """
    model, arrays = build(*case), case[2]
    wanted = peer.reference(peer.session(model), arrays)
    with tempfile.TemporaryDirectory(prefix="hone-peers-") as folder:
        folder = Path(folder)
        (folder / "form.onnx").write_bytes(model)
        code, out, err, _ = peer.run(
            [hone, "run", folder / "form.onnx",
             *peer.each("--input", peer.save(folder, "input", arrays)), "--output-dir", folder],
            timeout=120)
        if code != 0:
            return f"{peer.verdict(code)}: {((err or out).strip().splitlines() or [''])[-1]}"
        for k, want in enumerate(wanted):
            wrong = difference(np.load(folder / f"{k}_y{k}.npy"), want)
            if wrong:
                return f"output {k}: {wrong}"
    return ""


def describe(case):
    """Pad-18([2, 3, 5, 6], [1, 2], -, [-1], mode=edge)"""
    op, opset, inputs, consts, _, attributes = case
    shown = [str(list(x.shape)) for x in inputs]
    for c in consts:
        small = c is not None and np.size(c) < 9
        shown.append("-" if c is None else str(c.tolist() if small else list(c.shape)))
    shown += [f"{k}={v}" for k, v in attributes.items()]
    return f"{op}-{opset}({', '.join(shown)})"


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--hone", default=peer.HONE)
    p.add_argument("--only", default="", help="forms whose description contains this")
    a = p.parse_args()
    all_forms = [case for group in GROUPS for case in group()]
    picked = [case for case in all_forms if a.only in describe(case)]
    failed = 0
    for case in picked:
        wrong = check(a.hone, case)
        if wrong:
            failed += 1
            print(f"{describe(case)}: {wrong}", flush=True)
    print(f"{len(picked) - failed} of {len(picked)} forms agree with ONNX Runtime")
    return failed > 0 or not picked


if __name__ == "__main__":
    sys.exit(main())
