#!/usr/bin/env python3
"""Reference data for Tests/FairnessTests/FairlearnTests.swift: 60 random tables measured by fairlearn and scikit-learn.

Run by hand: tools/export_audit_fixtures.py (needs fairlearn, scikit-learn, numpy and pandas).
Inputs are a function of the table's id: groups and labels as written below, scores by the hash that Tests/FairnessTests/Support.swift has too.
Two sensitive features make the groups, so that some intersections are empty; some groups lack positive or negative labels. Where a
group's value is undefined fairlearn reports 0 or NaN; the fixture says null there, found from the counts and not from fairlearn's figure.
"""
import json
import pathlib
import warnings

import fairlearn
import fairlearn.metrics as fm
import numpy as np
import pandas as pd
import sklearn
import sklearn.metrics as sk

warnings.filterwarnings("ignore")
FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures"
MASK = (1 << 64) - 1
TABLES, FILES = 60, 4


def hash64(problem, row, column):
    z = (problem * 0x9E3779B97F4A7C15 + row * 0xD1B54A32D192ED03) & MASK
    z = (z + column * 0x8CB92BA72F3D8DD7 + 0x632BE59BD9B4E019) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def dyadic(problem, row, column):
    """A multiple of 2^-20 in -2..<2."""
    return (hash64(problem, row, column) >> 42) / 1_048_576 - 2


METRICS = {  # name: (function of labels, decisions, scores; what it needs)
    "count": (lambda y, d, z: len(y), "rows"),
    "accuracy": (lambda y, d, z: sk.accuracy_score(y, d), "rows"),
    "balanced_accuracy": (lambda y, d, z: sk.balanced_accuracy_score(y, d), "both"),
    "selection_rate": (lambda y, d, z: fm.selection_rate(y, d), "rows"),
    "true_positive_rate": (lambda y, d, z: fm.true_positive_rate(y, d, pos_label=1), "positives"),
    "false_positive_rate": (lambda y, d, z: fm.false_positive_rate(y, d, pos_label=1), "negatives"),
    "true_negative_rate": (lambda y, d, z: fm.true_negative_rate(y, d, pos_label=1), "negatives"),
    "false_negative_rate": (lambda y, d, z: fm.false_negative_rate(y, d, pos_label=1), "positives"),
    "precision": (lambda y, d, z: sk.precision_score(y, d), "selected"),
    "f1": (lambda y, d, z: sk.f1_score(y, d), "positives or selected"),
    "roc_auc": (lambda y, d, z: sk.roc_auc_score(y, z), "both"),
    "mean_prediction": (lambda y, d, z: fm.mean_prediction(y, 1 / (1 + np.exp(-z))), "rows"),
    "mean_logit": (lambda y, d, z: fm.mean_prediction(y, z), "rows"),
    "bce": (lambda y, d, z: sk.log_loss(y, 1 / (1 + np.exp(-z)), labels=[0, 1]), "rows"),
}
NEEDS = {
    "rows": lambda y, d: len(y) > 0, "positives": lambda y, d: (y == 1).any(), "negatives": lambda y, d: (y == 0).any(),
    "both": lambda y, d: (y == 1).any() and (y == 0).any(), "selected": lambda y, d: (d == 1).any(),
    "positives or selected": lambda y, d: (y == 1).any() or (d == 1).any(),
}


def number(x):
    return None if x is None or not np.isfinite(x) else float(f"{x:.16g}")


