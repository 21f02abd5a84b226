#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Statistics against scipy: random samples, ties, small and degenerate ones.

    test_stats_scipy.py STATS_LINES [SEED [CASES]]

Each case is a pair of samples; what the C code makes of it is compared with
numpy and scipy. The exact U test with ties, which scipy has not, is compared
with an enumeration of all ways to deal the ranks, by scipy's permutation test.
Intervals of small samples are compared with the whole bootstrap distribution.
"""

import itertools
import json
import math
import os
import random
import subprocess
import sys
import warnings
from collections import Counter

DEBIAN = "/usr/bin/python3"

try:
    import numpy as np
    import scipy
    from scipy import stats
except ImportError:
    # Another python3 may come first in the path; Debian's has the package.
    if os.path.exists(DEBIAN) and not os.path.samefile(sys.executable, DEBIAN):
        os.execv(DEBIAN, [DEBIAN, "-B", *sys.argv])
    print("scipy is not here: .ci/install stats")
    sys.exit(77)

EXACT_MAX = 20
# Sets of ranks that are enumerated.
ENUMERATE_MAX = 3000


def sample(rng, n, kind):
    """n values of one of several shapes."""
    if kind == "ties":
        return [float(rng.randint(0, 4)) for _ in range(n)]
    if kind == "counts":
        return [float(rng.randint(10**9, 10**9 + 50)) for _ in range(n)]
    if kind == "tiny":
        return [rng.gauss(1, 1) * 1e-150 for _ in range(n)]
    if kind == "close":
        return [1e6 + rng.gauss(0, 1e-3) for _ in range(n)]
    if kind == "skewed":
        return [math.exp(rng.gauss(0, 2)) for _ in range(n)]
    if kind == "apart":
        return [rng.gauss(0, 1) + rng.choice([0, 100]) for _ in range(n)]
    return [rng.gauss(5, 2) for _ in range(n)]


def make_cases(rng, nr):
    """Random pairs, then the degenerate ones."""
    kinds = ["ties", "counts", "tiny", "close", "skewed", "apart", "normal"]
    cases = []
    for _ in range(nr):
        kind = rng.choice(kinds)
        n, m = rng.randint(2, 12), rng.randint(2, 12)
        if rng.random() < 0.15:
            n, m = rng.randint(2, 60), rng.randint(21, 60)
        a, b = sample(rng, n, kind), sample(rng, m, kind)
        if rng.random() < 0.3:
            shift = rng.choice([1.0, 2.0])
            b = [x + shift * abs(a[0]) for x in b]
        cases.append((a, b))
    cases += [
        ([1.0], [2.0]), ([1.0], [1.0]), ([1.0, 2.0], [3.0]),
        ([5.0] * 4, [5.0] * 6), ([5.0] * 4, [6.0] * 6),
        ([0.0] * 3, [0.0, 0.0, 1.0]), ([-1.0, 1.0], [-1.0, 1.0]),
        ([1.0, 1.0], [1.0, 2.0]), ([0.1] * 10, [0.1] * 10),
        ([1e300, 1.5e300], [1e300, 1.2e300]), ([7.0] * 30, [7.0] * 30),
        ([1.0] * 30 + [2.0], [1.0] * 40), ([], [1.0, 2.0]), ([], []),
        ([math.nan, 1.0], [1.0, 2.0]), ([math.inf, 1.0], [1.0, 2.0]),
        ([float(i) for i in range(20)], [i + 0.5 for i in range(20)]),
        ([float(i // 3) for i in range(20)], [float(i // 4) for i in range(20)]),
    ]
    return cases


class Checker:
    """Compares, and names the case that differs."""

    def __init__(self):
        self.failures = 0
        self.compared = Counter()

    def same(self, what, got, want, case, rel=1e-9, tiny=0.0):
        self.compared[what] += 1
        if want is None or got is None:
            ok = want is got
        elif math.isinf(want):
            ok = got == want
        else:
            ok = math.isclose(got, want, rel_tol=rel, abs_tol=tiny)
        if not ok:
            self.failures += 1
            if self.failures <= 5:
                print(f"FAIL {what}: {got!r}, scipy says {want!r}\n  {case}")


def usable(values, least):
    return len(values) >= least and all(math.isfinite(x) for x in values)


def power_of_two(values):
    """To divide by: squares of the smallest and largest are no doubles."""
    return 2.0 ** math.frexp(max(abs(x) for x in values))[1]


def near_zero(a, b):
    """Both shifted and scaled alike, which changes neither t nor g."""
    two = power_of_two(a + b)
    return [x / two - a[0] / two for x in a], [x / two - a[0] / two for x in b]


def check_one(c, r, case):
    a = case[0]
    if not usable(a, 1):
        c.same("mean", r["mean"], None, case)
        c.same("geometric", r["geometric"], None, case)
        c.same("mean_interval", r["mean_interval"], None, case)
        return
    scale = max(abs(x) for x in a)
    c.same("mean", r["mean"], math.fsum(x / len(a) for x in a), case, 1e-12,
           scale * 1e-15)
    c.same("median", r["median"], float(np.median(np.array(a) / 2) * 2), case,
           1e-14)
    c.same("min", r["min"], min(a), case)
    c.same("max", r["max"], max(a), case)
    two = power_of_two(a)
    want = float(np.std(np.array(a) / two, ddof=1) * two) if len(a) > 1 else 0
    # Equal values have no spread, whatever their mean was rounded to.
    want = 0.0 if min(a) == max(a) else want
    c.same("sd", r["sd"], want, case, 1e-7)
    mean = r["mean"]
    dev = max(max(a) - mean, mean - min(a)) / abs(mean) * 100 if mean else 0.0
    c.same("dev", r["dev"], dev, case, 1e-9, 1e-12)
    positive = min(a) > 0
    c.same("geometric", r["geometric"],
           float(stats.gmean(a)) if positive else None, case, 1e-9)
    c.same("harmonic", r["harmonic"],
           float(stats.hmean(a)) if positive else None, case, 1e-9)


def check_welch(c, r, case):
    a, b = case
    if not (usable(a, 2) and usable(b, 2)):
        c.same("welch_p", r["welch_p"], None, case)
        return
    flat = min(a) == max(a) and min(b) == max(b)
    if flat:
        equal = a[0] == b[0]
        c.same("welch_p", r["welch_p"], 1.0 if equal else 0.0, case)
        return
    a, b = near_zero(a, b)
    t = stats.ttest_ind(b, a, equal_var=False)
    c.same("welch_t", r["welch_t"], float(t.statistic), case, 1e-6, 1e-9)
    c.same("welch_p", r["welch_p"], float(t.pvalue), case, 1e-5, 1e-300)


def tie_p(a, b):
    """All ways to deal the ranks, by scipy."""
    ranks = stats.rankdata(a + b)
    first, second = ranks[:len(a)], ranks[len(a):]

    def rank_sum(x, y, axis):
        return np.sum(y, axis=axis)

    return float(stats.permutation_test(
        (first, second), rank_sum, permutation_type="independent",
        n_resamples=np.inf, vectorized=True).pvalue)


def check_u(c, r, case):
    a, b = case
    if not (usable(a, 1) and usable(b, 1)):
        c.same("u_p", r["u_p"], None, case)
        c.same("cliffs_delta", r["cliffs_delta"], None, case)
        return
    n, m = len(a), len(b)
    exact = n <= EXACT_MAX and m <= EXACT_MAX
    ties = len(set(a + b)) < n + m
    c.same("u_exact", r["u_exact"], float(exact), case)
    above = sum((y > x) - (y < x) for x in a for y in b)
    c.same("cliffs_delta", r["cliffs_delta"], above / (n * m), case, 1e-12,
           1e-15)
    method = "exact" if exact else "asymptotic"
    if len(set(a + b)) == 1:
        c.same("u_p", r["u_p"], 1.0, case)
        return
    u = stats.mannwhitneyu(b, a, alternative="two-sided", method=method)
    c.same("u", r["u"], float(u.statistic), case)
    if not exact or not ties:
        c.same("u_p", r["u_p"], float(u.pvalue), case, 1e-9)
    elif math.comb(n + m, n) <= ENUMERATE_MAX:
        c.same("u_p ties", r["u_p"], tie_p(a, b), case, 1e-9)


def check_g(c, r, case):
    a, b = case
    if not (usable(a, 2) and usable(b, 2)):
        c.same("hedges_g", r["hedges_g"], None, case)
        return
    x, y = (np.array(v) for v in near_zero(a, b))
    df = len(a) + len(b) - 2
    squares = sum(((v - v.mean()) ** 2).sum() if v.min() < v.max() else 0.0
                  for v in (x, y))
    if squares == 0:
        want = 0.0 if x[0] == y[0] else None
    else:
        # The expectation of a noncentral t says what is to be divided by.
        want = float(y.mean() - x.mean()) / math.sqrt(squares / df)
        if df > 1:
            want /= float(stats.nct.mean(df, 1.0))
        else:
            want = 0.0
    c.same("hedges_g", r["hedges_g"], want, case, 1e-6, 1e-9)


def bootstrap_distribution(a, center):
    """Every resample with its probability, as sorted (value, share)."""
    n = len(a)
    whole = Counter()
    for index in itertools.combinations_with_replacement(range(n), n):
        ways = math.factorial(n)
        for times in Counter(index).values():
            ways //= math.factorial(times)
        whole[float(center([a[i] for i in index]))] += ways
    return [(v, k / n**n) for v, k in sorted(whole.items())]


def check_interval(c, name, got, a, center, case):
    if not usable(a, 2):
        c.same(name, got, None, case)
        return
    c.compared[name] += 1
    low, high = got
    ok = min(a) - 1e-300 <= low <= high <= max(a)
    if len(a) <= 6 and min(a) < max(a):
        slack = 1e-9 * max(abs(x) for x in a)
        for value, share in ((low, 0.025), (high, 0.975)):
            below = reached = 0.0
            for v, part in bootstrap_distribution(a, center):
                below += part if v < value - slack else 0
                reached += part if v <= value + slack else 0
            # 10,000 resamples: five standard errors of a share.
            error = 5 * math.sqrt(share * (1 - share) / 10000)
            ok = ok and below <= share + error and reached >= share - error
    if not ok:
        c.failures += 1
        print(f"FAIL {name}: {got}\n  {case}")


def check_against_bootstrap(c, r, case):
    """Larger samples against scipy's own resampling, which is as random."""
    a = case[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = stats.bootstrap((np.array(a),), np.mean, method="percentile",
                                n_resamples=20000, vectorized=True,
                                random_state=1).bootstrap_distribution
    slack = 1e-9 * max(abs(x) for x in a)
    for got, share in zip(r["mean_interval"], (0.025, 0.975)):
        c.compared["mean_interval of scipy"] += 1
        # Equal means come in steps where the values do.
        below = np.mean(drawn < got - slack)
        reached = np.mean(drawn <= got + slack)
        error = 5 * math.sqrt(share * (1 - share) * (1 / 10000 + 1 / 20000))
        if below > share + error or reached < share - error:
            c.failures += 1
            print(f"FAIL mean_interval: {got}, scipy has {below} below\n"
                  f"  {case}")


def main():
    program = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    nr = int(sys.argv[3]) if len(sys.argv) > 3 else 700
    rng = random.Random(seed)
    cases = make_cases(rng, nr)
    text = "".join(f"{' '.join(map(repr, a))} | {' '.join(map(repr, b))}\n"
                   for a, b in cases)
    out = subprocess.run([program], input=text, capture_output=True, text=True,
                         check=True).stdout
    rows = [json.loads(line) for line in out.splitlines()]
    c = Checker()
    c.same("lines", len(rows), len(cases), "all")
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    for i, (case, r) in enumerate(zip(cases, rows)):
        check_one(c, r, case)
        check_welch(c, r, case)
        check_u(c, r, case)
        check_g(c, r, case)
        if i % 7 == 0:
            check_interval(c, "mean_interval", r["mean_interval"], case[0],
                           lambda v: sum(v) / len(v), case)
            check_interval(c, "median_interval", r["median_interval"],
                           case[0], np.median, case)
        if i % 50 == 0 and len(case[0]) >= 8:
            check_against_bootstrap(c, r, case)
    print(f"{len(cases)} pairs of samples, scipy {scipy.__version__}:",
          ", ".join(f"{k} {v}" for k, v in sorted(c.compared.items())))
    if c.failures:
        print(f"{c.failures} differ; to repeat: {sys.argv[0]} {program} "
              f"{seed} {nr}")
    return 1 if c.failures else 0


if __name__ == "__main__":
    sys.exit(main())
