#!/usr/bin/env python3
"""Reference data for Tests/FairnessTests: fairness problems solved by cvxpy, metrics computed by fairlearn.

Run by hand: tools/export_fairness_fixtures.py (needs cvxpy, clarabel, numpy, fairlearn, scikit-learn; --check also
cvxpylayers and torch). Writes Tests/Fixtures/fairness_{hard,max,sum,metrics}.json and, through fairness_criteria.py, one file per
criterion, with and without a box. No random numbers: inputs come from hash64 below.

Solutions: every problem is posed on all n scores with one row per pair of groups, nothing reduced to group means.
Gradients: implicit differentiation of that problem. The solver's dual variables say which rows are strictly active; the
derivative of the solution is then the orthogonal projection onto the null space of those rows (numpy SVD). A problem with a row
that is neither clearly active nor clearly slack is too near an active-set change and carries no gradient.
--check compares some of these gradients with cvxpylayers and with central differences of cvxpy's solutions.
"""

import argparse
import json
import pathlib
import sys

import cvxpy as cp
import numpy as np

import fairness_criteria

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures"
MASK = (1 << 64) - 1
MARGIN = 2e-5  # a row is active with a dual above, slack with a distance above; anything between is too near a change


def hash64(problem, row, column):
    """SplitMix64's finaliser of one integer; Support.swift has the same function."""
    z = (problem * 0x9E3779B97F4A7C15 + row * 0xD1B54A32D192ED03 + column * 0x8CB92BA72F3D8DD7 + 0x632BE59BD9B4E019) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def dyadic(problem, row, column):
    """A multiple of 2^-20 in [-2, 2): exact in binary, so both languages compute the same number."""
    return (hash64(problem, row, column) >> 42) / 2**20 - 2


def make_problem(p, kind):
    """Group counts differ by up to a factor of about 50; the text `groups` has one letter per row, `-` for unknown."""
    draw = lambda column: hash64(p, 10**6, column) / 2.0**64
    K = 2 + int(draw(0) * 13)
    n = max(2, min(512, int(round(2 * 256 ** draw(1)))))
    share = np.cumsum([0.02 + hash64(p, 10**6 + 1 + k, 0) / 2.0**64 for k in range(K)] if p % 3 == 0
                      else [0.02 + (hash64(p, 10**6 + 1 + k, 0) / 2.0**64) ** 3 for k in range(K)])
    unknown = 0.15 if p % 4 == 1 else 0.0
    groups = []
    for i in range(n):
        if hash64(p, i, 2) / 2.0**64 < unknown:
            groups.append(-1)
        else:
            groups.append(int(np.searchsorted(share, hash64(p, i, 3) / 2.0**64 * share[-1], side="right")))
    offset = [dyadic(p, 10**6 + 1 + k, 1) for k in range(K)]
    z = np.array([dyadic(p, i, 0) + (offset[g] if g >= 0 else 0) for i, g in enumerate(groups)])
    d = np.array([dyadic(p, i, 1) for i in range(n)])
    problem = dict(id=p, groupCount=K, groups="".join("-" if g < 0 else chr(ord("a") + g) for g in groups))
    if kind == "hard":
        problem["tolerance"] = 0.0 if p % 7 == 0 else round(2 * draw(2) ** 2, 6)
    else:
        reach = n * (0.5 if kind == "max" else 1.5 / K)
        problem["weight"] = round(reach * draw(2) ** 2 + 1e-3, 6)
    return problem, z, np.array(groups), d


def averaging(groups, K):
    present = [k for k in range(K) if (groups == k).any()]
    M = np.zeros((len(present), len(groups)))
    for r, k in enumerate(present):
        M[r, groups == k] = 1 / (groups == k).sum()
    return M