def table(index):
    identity = 5000 + index
    rng = np.random.default_rng(identity)
    rows = int(rng.integers(8, 90))
    first, second = 2, int(rng.integers(1, 4))
    groups = first * second
    weight = rng.random(groups) ** 2 + 0.02
    if index % 3 == 0:
        weight[rng.integers(groups)] = 0  # an empty intersection
    group = rng.choice(groups, rows, p=weight / weight.sum())
    group[rng.random(rows) < (0.1 if index % 4 == 0 else 0)] = -1
    z = np.array([dyadic(identity, row, 0) for row in range(rows)])
    if index % 5 == 0:
        z = np.round(z * 2) / 2  # ties
    y = (rng.random(rows) < 0.5).astype(int)
    if index % 2 == 0:
        y[group == rng.integers(groups)] = 0  # no positives
    if index % 7 == 0:
        y[group == rng.integers(groups)] = 1  # no negatives
    d = (z >= 0).astype(int)
    known = group >= 0
    # Every value of a feature must appear once for fairlearn to know it; tables where one does not are rare and left out.
    features = pd.DataFrame({"a": group[known] // second, "b": group[known] % second})
    if features["a"].nunique() < first or features["b"].nunique() < second:
        return None
    keys = [(a, b) for a in range(first) for b in range(second)]
    member = {key: (group == key[0] * second + key[1]) for key in keys}
    present = [key for key in keys if member[key].any()]
    result = {}
    for name, (function, need) in METRICS.items():
        defined = {key: NEEDS[need](y[member[key]], d[member[key]]) for key in keys}

        def safe(labels, decisions, score, function=function):
            return function(np.asarray(labels), np.asarray(decisions), np.asarray(score))

        def guarded(labels, decisions, score, safe=safe, need=need):
            ok = NEEDS[need](np.asarray(labels), np.asarray(decisions))
            return float(safe(labels, decisions, score)) if ok or name not in ("roc_auc",) else 0.0

        frame = fm.MetricFrame(
            metrics=guarded, y_true=y[known], y_pred=d[known], sensitive_features=features, sample_params={"score": z[known]})
        whole = all(defined[key] for key in present)
        result[name] = dict(
            overall=number(guarded(y, d, z)) if NEEDS[need](y, d) else None,
            byGroup=[number(frame.by_group.loc[key]) if key in present and defined[key] else (0.0 if name == "count" else None) for key in keys],
            groupMin=number(frame.group_min()) if whole else None, groupMax=number(frame.group_max()) if whole else None,
            difference=number(frame.difference(method="between_groups")) if whole else None,
            ratio=number(frame.ratio(method="between_groups")) if whole and frame.group_max() != 0 and name != "mean_logit" else None)
    given = dict(y_true=y[known], y_pred=d[known], sensitive_features=features)
    whole = {name: result[name]["difference"] is not None for name in result}
    ratios = {name: result[name]["ratio"] is not None for name in result}
    odds = ("true_positive_rate", "false_positive_rate")
    aggregates = dict(
        demographic_parity_difference=number(fm.demographic_parity_difference(**given)),
        demographic_parity_ratio=number(fm.demographic_parity_ratio(**given)) if ratios["selection_rate"] else None,
        equalized_odds_difference=number(fm.equalized_odds_difference(**given)) if all(whole[n] for n in odds) else None,
        equalized_odds_ratio=number(fm.equalized_odds_ratio(**given)) if all(ratios[n] for n in odds) else None,
        equal_opportunity_difference=number(fm.equal_opportunity_difference(**given)) if whole[odds[0]] else None,
        equal_opportunity_ratio=number(fm.equal_opportunity_ratio(**given)) if ratios[odds[0]] else None,
        true_positive_rate_sd=number(np.std([v for v in result[odds[0]]["byGroup"] if v is not None])) if whole[odds[0]] else None,
        false_positive_rate_sd=number(np.std([v for v in result[odds[1]]["byGroup"] if v is not None])) if whole[odds[1]] else None,
        worst_group_accuracy=result["accuracy"]["groupMin"])
    letters = "".join("-" if g < 0 else chr(97 + g) for g in group)
    return dict(
        id=identity, groupCount=groups, groups=letters, labels="".join(map(str, y)), ties=bool(index % 5 == 0), metrics=result,
        aggregates=aggregates)


def main():
    tables, index = [], 0
    while len(tables) < TABLES:
        made = table(index)
        index += 1
        if made:
            tables.append(made)
    source = f"fairlearn {fairlearn.__version__}, scikit-learn {sklearn.__version__}"
    for part in range(FILES):
        text = json.dumps(dict(source=source, tables=tables[part::FILES]), separators=(",", ":"))
        text = text.replace('{"id"', '\n{"id"') + "\n"
        (FIXTURES / f"audit_{part + 1}.json").write_text(text)
        print(f"audit_{part + 1}.json", len(text) // 1024, "KB")
    empty = sum(0.0 in t["metrics"]["count"]["byGroup"] for t in tables)
    lacking = sum(None in [v for v, n in zip(t["metrics"]["true_positive_rate"]["byGroup"], t["metrics"]["count"]["byGroup"]) if n] for t in tables)
    print(len(tables), "tables;", empty, "with an empty group;", lacking, "with a group without positives;", source)


main()
