#!/usr/bin/env python3
"""Verifies hone on every zoo model and on a folder of models, against ONNX Runtime.

  verify_all.py [--tuned] [--trials 8] [--models FOLDER] [--only NAME ...] [--hone PROGRAM]

Runs `hone verify` untuned and, with --tuned, again after `hone tune`. FOLDER holds NAME/NAME.onnx
with NAME.input*.npy, NAME.output*.npy and maybe NAME.tol ("R A"); FOLDER/light holds topologies
without weights, which light/randomize.py fills. Exit code 1 if any model fails.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import peer

TOLERANCE = ("1e-3", "1e-4")


def zoo_case(hone, name, folder):
    """model, inputs, expected outputs, tolerance"""
    model = folder / f"{name}.onnx"
    subprocess.run([hone, "zoo", name, "-o", model], check=True)
    return model, *referenced(model, folder), TOLERANCE


def light_case(source, folder):
    model = folder / source.name
    script = source.parents[1] / "randomize.py"
    subprocess.run([sys.executable, script, source, model], check=True, stdout=subprocess.DEVNULL)
    return model, *referenced(model, folder), TOLERANCE


def referenced(model, folder):
    sess = peer.session(model)
    arrays = peer.seeded_inputs(sess)
    return (peer.save(folder, "input", arrays),
            peer.save(folder, "output", peer.reference(sess, arrays)))


def stored_case(model):
    def numbered(what):
        """NAME.input.npy, or NAME.input_0.npy, NAME.input_1.npy..."""
        files = model.parent.glob(f"{model.stem}.{what}*.npy")
        return sorted(files, key=lambda f: (len(f.name), f.name))

    tol = model.with_suffix(".tol")
    tolerance = tuple(tol.read_text().split()) if tol.exists() else TOLERANCE
    return model, numbered("input"), numbered("output"), tolerance


def cases(a):
    """name and a function that makes the case in a folder"""
    listing = subprocess.run([a.hone, "zoo"], check=True, capture_output=True, text=True).stdout
    for name in (line.split()[0] for line in listing.splitlines()):
        yield name, lambda folder, name=name: zoo_case(a.hone, name, folder)
    for model in sorted(a.models.glob("*/*.onnx")):
        yield model.stem, lambda folder, model=model: stored_case(model)
    for model in sorted(a.models.glob("light/*/*.onnx")):
        yield model.stem, lambda folder, model=model: light_case(model, folder)


def shapes(model, inputs):
    """--shape for inputs with symbolic sizes: the arrays'"""
    symbolic = [(i.name, np.load(path, mmap_mode="r").shape)
                for i, path in zip(peer.session(model).get_inputs(), inputs)
                if any(not isinstance(d, int) for d in i.shape)]
    return peer.each("--shape", [f"{name}:{'x'.join(map(str, s))}" for name, s in symbolic])


def check(a, make):
    """(verdict, seconds) untuned and maybe tuned, and what was said about a failure"""
    results, note = [], ""
    with tempfile.TemporaryDirectory(prefix="hone-peers-") as folder:
        folder = Path(folder)
        model, inputs, expected, (rtol, atol) = make(folder)
        log = ["--log", folder / "tuning.db"]
        verify = [a.hone, "verify", model, *peer.each("--input", inputs),
                  *peer.each("--expect", expected), "--rtol", rtol, "--atol", atol]
        tune = [a.hone, "tune", model, *shapes(model, inputs), "--trials", str(a.trials), *log]
        for commands in [[verify], [tune, verify + log]][:1 + a.tuned]:
            seconds = 0
            for command in commands:
                code, out, err, took = peer.run(command)
                seconds += took
                if code != 0:
                    note = note or ((err or out).strip().splitlines() or [""])[-1]
                    break
            results.append((peer.verdict(code), seconds))
    return results, note


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--hone", default=peer.HONE)
    p.add_argument("--models", type=Path, default=peer.ROOT.parent / "shared/models")
    p.add_argument("--only", nargs="+", metavar="NAME")
    p.add_argument("--tuned", action="store_true")
    p.add_argument("--trials", type=int, default=8)
    a = p.parse_args()
    failed = total = 0
    columns = ("untuned", "tuned")[:1 + a.tuned]
    print("model".ljust(24), *(f"{what:>12} {'s':>7}" for what in columns))
    for name, make in cases(a):
        if a.only and name not in a.only:
            continue
        results, note = check(a, make)
        total += 1
        failed += any(verdict != "ok" for verdict, _ in results)
        columns = "".join(f" {verdict:>12} {seconds:7.1f}" for verdict, seconds in results)
        print(f"{name:24}{columns}  {note}".rstrip(), flush=True)
    print(f"{total - failed} of {total} models verify")
    return failed > 0 or total == 0


if __name__ == "__main__":
    sys.exit(main())
