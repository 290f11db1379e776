#!/usr/bin/env python3
"""Runs PyTorch's SimpleCNN beside `facefair bench` and prints the ratios.

The same network, batch and step on both sides: forward, binary cross-entropy, backward, clipping, AdamW; inference without gradients.
PyTorch runs eager with channels-last tensors, once as a user runs it ("default") and once with glibc told to keep its memory ("tuned":
MALLOC_MMAP_MAX_=0 and so on), which makes it faster. The three take turns; every figure is the median over the rounds, every ratio
the median of the rounds' own ratios, so that a slow phase of the machine hits both sides of a division.

Python and PyTorch are needed for this comparison only, never by facefair:
    python3 -m venv .venv-bench && .venv-bench/bin/pip install torch --index-url https://download.pytorch.org/whl/cpu
    swift build -c release --product facefair
    tools/bench_pytorch.py --short
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TUNED = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 46),
    "MALLOC_TOP_PAD_": str(256 << 20),
}
SHAPES = [(64, 128), (224, 32)]  # image size, batch size
SMALL_BATCHES = [1, 8]


# ---- the PyTorch side, in a process of its own


def pytorch_child(request):
    import time

    import torch
    from torch import nn

    torch.set_num_threads(request["threads"])
    torch.manual_seed(1)
    size, batch, repeats = request["size"], request["batch"], request["repeats"]

    widths = [3, 32, 64, 128, 256, 512]
    layers = []
    for block in range(5):
        layers += [nn.Conv2d(widths[block], widths[block + 1], 3, padding=1), nn.BatchNorm2d(widths[block + 1]), nn.ReLU()]
        if block < 4:
            layers.append(nn.MaxPool2d(2))
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 1)]
    model = nn.Sequential(*layers).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)
    loss_function = nn.BCEWithLogitsLoss()

    def images(count):
        return (4 * torch.rand(count, 3, size, size) - 2).to(memory_format=torch.channels_last)

    x, labels = images(batch), (torch.arange(batch) % 2).float()

    def train():
        optimizer.zero_grad()
        loss_function(model(x)[:, 0], labels).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 8)
        optimizer.step()

    def median(body, count, warm):
        for _ in range(warm):
            body()
        times = []
        for _ in range(count):
            start = time.perf_counter()
            body()
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    result = {"torch": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability()}
    model.eval()
    with torch.no_grad():
        result["infer"] = batch / median(lambda: model(x), repeats, 2)
        for count in SMALL_BATCHES:
            small = images(count)
            result[f"infer{count}"] = count / median(lambda: model(small), max(30, repeats), 5)
    model.train()
    result["train"] = batch / median(train, repeats, 2)
    print(json.dumps(result))


# ---- the driver


def run_pytorch(options, size, batch, threads, tuned):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
    environment["OMP_NUM_THREADS"] = str(threads)
    if tuned:
        environment.update(TUNED)
    if options.isa == "avx2":
        environment.update(ONEDNN_MAX_CPU_ISA="AVX2", ATEN_CPU_CAPABILITY="avx2", MKL_ENABLE_INSTRUCTIONS="AVX2")
    request = {"size": size, "batch": batch, "threads": threads, "repeats": options.repeats}
    return json.loads(call([options.python, __file__, "--pytorch", json.dumps(request)], environment))


def run_facefair(options, size, batch, threads):
    environment = {key: value for key, value in os.environ.items() if key not in ("OPENBLAS_CORETYPE", "FACEFAIR_ISA")}
    if options.isa == "avx2":  # the BLAS beneath is held to the same instructions
        environment.update(FACEFAIR_ISA="avx2", OPENBLAS_CORETYPE="Haswell")
    command = [
        options.facefair, "bench", "--img-size", size, "--batch-size", batch, "--threads", threads, "--repeats", options.repeats,
        "--infer-batch-sizes", ",".join(map(str, SMALL_BATCHES)), "--format", "json",
    ]
    answer = json.loads(call(command, environment))
    result = {"train": answer["train_images_per_second"], "infer": answer["infer_images_per_second"]}
    for latency in answer["latencies"]:
        result[f"infer{latency['batch_size']}"] = latency["images_per_second"]
    facts = ("isa", "blas_core", "gemm_gflops", "peak_memory_mb", "infer_peak_memory_mb")
    return result | {key: answer[key] for key in facts}


def call(command, environment):
    done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench_pytorch: {command[0]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def cases(size, batch):
    """Key, words, and the ratios that issue 3 asks for at two threads (to default, to tuned)."""
    large = size == 224
    yield "train", f"train, {size} px, batch {batch}", (5, 3.3)
    yield "infer", f"infer, {size} px, batch {batch}", (6, 3.2) if large else (5.5, 3.5)
    for count in SMALL_BATCHES:
        yield f"infer{count}", f"infer, {size} px, batch {count}", (None, 3)


def wanted(options, targets, threads):
    """(to default, to tuned); nil where nothing is asked."""
    if options.isa == "avx2":
        return (1.5, 1.5)
    return targets if threads == 2 else (None, 3)


def measure(options):
    rows, facts = [], {}
    for threads in options.threads:
        for size, batch in options.shapes:
            rounds = []
            for number in range(options.rounds):
                turn = {
                    "default": run_pytorch(options, size, batch, threads, False),
                    "facefair": run_facefair(options, size, batch, threads),
                    "tuned": run_pytorch(options, size, batch, threads, True),
                }
                rounds.append(turn)
                found = ", ".join(
                    f"{key} {turn['facefair'][key]:.4g} ({turn['facefair'][key] / turn['default'][key]:.2f} to default, "
                    f"{turn['facefair'][key] / turn['tuned'][key]:.2f} to tuned)" for key, _, _ in cases(size, batch))
                print(f"{size} px, {threads} threads, round {number + 1} of {options.rounds}: {found}", file=sys.stderr)
            facts.update(
                torch=turn["tuned"]["torch"], torch_capability=turn["tuned"]["capability"], isa=turn["facefair"]["isa"],
                blas_core=turn["facefair"]["blas_core"])
            for key, words, targets in cases(size, batch):
                speeds = {side: [turn[side][key] for turn in rounds] for side in ("default", "tuned", "facefair")}
                row = {"case": key, "words": words, "image_size": size, "threads": threads, "images_per_second": speeds}
                row["batch_size"] = int(key[5:]) if key[5:] else batch
                for side in ("default", "tuned"):
                    row[f"ratio_{side}"] = statistics.median(
                        ours / theirs for ours, theirs in zip(speeds["facefair"], speeds[side]))
                row["wanted_default"], row["wanted_tuned"] = wanted(options, targets, threads)
                rows.append(row)
    return rows, facts


def machine():
    name = platform.processor()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return {"processor": name, "cores": os.cpu_count(), "load_before": round(os.getloadavg()[0], 2), "system": platform.platform()}


def markdown(document):
    facts, options = document["facts"], document["options"]
    print(
        f"{facts['processor']}, {facts['cores']} cores, load {facts['load_before']} before the start. "
        f"PyTorch {facts['torch']} ({facts['torch_capability']}), eager, channels-last. facefair: {facts['isa']}, "
        f"OpenBLAS {facts['blas_core']}; {facts['environment']}. {options['rounds']} rounds of {options['repeats']} steps, "
        "images/s, median (range); ratios are medians of the rounds' ratios, in brackets what is asked for.\n")
    print("| case | threads | PyTorch default | PyTorch tuned | facefair | to default | to tuned |")
    print("|---|---|---|---|---|---|---|")
    for row in document["rows"]:
        cells = [row["words"], str(row["threads"])]
        for side in ("default", "tuned", "facefair"):
            speeds = row["images_per_second"][side]
            digits = 0 if statistics.median(speeds) >= 100 else 1
            cells.append(f"{statistics.median(speeds):.{digits}f} ({min(speeds):.{digits}f}-{max(speeds):.{digits}f})")
        for side in ("default", "tuned"):
            asked = row[f"wanted_{side}"]
            cells.append(f"**{row[f'ratio_{side}']:.2f}**" + (f" ({asked})" if asked else ""))
        print("| " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facefair", type=Path, default=ROOT / ".build/release/facefair", help="the tool (a release build)")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv-bench/bin/python", help="a Python with torch")
    parser.add_argument("--short", action="store_true", help="2 rounds, 64 px, 2 threads: a first look")
    parser.add_argument("--rounds", type=int, help="turns of the three (5)")
    parser.add_argument("--repeats", type=int, default=5, help="steps whose median is one figure of a round (5)")
    parser.add_argument("--threads", type=lambda text: [int(part) for part in text.split(",")], help="thread counts (2,1)")
    parser.add_argument("--sizes", type=lambda text: [int(part) for part in text.split(",")], help="image sizes (64,224)")
    parser.add_argument("--isa", choices=["best", "avx2"], default="best", help="avx2 holds both sides to AVX2 and FMA")
    parser.add_argument("--format", choices=["human", "json"], default="human")
    parser.add_argument("--pytorch", metavar="REQUEST", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pytorch:
        return pytorch_child(json.loads(options.pytorch))
    for path, cure in [(options.facefair, "swift build -c release --product facefair"), (options.python, "see --help for the venv")]:
        if not path.exists():
            sys.exit(f"bench_pytorch: {path} does not exist; {cure}")
    options.rounds = options.rounds or (2 if options.short else 5)
    options.threads = options.threads or ([2] if options.short else [2, 1])
    sizes = options.sizes or ([64] if options.short else [64, 224])
    options.shapes = [shape for shape in SHAPES if shape[0] in sizes]

    core = os.environ.get("OPENBLAS_CORETYPE")
    facts = machine()
    if options.isa == "avx2":
        facts["environment"] = "FACEFAIR_ISA=avx2, OPENBLAS_CORETYPE=Haswell; PyTorch held to AVX2 as well"
    else:
        facts["environment"] = f"OPENBLAS_CORETYPE={core} of this shell unset for it" if core else "OPENBLAS_CORETYPE not set"
    rows, found = measure(options)
    document = {"facts": facts | found, "options": {"rounds": options.rounds, "repeats": options.repeats, "isa": options.isa}, "rows": rows}
    if options.format == "json":
        print(json.dumps(document, indent=2))
    else:
        markdown(document)


if __name__ == "__main__":
    main()
