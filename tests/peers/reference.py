#!/usr/bin/env python3
"""Reference outputs of a model by ONNX Runtime: graph optimisations off, one thread.

  reference.py MODEL.onnx FOLDER [--input FILE.npy ...] [--seed N]

Writes output_0.npy, output_1.npy... in the order of the graph's outputs, and the inputs it drew
(input_0.npy...) when none are given.
"""
import argparse
from pathlib import Path

import numpy as np

import peer


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("model")
    p.add_argument("folder", type=Path)
    p.add_argument("--input", action="append", default=[])
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    sess = peer.session(a.model)
    a.folder.mkdir(parents=True, exist_ok=True)
    if a.input:
        arrays = [np.load(path) for path in a.input]
    else:
        arrays = peer.seeded_inputs(sess, a.seed)
        peer.save(a.folder, "input", arrays)
    for path in peer.save(a.folder, "output", peer.reference(sess, arrays)):
        print(path)


if __name__ == "__main__":
    main()