def solve(problem, z, groups, kind):
    """Returns (solution, basis): the columns of basis span the directions in which the solution moves, None near a change."""
    n = len(z)
    M = averaging(groups, problem["groupCount"])
    pairs = [(i, j) for i in range(len(M)) for j in range(i + 1, len(M))]
    if not pairs:
        return z.copy(), np.eye(n)
    D = np.array([M[i] - M[j] for i, j in pairs])
    v = cp.Variable(n)
    cost = cp.sum_squares(v - z)
    if kind == "hard":
        bounds = [D @ v <= problem["tolerance"], -D @ v <= problem["tolerance"]]
    elif kind == "max":
        t = cp.Variable()
        bounds = [D @ v <= t, -D @ v <= t]
        cost += problem["weight"] * t
    else:
        t = cp.Variable(len(pairs))
        bounds = [D @ v <= t, -D @ v <= t]
        cost += problem["weight"] * cp.sum(t)
    model = cp.Problem(cp.Minimize(cost), bounds)
    for tolerance in (1e-12, 1e-11, 1e-10, 1e-9):
        model.solve(solver=cp.CLARABEL, tol_gap_abs=tolerance, tol_gap_rel=tolerance, tol_feas=tolerance, max_iter=500)
        if model.status == cp.OPTIMAL:
            break
    else:
        sys.exit(f"{kind} {problem['id']}: {model.status}")
    x = v.value
    up, down = bounds[0].dual_value, bounds[1].dual_value
    move = D @ x
    if kind == "sum":
        flow, interior = up - down, np.minimum(up, down)
        tied = interior > MARGIN
        clear = np.where(tied, True, np.abs(move) > MARGIN)
        active, extra = D[tied], 0
    elif kind == "hard" and problem["tolerance"] == 0:
        clear, active, extra = np.array([True]), D, 0
    else:
        top = problem["tolerance"] if kind == "hard" else np.abs(move).max()
        if kind == "max" and top < 1e-7:  # both bounds of a pair are active and t = 0: every pair is tied while sum of duals < weight
            top = 0.0
        rows, slack, duals = np.vstack([D, -D]), top - np.concatenate([move, -move]), np.concatenate([up, down])
        strict = duals > MARGIN
        clear = strict | (slack > MARGIN)
        active, extra = rows[strict], 1 if kind == "max" else 0
    if not clear.all():
        return x, None
    if extra:
        active = np.hstack([active, -np.ones((len(active), 1))])
    size = n + extra
    if len(active) == 0:
        return x, np.eye(n)
    _, s, vt = np.linalg.svd(active, full_matrices=True)
    rank = int((s > 1e-9 * s[0]).sum())
    null = vt[rank:, :n]  # the null space, seen in v alone; t follows
    if extra:
        u, s, _ = np.linalg.svd(null.T, full_matrices=False)
        return x, u[:, s > 1e-9]
    return x, null.T


def rounded(values):
    return [float(f"{x:.9f}") + 0.0 for x in values]


