#!/usr/bin/env python3
"""Bundles for Arm and RISC-V under qemu-user against ONNX Runtime: layers and models of the zoo.

  arm.py [--only TEXT] [--targets NAME,NAME] [--hone PROGRAM]

Everything is compiled untuned for each target, linked statically with examples/run.c by the cross
compiler, and run on an emulated core of that name, which knows no other instructions. Exit code 1
if any output differs.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import peer

# target: compiler, emulator, its name of the core
ARM64 = "aarch64-linux-gnu-gcc", "qemu-aarch64-static"
ARM32 = "arm-linux-gnueabihf-gcc", "qemu-arm-static"
RISCV = "riscv64-linux-gnu-gcc", "qemu-riscv64-static"
BOARDS = {
    **{core: (*ARM64, core) for core in ("cortex-a53", "cortex-a72", "cortex-a76", "neoverse-n1")},
    **{core: (*ARM32, core) for core in ("cortex-a7", "cortex-a9", "cortex-a15")},
    "rv64gc": (*RISCV, "rv64"),
    "rv64gcv": (*RISCV, "rv64,v=true,vlen=128,vext_spec=v1.0"),
}
ZOO = "ds_cnn", "tiny_resnet8", "vww_mobilenet", "squeezenet1_1"
RTOL, ATOL = 1e-3, 1e-4


def chain(shape, *nodes):
    """bytes of a model of one input and one output: (op, constants, attributes) one after another"""
    made, consts, value, rng = [], [], "x", np.random.default_rng(1)
    for i, (op, sizes, attributes) in enumerate(nodes):
        names = [f"c{i}_{k}" for k in range(len(sizes))]
        for name, size in zip(names, sizes):
            scale = np.sqrt(2 / max(1, int(np.prod(size[1:]))))
            data = rng.standard_normal(size).astype(np.float32) * np.float32(scale)
            consts.append(numpy_helper.from_array(data, name))
        if op == "MatMul" and not names:  # x times its transpose: both operands at run time
            names = [f"t{i}"]
            made.append(helper.make_node("Transpose", [value], names, perm=[1, 0]))
        made.append(helper.make_node(op, [value, *names], [f"v{i}"], **attributes))
        value = f"v{i}"
    graph = helper.make_graph(made, "layer",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(value, TensorProto.FLOAT, None)],
                              consts)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    model.ir_version = 9
    return onnx.shape_inference.infer_shapes(model).SerializeToString()


def conv(channels, size, out, window, pad, stride=1, group=1):
    attributes = {"pads": [pad] * 4, "strides": [stride] * 2, "group": group}
    return chain([1, channels, size, size],
                 ("Conv", [(out, channels // group, window, window), (out,)], attributes),
                 ("Relu", [], {}))


def layers():
    """what micro-kernels are judged by, smaller images for larger ones, and the rest of arithmetic"""
    yield "conv3x3_64_28", conv(64, 28, 64, 3, 1)
    yield "conv3x3_512_7", conv(512, 7, 512, 3, 1)
    yield "conv3x3_dense_s2", conv(24, 29, 40, 3, 1, stride=2)
    yield "conv1x1_256_64_28", conv(256, 28, 64, 1, 0)
    yield "conv1x1_144_24_28", conv(144, 28, 24, 1, 0)
    yield "conv7x7_s2_3_64_56", conv(3, 56, 64, 7, 3, stride=2)
    yield "depthwise_144_28", conv(144, 28, 144, 3, 1, group=144)
    yield "depthwise_960_7", conv(960, 7, 960, 3, 1, group=960)
    yield "depthwise_96_s2", conv(96, 56, 96, 3, 1, stride=2, group=96)
    yield "grouped_32_of_4", conv(128, 14, 128, 3, 1, group=32)
    yield "matmul_128_768_3072", chain([128, 768], ("MatMul", [(768, 3072)], {}))
    yield "matmul_49_1001_24", chain([49, 1001], ("MatMul", [(1001, 24)], {}))
    yield "matmul_run_time", chain([128, 64], ("MatMul", [], {}))
    yield "softmax", chain([12, 77], ("Softmax", [], {"axis": -1}))
    yield "layer_norm", chain([16, 768], ("LayerNormalization", [(768,), (768,)], {}))
    yield "gelu", chain([16, 96], ("MatMul", [(96, 64)], {}), ("Gelu", [], {}))
    yield "max_pool", chain([1, 24, 29, 29], ("MaxPool", [], {"kernel_shape": [3, 3],
                                                              "strides": [2, 2]}))


def cases(hone, folder):
    for name, model in layers():
        path = folder / f"{name}.onnx"
        path.write_bytes(model)
        yield name, path
    for name in ZOO:
        path = folder / f"{name}.onnx"
        subprocess.run([hone, "zoo", name, "-o", path], check=True)
        yield name, path


def build(hone, target, name, model, folder):
    """compiles and links; the program's path, or what was said"""
    out = folder / target
    code, _, err, _ = peer.run([hone, "compile", model, "--target", target, "--name", name,
                                "-o", out])
    if code:
        return None, err
    program = out / f"{name}.run"
    code, _, err, _ = peer.run([BOARDS[target][0], "-O2", "-static", f"-I{out}", "-include", f"{name}.h",
                                f"-DMODEL={name}", f"-DSIZES={name.upper()}",
                                peer.ROOT / "examples/run.c", out / f"{name}.o", "-o", program])
    return (None, err) if code else (program, "")


def check(hone, target, name, model, folder):
    """'' or what is wrong"""
    sess = peer.session(model)
    arrays = peer.seeded_inputs(sess)
    expected, = peer.reference(sess, arrays)
    given, = peer.save(folder, name, arrays)
    program, said = build(hone, target, name, model, folder)
    if not program:
        return said
    got = folder / target / f"{name}.out"
    _, emulator, core = BOARDS[target]
    code, _, err, _ = peer.run([emulator, "-cpu", core, program,
                                program.with_suffix(".weights.bin"), given, got])
    if code:
        return f"{peer.verdict(code)} {err}"
    y = np.fromfile(got, expected.dtype).reshape(expected.shape)
    worst = np.max(np.abs(y - expected) - RTOL * np.abs(expected))
    return "" if worst <= ATOL else f"differs by up to {worst:g} more than the tolerance"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--targets", default=",".join(BOARDS))
    parser.add_argument("--hone", default=peer.HONE, type=Path)
    a = parser.parse_args()
    ran = failed = 0
    with tempfile.TemporaryDirectory(prefix="hone-arm-") as folder:
        for name, model in cases(a.hone, Path(folder)):
            if a.only not in name:
                continue
            for target in a.targets.split(","):
                wrong = check(a.hone, target, name, model, Path(folder))
                ran += 1
                failed += bool(wrong)
                print(f"{name:24} {target:14} {wrong or 'ok'}", flush=True)
    print(f"{ran} bundles ran, {failed} failed")
    return failed > 0 or ran == 0


if __name__ == "__main__":
    sys.exit(main())
