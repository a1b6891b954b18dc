"""Golden values for src/analysis/stats from SciPy and NumPy. Run: python3 test/golden/stats.py (writes stats.json)."""

import json
import pathlib
import platform

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(20250301)


def t_quantiles():
    return [
        {"p": p, "df": df, "t": stats.t.ppf(p, df)}
        for p in (0.001, 0.025, 0.3, 0.5, 0.9, 0.975, 0.9995)
        for df in (1, 2, 2.7, 3, 9, 30, 511, 10000)
    ]


def t_cdf():
    return [{"t": t, "df": df, "p": stats.t.cdf(t, df)} for t in (-40, -3, -0.2, 0, 1, 4.303, 12) for df in (1, 2.5, 7, 400)]


def normal_quantiles():
    return [{"p": p, "z": stats.norm.ppf(p)} for p in (1e-6, 0.01, 0.025, 0.4, 0.5, 0.8, 0.975, 0.9999)]


def wilson():
    rows = []
    for k, n in ((0, 1), (0, 512), (1, 7), (13, 512), (300, 512), (512, 512)):
        for level in (0.9, 0.95):
            ci = stats.binomtest(k, n).proportion_ci(level, method="wilson")
            rows.append({"k": k, "n": n, "level": level, "lower": ci.low, "upper": ci.high})
    return rows


def t_intervals():
    rows = []
    for n in (2, 3, 5, 40):
        values = rng.normal(0.4, 0.05, n)
        low, high = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
        rows.append({"values": values.tolist(), "mean": values.mean(), "sem": stats.sem(values), "lower": low, "upper": high})
    return rows


def log_ratio():
    """Delta method on the log of each mean; the interval is Welch's, with each relative error in place of the error."""
    rows = []
    for n, m in ((3, 3), (2, 5), (4, 3)):
        a, b = rng.normal(0.6, 0.03, n), rng.normal(0.15, 0.02, m)
        parts = [(stats.sem(x) / x.mean()) ** 2 for x in (a, b)]
        df = sum(parts) ** 2 / sum(p**2 / (len(x) - 1) for p, x in zip(parts, (a, b)))
        half = stats.t.ppf(0.975, df) * np.sqrt(sum(parts))
        center = np.log(a.mean() / b.mean())
        rows.append({"a": a.tolist(), "b": b.tolist(), "lower": np.exp(center - half), "upper": np.exp(center + half)})
    return rows


def bootstrap():
    """One seed over puzzles: SciPy's own percentile bootstrap with many resamples, to be met within Monte Carlo error."""
    values = rng.gamma(2.0, 1.5, 200)
    ci = stats.bootstrap((values,), np.mean, n_resamples=200_000, method="percentile", random_state=rng, batch=5000).confidence_interval
    a = rng.binomial(1, 0.6, 300).astype(float)
    b = rng.binomial(1, 0.2 + 0.2 * a)
    ratio = stats.bootstrap(
        (a, b), lambda x, y, axis=-1: x.mean(axis) / y.mean(axis), paired=True, n_resamples=100_000, method="percentile",
        random_state=rng, batch=5000,
    ).confidence_interval
    return {
        "mean": {"values": values.tolist(), "lower": ci.low, "upper": ci.high},
        "ratio": {"a": a.tolist(), "b": b.tolist(), "lower": ratio.low, "upper": ratio.high},
    }


golden = {
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
    "tQuantiles": t_quantiles(),
    "tCdf": t_cdf(),
    "normalQuantiles": normal_quantiles(),
    "wilson": wilson(),
    "tIntervals": t_intervals(),
    "logRatio": log_ratio(),
    "bootstrap": bootstrap(),
    "quantiles": [
        {"values": v, "p": p, "q": float(np.quantile(v, p))}
        for v in ([3.0], [1.0, 2.0, 4.0, 8.0], list(map(float, range(11))))
        for p in (0.0, 0.025, 0.5, 0.77, 1.0)
    ],
}
rounded = json.loads(json.dumps(golden, default=float))
pathlib.Path(__file__).with_name("stats.json").write_text(json.dumps(rounded) + "\n")