def export(kind, count, first):
    problems, gradients = [], 0
    for p in range(first, first + count):
        problem, z, groups, d = make_problem(p, kind)
        x, basis = solve(problem, z, groups, kind)
        problem["solution"] = rounded(x)
        if basis is not None:
            problem["gradient"] = rounded(basis @ (basis.T @ d))
            gradients += 1
        problems.append(problem)
    header = dict(kind=kind, solver=f"cvxpy {cp.__version__} CLARABEL 1e-12 (1e-9 at worst)", problems=problems)
    text = json.dumps(header, separators=(",", ":")).replace('{"id"', '\n{"id"')
    (FOLDER / f"fairness_{kind}.json").write_text(text + "\n")
    print(kind, count, "problems,", gradients, "with gradients,", len(text) // 1024, "KB")


def check():
    """The implicit gradients against cvxpylayers, and against central differences of cvxpy's solutions."""
    import torch
    from cvxpylayers.torch import CvxpyLayer

    for kind, first in (("hard", 1000), ("max", 2000), ("sum", 3000)):
        layer_error = difference_error = 0.0
        used = 0
        for p in range(first, first + 60):
            problem, z, groups, d = make_problem(p, kind)
            if len(z) > 24 or used == 8:
                continue
            _, basis = solve(problem, z, groups, kind)
            if basis is None or basis.shape[1] == len(z):
                continue
            used += 1
            gradient = basis @ (basis.T @ d)
            h = 1e-3  # solutions are piecewise affine: a large step is exact unless the active set changes within it
            numeric = np.array([
                d @ (solve(problem, z + h * e, groups, kind)[0] - solve(problem, z - h * e, groups, kind)[0]) / (2 * h)
                for e in np.eye(len(z))])
            difference_error = max(difference_error, np.abs(numeric - gradient).max())
            M = averaging(groups, problem["groupCount"])
            D = np.array([M[i] - M[j] for i in range(len(M)) for j in range(i + 1, len(M))])
            v, target = cp.Variable(len(z)), cp.Parameter(len(z))
            gap = cp.norm_inf(D @ v)
            if kind == "hard":
                model = cp.Problem(cp.Minimize(cp.sum_squares(v - target)), [D @ v <= problem["tolerance"], -D @ v <= problem["tolerance"]])
            else:
                gap = gap if kind == "max" else cp.norm1(D @ v)
                model = cp.Problem(cp.Minimize(cp.sum_squares(v - target) + problem["weight"] * gap))
            zt = torch.tensor(z, dtype=torch.float64, requires_grad=True)
            try:
                (y,) = CvxpyLayer(model, parameters=[target], variables=[v])(zt)
                (y @ torch.tensor(d)).backward()
                layer_error = max(layer_error, np.abs(zt.grad.numpy() - gradient).max())
            except Exception as problem_text:  # cvxpylayers may refuse a degenerate cone; say so and go on
                print("  cvxpylayers:", kind, p, str(problem_text)[:100])
        print(f"{kind}: {used} problems, cvxpylayers differs by {layer_error:.1e}, central differences by {difference_error:.1e}")


def metrics():
    """fairlearn's figures for one table; overall is over all rows, everything by group over rows of a known group."""
    import fairlearn
    import fairlearn.metrics as fm
    import sklearn
    import sklearn.metrics as sm

    n, K = 331, 5
    u = lambda i, c: hash64(7, i, c) / 2.0**64
    score = np.array([dyadic(7, i, 0) for i in range(n)])
    group = np.array([-1 if u(i, 1) < 0.07 else min(K - 1, int(u(i, 2) ** 1.7 * K)) for i in range(n)])
    label = np.array([int(u(i, 3) < 1 / (1 + np.exp(-score[i] - 0.3 * group[i]))) for i in range(n)])
    probability = 1 / (1 + np.exp(-score))
    decision = (probability >= 0.5).astype(int)
    on_decisions = dict(
        count=fm.count, accuracy=sm.accuracy_score, balanced_accuracy=sm.balanced_accuracy_score, selection_rate=fm.selection_rate,
        true_positive_rate=fm.true_positive_rate, false_positive_rate=fm.false_positive_rate,
        true_negative_rate=fm.true_negative_rate, false_negative_rate=fm.false_negative_rate)
    on_probabilities = dict(mean_prediction=fm.mean_prediction, bce=lambda y, q: sm.log_loss(y, q, labels=[0, 1]))
    known = group >= 0
    result = {}
    for table, prediction in ((on_decisions, decision), (on_probabilities, probability), (dict(mean_logit=fm.mean_prediction), score)):
        for name, function in table.items():
            frame = fm.MetricFrame(metrics=function, y_true=label[known], y_pred=prediction[known], sensitive_features=group[known])
            result[name] = dict(
                overall=float(function(label, prediction)), byGroup=[float(x) for x in frame.by_group],
                groupMin=float(frame.group_min()), groupMax=float(frame.group_max()),
                difference=float(frame.difference(method="between_groups")), ratio=float(frame.ratio(method="between_groups")))
    keywords = dict(y_true=label[known], y_pred=decision[known], sensitive_features=group[known])
    aggregates = {name: float(getattr(fm, name)(**keywords)) for name in (
        "demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference", "equal_opportunity_difference")}
    text = json.dumps(dict(
        source=f"fairlearn {fairlearn.__version__}, scikit-learn {sklearn.__version__}", groupCount=K,
        groups="".join("-" if g < 0 else chr(ord("a") + g) for g in group), labels="".join(map(str, label)),
        metrics=result, aggregates=aggregates), indent=1)
    (FOLDER / "fairness_metrics.json").write_text(text + "\n")
    print("metrics", len(text) // 1024, "KB,", fairlearn.__version__)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare gradients with cvxpylayers and differences; writes nothing")
    parser.add_argument("--criteria", action="store_true", help="only the problems of fairness_criteria.py")
    chosen = parser.parse_args()
    if chosen.check:
        if not chosen.criteria:
            check()
        fairness_criteria.check(hash64, dyadic)
    elif chosen.criteria:
        fairness_criteria.export(FOLDER, hash64, dyadic, rounded)
    else:
        fairness_criteria.export(FOLDER, hash64, dyadic, rounded)
        export("hard", 84, 1000)
        export("max", 70, 2000)
        export("sum", 70, 3000)
        metrics()
