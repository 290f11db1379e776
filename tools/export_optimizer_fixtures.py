#!/usr/bin/env python3
"""Traces of torch's optimizers and of gradient clipping on twelve numbers, and of its learning-rate schedules -> Tests/Fixtures/nn_optimizers.json.

Two parameters, "a" (7 values, learning rate .01) and "b" (5 values, .1); four steps with given gradients, float32.
Run by hand: tools/export_optimizer_fixtures.py (needs torch and numpy).
"""
import json
import pathlib

import numpy as np
import torch

OUT = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "nn_optimizers.json"
SEED = 20

CASES = {
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.01}),
    "adamw without decay": (torch.optim.AdamW, {"weight_decay": 0.0}),
    "adam": (torch.optim.Adam, {"weight_decay": 0.05}),
    "sgd": (torch.optim.SGD, {}),
    "sgd with momentum": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.05}),
    "sgd with nesterov": (torch.optim.SGD, {"momentum": 0.8, "weight_decay": 0.05, "nesterov": True}),
}


SCHEDULES = {
    "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=8, eta_min=1e-3),
    "step": lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=3, gamma=0.5),
}


def rates(make):
    """The rate of each of eight epochs from a base of .1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule, trace = make(optimizer), []
    for _ in range(8):
        trace.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return trace


def numbers(tensor):
    return [float(f"{v:.9g}") for v in tensor.detach().tolist()]


def main():
    random = np.random.default_rng(SEED)
    start = random.normal(size=12).astype(np.float32)
    # Scales from 1e-4 to 10, as real gradients have them.
    gradients = (random.normal(size=(4, 12)) * 10.0 ** random.uniform(-4, 1, size=(4, 12))).astype(np.float32)
    traces = {}
    for name, (kind, options) in CASES.items():
        a, b = (torch.nn.Parameter(torch.tensor(part)) for part in (start[:7], start[7:]))
        optimizer = kind([{"params": [a], "lr": 0.01}, {"params": [b], "lr": 0.1}], lr=0.1, **options)
        steps = []
        for gradient in gradients:
            a.grad, b.grad = torch.tensor(gradient[:7]), torch.tensor(gradient[7:])
            optimizer.step()
            steps.append(numbers(torch.cat([a, b])))
        traces[name] = steps
    clips = []
    for limit in (1e-3, 1.0, 8.0, 1e6):
        a, b = (torch.nn.Parameter(torch.tensor(part)) for part in (start[:7], start[7:]))
        a.grad, b.grad = torch.tensor(gradients[0][:7]), torch.tensor(gradients[0][7:])
        norm = torch.nn.utils.clip_grad_norm_([a, b], limit)
        clips.append({"limit": limit, "norm": norm.item(), "gradients": numbers(torch.cat([a.grad, b.grad]))})
    fixture = {
        "torch": torch.__version__, "seed": SEED, "start": [float(v) for v in start],
        "gradients": [[float(v) for v in g] for g in gradients], "traces": traces, "clips": clips,
        "schedules": {name: rates(make) for name, make in SCHEDULES.items()},
    }
    OUT.write_text(json.dumps(fixture, indent=1) + "\n")


if __name__ == "__main__":
    main()
