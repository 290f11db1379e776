#!/usr/bin/env python3
"""Runs the fairness layer of `facefair bench fairness` beside cvxpylayers on the same problem, and prints the ratios.

Both get the same scores in 14 groups (from `facefair bench fairness --scores`), epsilon 1e-4, all 91 pairs of groups. The other side
does what the paper's code does for each batch: pose the problem, solve it, differentiate it: CvxpyLayer's construction, forward and
backward; once with the solver settings of that code (SCS to 1e-8, at most 10,000 iterations, no acceleration), once with cvxpylayers'
defaults, which leave errors about as large as epsilon. Its solution is compared with `facefair project` first; a difference above 1e-3
ends the run. The two take turns; every ratio is the median of the rounds' own ratios, so that a slow phase of the machine hits both
sides of a division.

Python is needed for this comparison only, never by facefair:
    python3 -m venv .venv-bench && .venv-bench/bin/pip install torch cvxpy cvxpylayers
    swift build -c release --product facefair
    .venv-bench/bin/python tools/bench_fairness.py
"""
import argparse
import csv
import io
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import cvxpy as cp
import numpy as np
import torch
from cvxpylayers.torch import CvxpyLayer

ROOT = Path(__file__).resolve().parent.parent
EPSILON = 1e-4
SOLVERS = {"the paper's solver settings": dict(eps=1e-8, max_iters=10_000, acceleration_lookback=0), "default solver settings": {}}


def run(tool, arguments, text=None):
    return subprocess.run([tool, *arguments], input=text, capture_output=True, text=True, check=True).stdout


def cvxpylayers_step(z, differences, solver):
    """One batch: pose, solve, differentiate. Returns solution and seconds."""
    start = time.perf_counter()
    v, target = cp.Variable(len(z)), cp.Parameter(len(z))
    bounds = [differences @ v <= EPSILON, -differences @ v <= EPSILON]
    layer = CvxpyLayer(cp.Problem(cp.Minimize(cp.sum_squares(v - target)), bounds), parameters=[target], variables=[v])
    scores = torch.tensor(z, requires_grad=True)
    (fair,) = layer(scores, solver_args=solver)
    fair.backward(0.5 * scores.detach())
    return fair.detach().numpy(), time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facefair", default=str(ROOT / ".build/release/facefair"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one object instead of lines")
    arguments = parser.parse_args()

    problems = {}
    for rows in (128, 1024):
        table = run(arguments.facefair, ["bench", "fairness", "--scores", str(rows)])
        lines = list(csv.DictReader(io.StringIO(table)))
        z = np.array([float(line["logit"]) for line in lines])
        groups = np.array([int(line["group"]) for line in lines])
        means = np.array([(groups == k) / (groups == k).sum() for k in range(groups.max() + 1)])
        differences = np.array([means[i] - means[j] for i in range(len(means)) for j in range(i + 1, len(means))])
        ours = run(arguments.facefair, ["project", "--quiet", "--epsilon", str(EPSILON)], table)
        expected = np.array([float(line["logit"]) for line in csv.DictReader(io.StringIO(ours))])
        for name, solver in SOLVERS.items():
            solution, _ = cvxpylayers_step(z, differences, solver)  # the first call also loads what later ones find loaded
            worst = np.abs(solution - expected).max()
            if worst > 1e-3:
                raise SystemExit(f"{rows} rows, {name}: solutions differ by {worst}")
            problems[rows, name] = dict(z=z, differences=differences, worst=worst, theirs=[], ours=[])
    online = {}
    for _ in range(arguments.rounds):
        result = json.loads(run(arguments.facefair, ["bench", "fairness", "--format", "json"]))
        for layer in result["layers"]:
            for name, solver in SOLVERS.items():
                problem = problems[layer["rows"], name]
                problem["ours"].append(layer["microseconds"] / 1e6)
                problem["theirs"].append(cvxpylayers_step(problem["z"], problem["differences"], solver)[1])
        for step in result["online"]:
            online.setdefault(step["algorithm"], []).append(step["microseconds"])

    summary = dict(cores=os.cpu_count(), rounds=arguments.rounds, layers=[], online=[])
    for (rows, solver), problem in problems.items():
        ratios = [a / b for a, b in zip(problem["theirs"], problem["ours"])]
        summary["layers"].append(dict(
            rows=rows, groups=14, solver=solver, facefair_microseconds=1e6 * statistics.median(problem["ours"]),
            cvxpylayers_milliseconds=1e3 * statistics.median(problem["theirs"]), ratio=statistics.median(ratios),
            largest_difference=float(problem["worst"])))
    for name, times in online.items():
        summary["online"].append(dict(algorithm=name, batch=14, groups=14, microseconds=statistics.median(times)))
    if arguments.json:
        print(json.dumps(summary, indent=1))
        return
    for layer in summary["layers"]:
        print(f"layer, {layer['rows']} rows, 14 groups: facefair {layer['facefair_microseconds']:.2f} us, cvxpylayers "
              f"{layer['cvxpylayers_milliseconds']:.1f} ms, with {layer['solver']}, ratio {layer['ratio']:,.0f}; solutions differ by {layer['largest_difference']:.1e}")
    for step in summary["online"]:
        print(f"{step['algorithm']}, batch of 14, 14 groups: {step['microseconds']:.2f} us")


if __name__ == "__main__":
    main()
