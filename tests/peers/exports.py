"""What `hone log export` writes for other tuners, against what these have for reading it: T4 results
by Kernel Tuner's copy of the schema, cache files by Kernel Tuner's own reader.

    tests/peers/exports.py [HONE]      HONE: build/release/bin/hone unless given
"""
import csv
import importlib.resources
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema
import kernel_tuner.util

root = pathlib.Path(__file__).resolve().parents[2]
hone = sys.argv[1] if len(sys.argv) > 1 else str(root / "build/release/bin/hone")


def run(*words):
    return subprocess.run([hone, *map(str, words)], check=True, capture_output=True, text=True).stdout


def check_t4(folder, rows):
    text = importlib.resources.files("kernel_tuner").joinpath(
        "schema/T4/1.0.0/results-schema.json").read_text()
    found = 0
    for path in sorted(folder.iterdir()):
        results = json.loads(path.read_text())
        jsonschema.validate(results, json.loads(text))
        names = [set(r["configuration"]) for r in results["results"]]
        assert all(n == names[0] for n in names), f"{path}: configurations differ in their names"
        for r in results["results"]:
            row = rows[r["hone"]["row"]]
            assert (r["invalidity"] == "correct") == (row["status"] == "OK"), row
            if r["invalidity"] == "correct":
                assert abs(r["measurements"][0]["value"] * 1e6 / float(row["median_ns"]) - 1) < 1e-9
            found += 1
    return found


def check_cache(folder):
    found = 0
    for path in sorted(folder.iterdir()):
        cache = kernel_tuner.util.read_cache(str(path), open_cache=False)
        keys = cache["tune_params_keys"]
        assert list(cache["tune_params"]) == keys
        for name, config in cache["cache"].items():
            assert name == ",".join(str(config[k]) for k in keys), name
            for k in keys:
                assert config[k] in cache["tune_params"][k], (k, config[k])
            assert isinstance(config["time"], (int, float, kernel_tuner.util.ErrorConfig)) or \
                config["time"] in ("InvalidConfig", "CompilationFailedConfig", "RuntimeFailedConfig")
            found += 1
    return found


with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    log = work / "log.db"
    run("tune", root / "examples/digits/digits.onnx", "--log", log, "--trials", 12)
    run("log", "export", log, "--format", "csv", "-o", work / "log.csv")
    with open(work / "log.csv", newline="") as f:
        rows = {int(r["id"]): r for r in csv.DictReader(f)}
    for name in "t4", "kernel-tuner":
        run("log", "export", log, "--format", name, "-o", work / name)
    schedules = len({(r["task"], r["form"], r["sched"]) for r in rows.values()})
    t4, cache = check_t4(work / "t4", rows), check_cache(work / "kernel-tuner")
    assert t4 == cache == schedules > 20, (t4, cache, schedules)
    print(f"{len(rows)} rows, {schedules} schedules: csv, t4 and kernel-tuner read back")
