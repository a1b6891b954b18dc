"""Golden values for src/analysis/stats/{mantel-haenszel,logistic,holm}.ts from statsmodels.

Run: python3 test/golden/outcomes.py (writes outcomes.json; needs numpy and statsmodels).
"""

import json
import pathlib
import platform

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20250302)


def mantel_haenszel():
    cases = []
    for strata in (
        [[[12, 5], [9, 14]]],
        [[[12, 5], [9, 14]], [[3, 0], [7, 6]], [[20, 31], [8, 40]]],
        [[[1, 1], [0, 1]], [[0, 2], [1, 1]], [[1, 0], [1, 2]], [[5, 0], [0, 0]], [[2, 1], [1, 3]]],
    ):
        table = StratifiedTable([np.array(s, dtype=float) for s in strata if np.sum(s[0]) and np.sum(s[1])])
        low, high = table.oddsratio_pooled_confint(0.05)
        cases.append({"strata": strata, "oddsRatio": table.oddsratio_pooled, "lower": low, "upper": high})
    return cases


def logistic():
    cases = []
    for groups, size, columns in ((40, 3, 3), (25, 6, 5)):
        n = groups * size
        cluster = np.repeat(np.arange(groups), size)
        shared = rng.normal(0, 0.8, groups)[cluster]
        habit = (rng.uniform(size=n) < 0.4).astype(float)
        extra = np.round(rng.normal(size=(n, columns - 2)), 3)
        x = np.column_stack([np.ones(n), habit, extra])
        eta = -0.2 + 0.7 * habit + 0.5 * extra[:, 0] + shared
        y = (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))).astype(int)
        fit = sm.Logit(y, x).fit(disp=0, tol=1e-14, maxiter=100, cov_type="cluster", cov_kwds={"groups": cluster})
        interval = np.exp(fit.conf_int())[1]
        cases.append(
            {
                "columns": columns,
                "design": x.ravel().tolist(),
                "outcome": y.tolist(),
                "clusters": cluster.tolist(),
                "coefficients": fit.params.tolist(),
                "standardErrors": fit.bse.tolist(),
                "oddsRatio": float(np.exp(fit.params[1])),
                "lower": interval[0],
                "upper": interval[1],
            }
        )
    return cases


def holm():
    return [
        {"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()}
        for p in ([0.01], [0.04, 0.01, 0.03, 0.005], [0.5, 0.5, 0.0001, 0.02, 0.02], [0.9, 0.001, 0.2, 0.2, 0.04, 0.011])
    ]


def paired_t():
    rows = []
    for n in (3, 8):
        d = rng.normal(0.1, 0.2, n)
        rows.append({"differences": d.tolist(), "p": stats.ttest_1samp(d, 0).pvalue})
    rows.append({"differences": [0.41, 0.4, 0.42], "p": stats.ttest_1samp([0.41, 0.4, 0.42], 0).pvalue})
    return rows


golden = {
    "versions": {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
    },
    "mantelHaenszel": mantel_haenszel(),
    "logistic": logistic(),
    "holm": holm(),
    "pairedT": paired_t(),
}
rounded = json.loads(json.dumps(golden, default=float))
pathlib.Path(__file__).with_name("outcomes.json").write_text(json.dumps(rounded) + "\n")
