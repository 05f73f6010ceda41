#!/usr/bin/env python3
"""Prints the tables of docs/PERFORMANCE.md from what bench/ladder.sh --json DIR wrote.

  tables.py DIR [RUNG ...]
"""
import json
import sys
from pathlib import Path


def percent(x):
    return f"{100 * x:.1f} %"


def verdict(r):
    return "yes" if r["ok"] else "**no**"


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(x).replace("|", "\\|") for x in row) + " |")
    print()


def joint(rows):
    table(["kernel", "GFLOPS", "of peak", "gate", "met", "schedule"],
          [[r["name"], r["gflops"], percent(r["share"]), percent(r["gate"]),
            "yes" if r["share"] >= r["gate"] else "**no**", f"`{r['sched']}`"] for r in rows])


def micro(rows):
    table(["tile", "GFLOPS", "of peak", "spills", "terms an iteration", "met"],
          [[r["name"], r["gflops"], percent(r["share"]), r["spills"], r["unroll"], verdict(r)]
           for r in rows])
    print(f"{sum(r['ok'] for r in rows)} of {len(rows)} tiles at "
          f"{percent(rows[0]['gate'])} without spills; asked for: 9.\n")


def depthwise(rows):
    table(["layer", "uses", "us", "GFLOPS", "of peak", "untuned us"],
          [[r["name"], r["uses"], f"{r['us']:.1f}", r["gflops"], percent(r["share"]),
            f"{r['untuned_us']:.1f}"] for r in rows[:-1]])
    last = rows[-1]
    print(f"Median of {last['layers']} layers {percent(last['share'])}; asked for: "
          f"{percent(last['gate'])}.\n")


def chain(rows):
    table(["layer", "uses", "in the chain, us", "alone, us", "alone, of peak"],
          [[r["layer"], r["uses"], r["chain_us"], r["alone_us"], percent(r["alone_share"])]
           for r in rows if r["name"] == "layer"])
    figures([r for r in rows if r["name"] != "layer"])


def winograd(rows):
    table(["layer", "uses", "of direct", "us", "algorithm"],
          [[r["layer"], r["uses"], percent(r["figure"]), r["winograd_us"], r["rewrite"]]
           for r in rows if r["name"] == "winograd layer"])
    figures([r for r in rows if r["name"] != "winograd layer"])


def figures(rows):
    table(["figure", "is", "asked for", "met"],
          [[r["name"], percent(r["figure"]), percent(r["gate"]), verdict(r)] for r in rows])


def estimate(rows):
    table(["layer", "untuned, of tuned", "us", "of peak"],
          [[r["layer"], percent(r["share"]), r["us"], percent(r["peak_share"])]
           for r in rows if r["name"] == "layer"])
    last = rows[-1]
    print(f"{last['layers']} layers: mean {percent(last['mean'])}, worst {percent(last['worst'])}; "
          f"asked for: {percent(last['mean_gate'])} and {percent(last['worst_gate'])}.\n")


def untuned(rows):
    table(["model", "untuned ms", "tuned ms", "untuned / tuned", "95 % interval", "gate", "met"],
          [[r["name"], f"{r['ms']['untuned']:.4g}", f"{r['ms']['hone']:.4g}", f"{r['ratio']:.3f}",
            f"{r['low']:.3f} to {r['high']:.3f}", r["gate"], verdict(r)] for r in rows])


def peers(rows):
    rows = [r for r in rows if "ratio" in r]
    names = sorted({who for r in rows for who in r["ms"]} - {"hone"})
    table(["model", "hone ms", *names, "hone / fastest", "95 % interval", "gate", "met"],
          [[r["name"], f"{r['ms']['hone']:.4g}",
            *(f"{r['ms'][n]:.4g}" if n in r["ms"] else "left out" for n in names),
            f"{r['ratio']:.3f} of {r['peer']}", f"{r['low']:.3f} to {r['high']:.3f}", r["gate"],
            verdict(r)] for r in rows])


def guarded(rows):
    table(["model", "plain trials/s", "guarded trials/s", "plain / guarded", "95 % interval", "gate",
           "met"],
          [[r["name"], f"{r['plain']:.1f}", f"{r['guarded']:.1f}", f"{r['ratio']:.3f}",
            f"{r['low']:.3f} to {r['high']:.3f}", r["gate"], verdict(r)] for r in rows])


def boards(rows):
    table(["boards that", "boards", "trials/s", "of one", "tuner's thread computes", "gate", "met"],
          [[r["name"], r["boards"], f"{r['trials']:.1f}", f"{r['ratio']:.2f}",
            f"{100 * r['tuner_busy']:.0f} %", r.get("gate", ""), verdict(r) if "ok" in r else ""]
           for r in rows])


def curve(rows):
    table(["seconds of search", "of the speed at the end", "least", "most"],
          [[r["name"], percent(r["median"]), percent(r["least"]), percent(r["most"])]
           for r in rows if r["name"] != "whole"])
    r = rows[-1]
    print(f"{r['model']}, {r['seeds']} seeds: {r['seconds']:.1f} s, {r['trials_s']:.1f} trials a "
          "second.\n")


def efforts(rows):
    table(["effort", "trials", "seconds", "bundle, ms", "speed", "95 % interval", "gate", "met"],
          [[f"`{r['name']}`", r.get("trials", ""), f"{r['seconds']:.1f}" if "seconds" in r else "",
            f"{r['ms']:.2f}", f"{r['ratio']:.3f}", f"{r['low']:.3f} to {r['high']:.3f}",
            r["gate"] or "", verdict(r) if r["gate"] else ""] for r in rows])


def logs(rows):
    table(["rows", "MB", "rows/s added", "open ms", "best of 60 ms", "first ms", "other device ms"],
          [[r["rows"], f"{r['bytes'] / 1e6:.0f}", f"{r['rows_per_s']:.0f}", f"{r['open_ms']:.1f}",
            f"{r['best60_ms']:.1f}", f"{r['best60_first_ms']:.1f}",
            f"{r['best60_other_ms']:.1f}"] for r in rows])


def propose(rows):
    table(["space", "picks", "median ms", "most ms", "asked for, ms", "met"],
          [[r["name"], f"{r['picks']:.4g}", f"{1e3 * r['median']:.1f}", f"{1e3 * r['most']:.1f}",
            f"{1e3 * r['gate']:g}", verdict(r)] for r in rows])


RUNGS = {"joint": joint, "micro": micro, "depthwise": depthwise, "chain": chain,
         "winograd": winograd, "estimate": estimate, "estimate_v3": estimate, "untuned": untuned,
         "peers": peers, "peers2": peers, "guarded": guarded, "boards": boards, "logs": logs,
         "propose": propose, "curve": curve, "efforts": efforts}


def main():
    folder, wanted = Path(sys.argv[1]), sys.argv[2:] or RUNGS
    for rung in wanted:
        path = folder / f"{rung}.json"
        if path.exists():
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            print(f"## {rung}\n\n    bench/ladder.sh --json DIR {rung}\n")
            RUNGS[rung](rows)


if __name__ == "__main__":
    main()
