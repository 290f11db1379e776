#!/usr/bin/env python3
"""Decoding beside torchvision and Pillow: same files, same run, one thread each, medians of passes that take turns.

    tools/bench_decode.py [FOLDER] [--passes 7] [--tool .build/release/facefair]

Each way goes from a file's name to normalised floats: facefair; torchvision.io.decode_jpeg + v2.Resize(antialias) + Normalize; and the
paper's pipeline, Pillow + torchvision transforms. Without FOLDER, `facefair data synthesize` draws faces that Pillow re-saves at
224 x 224. Needs torch, torchvision and Pillow; facefair itself needs none of them.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy
import PIL
import torch
import torchvision
from PIL import Image
from torchvision import io, transforms
from torchvision.transforms import v2

ROOT = pathlib.Path(__file__).resolve().parent.parent
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def synthetic(tool, folder, count):
    subprocess.run([tool, "data", "synthesize", f"{folder}/faces", "--layout", "celeba", "--count", str(count), "--quiet"],
                   check=True, stdout=subprocess.DEVNULL)
    files = []
    for path in sorted(pathlib.Path(folder, "faces/img_align_celeba").glob("*.jpg")):
        files.append(f"{folder}/{path.name}")
        Image.open(path).resize((224, 224)).save(files[-1], quality=90)
    return files


def with_torchvision(size):
    after = v2.Compose([v2.Resize((size, size), antialias=True), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    return lambda path: after(io.decode_jpeg(io.read_file(path), mode=io.ImageReadMode.RGB))


def with_pillow(size):
    after = transforms.Compose([transforms.Resize((size, size)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    return lambda path: after(Image.open(path).convert("RGB"))


def rate(way, files):
    start = time.perf_counter()
    for path in files:
        way(path)
    return len(files) / (time.perf_counter() - start)


def own_rate(tool, files, size, *more):
    command = [tool, "data", "decode", *files, "--img-size", str(size), "--benchmark", "1", "--format", "json", *more]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["images_per_second"]


def fast_decode(tool, files, folder, size, passes):
    """What --fast-decode gains and what it changes, in levels of 0...255."""
    gains = [own_rate(tool, files, size, "--fast-decode") / own_rate(tool, files, size) for _ in range(passes)]
    seen = {}
    for kind, more in (("full", []), ("fast", ["--fast-decode"])):
        subprocess.run([tool, "data", "decode", *files, "--img-size", str(size), "--output", f"{folder}/{kind}", "--quiet", *more],
                       check=True, stdout=subprocess.DEVNULL)
        seen[kind] = [numpy.asarray(Image.open(p)).astype(int) for p in sorted(pathlib.Path(folder, kind).iterdir())]
    apart = [numpy.abs(a - b) for a, b in zip(seen["full"], seen["fast"])]
    return statistics.median(gains), float(numpy.mean([a.mean() for a in apart])), max(int(a.max()) for a in apart)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="?", help="folder of JPEG files, searched below")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--passes", type=int, default=7)
    parser.add_argument("--tool", default=str(ROOT / ".build/release/facefair"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        if options.files:
            files = [str(p) for p in sorted(pathlib.Path(options.files).rglob("*.jpg"))][:options.count]
        else:
            files = synthetic(options.tool, folder, options.count)
        sizes = {Image.open(p).size for p in files}
        print(f"{len(files)} JPEG files, {', '.join(f'{w}x{h}' for w, h in sorted(sizes)[:3])}{' ...' if len(sizes) > 3 else ''}; one thread, medians of "
              f"{options.passes} passes; torch {torch.__version__}, torchvision {torchvision.__version__}, Pillow {PIL.__version__}, "
              f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
        print("| to | facefair images/s | torchvision | ratio | Pillow + transforms | ratio |\n|---|---|---|---|---|---|")
        for size in (64, 224):
            ways = {"torchvision": with_torchvision(size), "Pillow": with_pillow(size)}
            rates = {name: [] for name in ("facefair", *ways)}
            ratios = {name: [] for name in ways}
            for way in ways.values():
                rate(way, files[:50])
            for _ in range(options.passes):
                own = own_rate(options.tool, files, size)
                rates["facefair"].append(own)
                for name, way in ways.items():
                    rates[name].append(rate(way, files))
                    ratios[name].append(own / rates[name][-1])   # neighbours in time, so that a busy moment counts for both
            median = {name: statistics.median(values) for name, values in rates.items()}
            print(f"| {size} | {median['facefair']:.0f} | {median['torchvision']:.0f} | {statistics.median(ratios['torchvision']):.2f} "
                  f"| {median['Pillow']:.0f} | {statistics.median(ratios['Pillow']):.2f} |")
        gain, mean, most = fast_decode(options.tool, files, folder, 64, options.passes)
        print(f"\n--fast-decode to 64: {gain:.2f} times as fast; pixels differ by {mean:.2f} levels on average, by {most} at most")


if __name__ == "__main__":
    main()
