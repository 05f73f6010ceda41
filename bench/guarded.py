#!/usr/bin/env python3
"""What encryption and the sandbox cost a search together: the same `hone tune` over loopback TLS
with all layers, and over a Unix socket with none, in turns.

  guarded.py [--model ds_cnn] [--rounds 200] [--trials 8] [--json FILE]

Every run has an empty log and the same seed. The figure is the median over the rounds of plain /
guarded trials per second, with a 95 % bootstrap interval.
"""
import argparse
import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import peers

GATE = 1.05


def start(a, *options):
    return subprocess.Popen([a.agent, *options], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)


def add_device(a, agent, keys):
    """Reads the agent's port from what it says at its start."""
    for line in agent.stdout:
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        if found:
            key = next(keys.glob("*.key"))
            subprocess.run([a.hone, "device", "add", "guarded", f"127.0.0.1:{found[1]}", "--key",
                            key], check=True, stdout=subprocess.DEVNULL)
            return
    raise SystemExit("guarded: the agent does not listen")


def rate(a, device, model, folder):
    log = folder / "tuning.db"
    for old in folder.glob("tuning.db*"):
        old.unlink()
    started = time.monotonic()
    out = subprocess.run([a.hone, "tune", model, "--device", device, "--log", log, "--trials",
                          str(a.trials), "--json"], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    return json.loads(out.stdout)["trials"] / (time.monotonic() - started)


def measure(a, folder):
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
    model, plain = folder / "model.onnx", folder / "plain"
    subprocess.run([a.hone, "zoo", a.model, "-o", model], check=True)
    agents = [start(a, "--socket", plain, "--sandbox", "none"),
              start(a, "--listen", "127.0.0.1:0", "--keys", folder / "keys")]
    rates = {"guarded": [], str(plain): []}
    try:
        add_device(a, agents[1], folder / "keys")
        for i in range(a.rounds):
            for device in sorted(rates, reverse=i % 2):
                rates[device].append(rate(a, device, model, folder))
    finally:
        for agent in agents:
            agent.terminate()
            agent.communicate()
    return np.array(rates[str(plain)]), np.array(rates["guarded"])


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--hone", default=peers.peer.HONE)
    p.add_argument("--agent", default=Path(peers.peer.HONE).with_name("rpc_server"))
    p.add_argument("--model", default="ds_cnn")
    p.add_argument("--rounds", type=int, default=200)
    p.add_argument("--trials", type=int, default=8)
    p.add_argument("--log", help=argparse.SUPPRESS)
    p.add_argument("--json", type=Path)
    a = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="hone-bench-") as folder:
        plain, guarded = measure(a, Path(folder))
    ratio, low, high = peers.interval(plain / guarded)
    r = {"rung": "guarded", "name": a.model, "ratio": ratio, "low": low, "high": high,
         "gate": GATE, "ok": high <= GATE, "rounds": a.rounds, "plain": float(np.median(plain)),
         "guarded": float(np.median(guarded))}
    print(f"{a.model}: plain {r['plain']:.1f} trials/s, guarded {r['guarded']:.1f}; plain / guarded "
          f"{ratio:.3f} [{low:.3f}, {high:.3f}], {a.rounds} rounds  gate {GATE:.2f} of the interval "
          f"{'ok' if r['ok'] else 'above'}")
    if a.json:
        a.json.write_text(json.dumps(r) + "\n")


if __name__ == "__main__":
    main()
