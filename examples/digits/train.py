#!/usr/bin/env python3
"""Trains a small convolutional network on scikit-learn's handwritten digits and writes digits.onnx
and the images it never saw: test_images.npy f32[360,1,8,8] in 0..1, test_labels.npy u8[360].

    pip install numpy scikit-learn onnx
    ./train.py [FOLDER]

Training is plain NumPy: forward and backward passes by hand, Adam, images shifted by a pixel.
"""
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

TEST, EPOCHS, BATCH, RATE = 360, 60, 32, 2e-3
SHAPES = {"conv1": (12, 1, 3, 3), "conv2": (24, 12, 3, 3), "dense1": (32, 384), "dense2": (10, 32)}


def load(rng):
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    images = (digits.images[order, None] / 16).astype(np.float32)
    labels = digits.target[order].astype(np.uint8)
    return images[TEST:], labels[TEST:], images[:TEST], labels[:TEST]


def init(rng):
    p = {}
    for name, shape in SHAPES.items():
        p[name + ".w"] = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
        p[name + ".b"] = np.zeros(shape[0], np.float32)
    return p


def shifted(rng, images):
    """each image moved by at most one pixel along each axis"""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    at = rng.integers(0, 3, (len(images), 2))
    return np.stack([x[:, i:i + 8, j:j + 8] for x, (i, j) in zip(padded, at)])


def patches(x):
    """3x3 neighbourhoods with a border of zeros: [n, h, w, c * 9]"""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    v = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return v.transpose(0, 2, 3, 1, 4, 5).reshape(len(x), *x.shape[2:], -1)


def conv(x, w, b):
    return (patches(x) @ w.reshape(len(w), -1).T + b).transpose(0, 3, 1, 2)


def conv_back(x, w, dy):
    """gradients of a convolution: by weights, bias, input"""
    rows = dy.transpose(0, 2, 3, 1).reshape(-1, len(w))
    dw = rows.T @ patches(x).reshape(len(rows), -1)
    turned = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    return dw.reshape(w.shape), rows.sum(0), conv(dy, turned, 0)


def forward(p, x):
    """all activations by name; the scores are 'out'"""
    a = {"x": x}
    a["c1"] = np.maximum(conv(x, p["conv1.w"], p["conv1.b"]), 0)
    a["c2"] = np.maximum(conv(a["c1"], p["conv2.w"], p["conv2.b"]), 0)
    blocks = a["c2"].reshape(len(x), 24, 4, 2, 4, 2)
    a["pool"] = blocks.max((3, 5))
    a["flat"] = a["pool"].reshape(len(x), -1)
    a["d1"] = np.maximum(a["flat"] @ p["dense1.w"].T + p["dense1.b"], 0)
    a["out"] = a["d1"] @ p["dense2.w"].T + p["dense2.b"]
    return a


def gradients(p, x, labels):
    a, g = forward(p, x), {}
    e = np.exp(a["out"] - a["out"].max(1, keepdims=True))
    d = e / e.sum(1, keepdims=True)
    d[np.arange(len(x)), labels] -= 1
    d /= len(x)
    g["dense2.w"], g["dense2.b"] = d.T @ a["d1"], d.sum(0)
    d = (d @ p["dense2.w"]) * (a["d1"] > 0)
    g["dense1.w"], g["dense1.b"] = d.T @ a["flat"], d.sum(0)
    d = (d @ p["dense1.w"]).reshape(a["pool"].shape)
    largest = a["c2"] == a["pool"].repeat(2, 2).repeat(2, 3)
    d = d.repeat(2, 2).repeat(2, 3) * largest * (a["c2"] > 0)
    g["conv2.w"], g["conv2.b"], d = conv_back(a["c1"], p["conv2.w"], d)
    g["conv1.w"], g["conv1.b"], _ = conv_back(x, p["conv1.w"], d * (a["c1"] > 0))
    return g


def accuracy(p, x, labels):
    return float((forward(p, x)["out"].argmax(1) == labels).mean())


def train(rng, x, labels):
    p = init(rng)
    mean, square = ({k: np.zeros_like(v) for k, v in p.items()} for _ in range(2))
    step, steps = 0, EPOCHS * (len(x) // BATCH)
    for _ in range(EPOCHS):
        for pick in np.array_split(rng.permutation(len(x)), len(x) // BATCH):
            step += 1
            rate = RATE * (1 - step / (steps + 1))
            for k, g in gradients(p, shifted(rng, x[pick]), labels[pick]).items():
                mean[k] += 0.1 * (g - mean[k])
                square[k] += 0.001 * (g * g - square[k])
                m, v = mean[k] / (1 - 0.9**step), square[k] / (1 - 0.999**step)
                p[k] = (p[k] - rate * m / (np.sqrt(v) + 1e-8)).astype(np.float32)
    return p


def to_onnx(p):
    same = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    half = {"kernel_shape": [2, 2], "strides": [2, 2]}
    layers = [
        ("Conv", ["image", "conv1.w", "conv1.b"], "c1", same), ("Relu", ["c1"], "r1", {}),
        ("Conv", ["r1", "conv2.w", "conv2.b"], "c2", same), ("Relu", ["c2"], "r2", {}),
        ("MaxPool", ["r2"], "pool", half), ("Flatten", ["pool"], "flat", {}),
        ("Gemm", ["flat", "dense1.w", "dense1.b"], "d1", {"transB": 1}), ("Relu", ["d1"], "r3", {}),
        ("Gemm", ["r3", "dense2.w", "dense2.b"], "scores", {"transB": 1}),
    ]
    nodes = [helper.make_node(op, i, [o], name=o, **attrs) for op, i, o, attrs in layers]
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(v, k) for k, v in p.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def main(folder):
    rng = np.random.default_rng(1)
    x, labels, test_x, test_labels = load(rng)
    p = train(rng, x, labels)
    onnx.save(to_onnx(p), folder / "digits.onnx")
    np.save(folder / "test_images.npy", test_x)
    np.save(folder / "test_labels.npy", test_labels)
    right = round(accuracy(p, test_x, test_labels) * TEST)
    print(f"training images: {accuracy(p, x, labels):.2%} are right")
    print(f"test images: {right} of {TEST}, {right / TEST:.2%}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent))
