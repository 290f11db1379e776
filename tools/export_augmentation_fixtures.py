#!/usr/bin/env python3
"""Colour changes of a small image by torchvision -> Tests/Fixtures/color_jitter.json.

Run by hand: tools/export_augmentation_fixtures.py (needs torch and torchvision).
"""
import json
import pathlib

import torch
import torchvision.transforms.functional as F

OUT = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "color_jitter.json"
SEED = 3


def main():
    image = torch.rand(3, 2, 2, generator=torch.Generator().manual_seed(SEED))
    changes = {"brightness": F.adjust_brightness, "contrast": F.adjust_contrast, "saturation": F.adjust_saturation}
    flat = lambda x: [float(v) for v in x.permute(1, 2, 0).flatten()]
    cases = [
        {"name": name, "factor": factor, "pixels": flat(image), "expected": flat(change(image, factor))}
        for name, change in changes.items() for factor in (0.8, 1.0, 1.2, 1.9)
    ]
    OUT.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
