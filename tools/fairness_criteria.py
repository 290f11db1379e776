"""The other criteria's problems for export_fairness_fixtures.py: each posed on all n scores as affine rows A v <= b, straight from its
definition, solved by cvxpy. Gradients as there: the orthogonal projection onto the null space of the strictly active rows.
"""

import json

import cvxpy as cp
import numpy as np

CRITERIA = ("conditional-parity", "equalized-odds", "equal-opportunity", "equalized-residuals", "marginal-parity", "custom", "columns")
BOXED = ("demographic-parity", "conditional-parity", "equalized-odds", "equal-opportunity", "equalized-residuals")
MARGIN = 2e-5


def indicator_mean(mask):
    return mask / mask.sum()


def parity_rows(masks, epsilon):
    """All ordered pairs of means over the non-empty masks within epsilon."""
    means = [indicator_mean(m) for m in masks if m.any()]
    return [(a - b, epsilon) for i, a in enumerate(means) for j, b in enumerate(means) if i != j]


def rows_of(problem, groups, labels, strata):
    kind, epsilon, K = problem["criterion"], problem["tolerance"], problem["groupCount"]
    by_group = [groups == k for k in range(K)]
    rows = []
    if kind in ("demographic-parity", "columns"):
        rows = parity_rows(by_group, epsilon)
    elif kind == "conditional-parity":
        for s in range(strata.max() + 1):
            rows += parity_rows([m & (strata == s) for m in by_group], epsilon)
    elif kind in ("equalized-odds", "equal-opportunity"):
        for y in ((0, 1) if kind == "equalized-odds" else (1,)):
            rows += parity_rows([m & (labels == y) for m in by_group], epsilon)
    elif kind == "equalized-residuals":
        for m in by_group:
            m = m & ~np.isnan(labels)
            if m.any():
                mean, target = indicator_mean(m), labels[m].mean()
                rows += [(mean, target + epsilon), (-mean, epsilon - target)]
    elif kind == "marginal-parity":
        stride = K
        for size in problem["features"]:
            stride //= size
            rows += parity_rows([(groups >= 0) & (groups // stride % size == v) for v in range(size)], epsilon)
    elif kind == "custom":
        for row in problem["rows"]:
            if all(by_group[k].any() for k, _ in row["means"]):
                a = np.zeros(len(groups))
                for k, c in row["means"]:
                    a += c * indicator_mean(by_group[k])
                for i, c in row["scores"]:
                    a[i] += c
                rows.append((a, row["limit"]))
    if "box" in problem:
        for i, e in enumerate(np.eye(len(groups))):
            rows += [(e, problem["box"][1]), (-e, -problem["box"][0])]
    return np.array([a for a, _ in rows]).reshape(len(rows), len(groups)), np.array([b for _, b in rows])


def make(p, kind, box, hash64, dyadic):
    draw = lambda column: hash64(p, 10**6, column) / 2.0**64
    features = [2 + int(draw(20) * 3), 2 + int(draw(21) * 2)]
    K = features[0] * features[1] if kind == "marginal-parity" else 2 + int(draw(0) * 6)
    n = 6 + int(34 * draw(1))
    unknown = 0.15 if p % 3 == 1 else 0.0
    u = lambda i, column: hash64(p, i, column) / 2.0**64
    groups = np.array([-1 if u(i, 2) < unknown else int(u(i, 3) ** 1.4 * K) for i in range(n)])
    labels = np.array([np.nan if u(i, 4) < unknown else float(u(i, 5) < 0.4) for i in range(n)])
    strata = np.array([-1 if u(i, 6) < unknown else int(u(i, 7) * 3) for i in range(n)])
    offset = [dyadic(p, 10**6 + 1 + k, 1) for k in range(K)]
    z = np.array([dyadic(p, i, 0) + (offset[g] if g >= 0 else 0) for i, g in enumerate(groups)])
    letters = lambda values: "".join("-" if v < 0 else chr(ord("a") + v) for v in values)
    problem = dict(
        id=p, criterion=kind, groupCount=K, groups=letters(groups), labels=letters([-1 if np.isnan(y) else int(y) for y in labels]),
        strata=letters(strata), tolerance=0.0 if p % 7 == 0 and not box else round(draw(22) ** 2 + 0.01, 6))
    if kind == "marginal-parity":
        problem["features"] = features
    if box:
        problem["box"] = [round(-0.3 - draw(23), 6), round(0.4 + draw(24), 6)]
        if kind == "equalized-residuals":
            problem["box"] = [round(0.3 * draw(23), 6), round(1 - 0.3 * draw(24), 6)]
            problem["tolerance"] = round(0.3 + 0.2 * draw(22), 6)
    if kind == "custom":
        rows = []
        present = sorted(set(groups[groups >= 0]))
        point = np.array([dyadic(p, i, 9) for i in range(n)])  # feasible by construction
        for r in range(1 + int(draw(25) * 7)):
            chosen = sorted({int(present[int(u(r, 30 + t) * len(present))]) for t in range(1 + int(u(r, 29) * 3))})
            single = sorted({int(u(r, 40 + t) * n) for t in range(int(u(r, 39) * 3))})
            row = dict(means=[[k, dyadic(p, r, 50 + k)] for k in chosen], scores=[[i, dyadic(p, r, 100 + i)] for i in single])
            value = sum(c * point[groups == k].mean() for k, c in row["means"]) + sum(c * point[i] for i, c in row["scores"])
            row["limit"] = round(value + 0.3 * u(r, 60) ** 2, 6) + 1e-6
            rows.append(row)
        problem["rows"] = rows
    if kind == "columns":
        problem["columns"] = 2 + p % 2
    return problem, z, groups, labels, strata


def solve(A, b, z):
    """(solution, basis of the directions in which it moves, or None near a change of the active set)"""
    v = cp.Variable(len(z))
    rows = [A @ v <= b] if len(b) else []
    model = cp.Problem(cp.Minimize(cp.sum_squares(v - z)), rows)
    for tolerance in (1e-12, 1e-11, 1e-10, 1e-9):
        model.solve(solver=cp.CLARABEL, tol_gap_abs=tolerance, tol_gap_rel=tolerance, tol_feas=tolerance, max_iter=500)
        if model.status == cp.OPTIMAL:
            break
    else:
        raise SystemExit(f"not solved: {model.status}")
    x = v.value
    if not len(b):
        return x, np.eye(len(z))
    length = np.linalg.norm(A, axis=1)
    dual, slack = rows[0].dual_value * length, (b - A @ x) / length
    strict = dual > MARGIN
    clear = strict | (slack > MARGIN)
    active = A[strict]
    if not clear.all():
        # A tight row without a multiplier is no change if it lies in the span of the strict ones (eps = 0, redundant pairs).
        if not len(active):
            return x, None
        rest = A[~clear].T
        fit = active.T @ np.linalg.lstsq(active.T, rest, rcond=None)[0]
        if np.abs(rest - fit).max() > 1e-9 or dual[strict].min() < 10 * MARGIN:
            return x, None
    if not len(active):
        return x, np.eye(len(z))
    _, s, vt = np.linalg.svd(active, full_matrices=True)
    return x, vt[int((s > 1e-9 * s[0]).sum()):].T


def column_scores(p, n, c, z, dyadic):
    return z if c == 0 else np.array([dyadic(p, i, 200 + c) for i in range(n)]) + (0.5 * z if c == 1 else 0)


def export(folder, hash64, dyadic, rounded):
    for kinds, box, first in ((CRITERIA, False, 5000), (BOXED, True, 7000)):
        for number, kind in enumerate(kinds):
            problems, gradients = [], 0
            for p in range(first + 100 * number, first + 100 * number + 30):
                problem, z, groups, labels, strata = make(p, kind, box, hash64, dyadic)
                A, b = rows_of(problem, groups, labels, strata)
                solution, gradient = [], []
                for c in range(problem.get("columns", 1)):
                    x, basis = solve(A, b, column_scores(p, len(z), c, z, dyadic))
                    d = np.array([dyadic(p, i, 1 + 300 * c) for i in range(len(z))])
                    solution.append(rounded(x))
                    gradient.append(None if basis is None else rounded(basis @ (basis.T @ d)))
                problem["solution"] = sum(solution, [])
                if all(g is not None for g in gradient):
                    problem["gradient"] = sum(gradient, [])
                    gradients += 1
                problems.append(problem)
            name = f"fairness_{'box_' if box else ''}{kind}.json"
            text = json.dumps(dict(solver=f"cvxpy {cp.__version__} CLARABEL", problems=problems), separators=(",", ":"))
            (folder / name).write_text(text.replace('{"id"', '\n{"id"') + "\n")
            print(name, len(problems), "problems,", gradients, "with gradients,", len(text) // 1024, "KB")


def check(hash64, dyadic):
    """The same problems through cvxpylayers, and central differences of cvxpy's solutions."""
    import torch
    from cvxpylayers.torch import CvxpyLayer

    for kinds, box, first in ((CRITERIA[:-1], False, 5000), (BOXED, True, 7000)):
        for number, kind in enumerate(kinds):
            layer_error = forward_error = difference_error = 0.0
            used = 0
            for p in range(first + 100 * number, first + 100 * number + 30):
                problem, z, groups, labels, strata = make(p, kind, box, hash64, dyadic)
                if len(z) > 24 or used == 5:
                    continue
                A, b = rows_of(problem, groups, labels, strata)
                x, basis = solve(A, b, z)
                if basis is None or basis.shape[1] == len(z):
                    continue
                used += 1
                d = np.array([dyadic(p, i, 1) for i in range(len(z))])
                gradient, h = basis @ (basis.T @ d), 1e-4
                numeric = np.array([d @ (solve(A, b, z + h * e)[0] - solve(A, b, z - h * e)[0]) / (2 * h) for e in np.eye(len(z))])
                difference_error = max(difference_error, np.abs(numeric - gradient).max())
                v, target = cp.Variable(len(z)), cp.Parameter(len(z))
                zt = torch.tensor(z, dtype=torch.float64, requires_grad=True)
                try:
                    layer = CvxpyLayer(cp.Problem(cp.Minimize(cp.sum_squares(v - target)), [A @ v <= b]), parameters=[target], variables=[v])
                    (y,) = layer(zt, solver_args=dict(eps=1e-10, max_iters=200_000))
                    (y @ torch.tensor(d)).backward()
                    forward_error = max(forward_error, np.abs(y.detach().numpy() - x).max())
                    layer_error = max(layer_error, np.abs(zt.grad.numpy() - gradient).max())
                except Exception as problem_text:
                    print("  cvxpylayers:", kind, p, str(problem_text)[:100])
            print(f"{'box ' if box else ''}{kind}: {used} problems, cvxpylayers differs by {forward_error:.1e} forward and "
                  f"{layer_error:.1e} in gradients, central differences by {difference_error:.1e}")
