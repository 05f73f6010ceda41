#!/usr/bin/env python3
"""Reference values of regress/stats.h, computed by SciPy and statsmodels in ways of their own.

tests/golden/signed_rank.txt holds them, and test_regress_stats compares. Without an argument this
says whether the file is still what it writes; with --write it writes it.
"""
import sys
from pathlib import Path

import numpy as np
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests

FILE = Path(__file__).resolve().parents[1] / "golden" / "signed_rank.txt"
EXACT_MAX = 100


def p_value(d):
    d = np.asarray(d)
    if len(d) == 0 or not d.any():
        return 1.0
    tied = (d == 0).any() or len(np.unique(np.abs(d))) < len(d)
    if len(d) > EXACT_MAX:
        return stats.wilcoxon(d, zero_method="pratt", correction=True, method="asymptotic").pvalue
    if not tied:
        return stats.wilcoxon(d, method="exact").pvalue
    assert len(d) <= 12, "every change of signs is tried"
    every = stats.PermutationMethod(n_resamples=np.inf)
    return stats.wilcoxon(d, zero_method="pratt", method=every).pvalue


def walsh(d):
    d = np.asarray(d)
    i, j = np.triu_indices(len(d))
    return np.sort((d[i] + d[j]) / 2)


def interval(d, level):
    """The centres that the test does not refuse: from the middle outwards p only falls, so the ends
    are found by halving."""
    w = walsh(d)

    def kept(k):  # a centre between the means k and k + 1
        at = w[k] + (w[k + 1] - w[k]) / 2 if k >= 0 else w[0] - 1
        return p_value(np.asarray(d) - at) > 1 - level

    def end(out, middle):
        while abs(middle - out) > 1:
            half = (out + middle) // 2
            out, middle = (out, half) if kept(half) else (half, middle)
        return middle

    if kept(-1):
        return -np.inf, np.inf
    middle = (len(w) - 2) // 2
    return w[end(-1, middle)], w[end(len(w) - 1, middle) + 1]


def reached(d, low):
    """Level that the interval from `low` has: 1 - p of a centre just below."""
    w = walsh(d)
    below = w[w < low]
    at = (below[-1] + low) / 2 if len(below) else low - 1
    return 1 - p_value(np.asarray(d) - at)


def cut(n, alpha):
    """How many rank sums from 0 on the test refuses at either side."""
    sums = np.zeros(n * (n + 1) // 2 + 1)
    sums[0] = 1
    for rank in range(1, n + 1):
        sums[rank:] += sums[:-rank].copy()
    below = np.cumsum(sums) / 2.0 ** n
    return int(np.count_nonzero(below <= alpha / 2))


def shift(alpha, n):
    """Root of: the 5 % point of the rank sum's normal approximation is just refused."""
    c = cut(n, alpha)
    if not c:
        return 0.0
    pair = stats.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]])

    def reach(s):
        p1, p2 = stats.norm.cdf(s), stats.norm.cdf(s * np.sqrt(2))
        p3 = stats.multivariate_normal([0, 0], [[1, np.sqrt(0.5)], [np.sqrt(0.5), 1]]).cdf(
            [s, s * np.sqrt(2)])
        p4 = pair.cdf([s * np.sqrt(2)] * 2)
        mean = n * p1 + n * (n - 1) / 2 * p2
        var = (n * p1 * (1 - p1) + n * (n - 1) / 2 * p2 * (1 - p2)
               + 2 * n * (n - 1) * (p3 - p1 * p2) + n * (n - 1) * (n - 2) * (p4 - p2 ** 2))
        return mean - stats.norm.ppf(0.95) * np.sqrt(var) - (n * (n + 1) / 2 - c + 0.5)

    return optimize.brentq(reach, 1e-6, 8, xtol=1e-13)


def detectable(d, off):
    low, high = interval(d, 0.95)
    if not np.isfinite(low) or not off:
        return 0.0
    level = 0.95 if len(d) > EXACT_MAX else reached(d, low)
    error = (high - low) / 2 / stats.norm.ppf((1 + level) / 2)
    return off * error * np.sqrt(len(d)) / np.sqrt(np.pi / 3)


def series():
    rng = np.random.default_rng(20)
    for n in (1, 2, 3, 5, 6, 8, 10, 12, 16, 20, 24, 30, 50, 100):
        for shift in (0, 0.02, 0.05):
            yield "plain", np.round(rng.normal(shift, 0.02, n), 9)
    for n in (4, 7, 10, 12):
        for shift in (0, 0.01):
            yield "tied", np.round(rng.normal(shift, 0.02, n), 2)
    for n in (120, 250):
        for shift in (0, 0.003):
            yield "many", np.round(rng.normal(shift, 0.02, n), 9)
    yield "heavy", np.round(0.03 + 0.01 * rng.standard_cauchy(24), 9)
    yield "zeros", np.zeros(6)


def text():
    out = ["# Written by tests/peers/ranks.py from SciPy and statsmodels."]
    off = shift(0.01 / 160, 30)
    for alpha, n in ((0.01, 5), (0.01, 12), (0.0025, 30), (0.01 / 160, 30), (1e-6, 60)):
        out.append(f"shift {alpha!r} {n} {shift(alpha, n):.9g}")
    for kind, d in series():
        low, high = (0, 0) if kind in ("tied", "zeros") else interval(d, 0.95)
        sees = 0 if kind in ("tied", "zeros") else detectable(d, off)
        out.append(f"{kind} {len(d)} p {p_value(d):.12g} low {low:.12g} high {high:.12g} "
                   f"centre {np.median(walsh(d)):.12g} sees {sees:.12g} d "
                   + " ".join(f"{x:.9g}" for x in d))
    rng = np.random.default_rng(21)
    for n in (1, 2, 5, 20, 40):
        p = np.round(rng.uniform(0, 1, n) ** 4, 6)
        p[n // 2] = p[0]
        q = multipletests(p, method="holm")[1]
        out.append(f"holm {n} p " + " ".join(f"{x:.9g}" for x in p) + " q "
                   + " ".join(f"{x:.12g}" for x in q))
    for p in (1e-12, 1e-6, 0.001, 0.025, 0.5, 0.8, 0.975, 1 - 1e-9):
        out.append(f"normal {p!r} {stats.norm.ppf(p):.12g}")
    for nx, ny in ((5, 5), (8, 13), (40, 60)):
        x, y = np.round(rng.normal(0, 1, nx), 1), np.round(rng.normal(0.8, 1, ny), 1)
        p = stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=True).pvalue
        out.append(f"ranksum {nx} {ny} p {p:.12g} x " + " ".join(f"{v:g}" for v in x) + " y "
                   + " ".join(f"{v:g}" for v in y))
    return "\n".join(out) + "\n"


def main():
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(text())
        return 0
    same = FILE.read_text() == text()
    print("signed_rank.txt:", "as computed" if same else "differs from what is computed")
    return not same


if __name__ == "__main__":
    sys.exit(main())
