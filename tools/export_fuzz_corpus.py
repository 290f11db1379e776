#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets to fuzz/corpus: small inputs of every kind that a reader knows, good and bad. No packages
needed. The seeds of jpeg and png are Tests/Fixtures/images, made by tools/export_image_fixtures.py."""
import json
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "fuzz" / "corpus"
NAMES = ["Male", "Young", "Smiling", "Attractive"]


def tiff(orientation, order="<", kind=3, count=1, directory=8, before=()):
    """A TIFF header and one directory; `before` are tags that stand ahead of the orientation."""
    value = struct.pack(order + "HH", orientation, 0) if kind == 3 else struct.pack(order + "I", orientation)
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, 7) for tag in before)
    entries += struct.pack(order + "HHI", 0x0112, kind, count) + value
    mark = b"II" if order == "<" else b"MM"
    return (mark + struct.pack(order + "HI", 42, directory) + b"\0" * (directory - 8)
            + struct.pack(order + "H", len(before) + 1) + entries + b"\0\0\0\0")


def celeba():
    rows = [(f"{i:06d}.jpg", [1 if (i >> b) % 2 else -1 for b in range(4)]) for i in range(1, 7)]
    text = f"{len(rows)}\n{' '.join(NAMES)}\n" + "".join(f"{n}  {'  '.join(f'{v:2d}' for v in values)}\n" for n, values in rows)
    partition = "".join(f"{n} {i % 3}\n" for i, (n, _) in enumerate(rows))
    csv = "image_id," + ",".join(NAMES) + "\n" + "".join(f"{n},{','.join(map(str, values))}\n" for n, values in rows)
    csv_partition = "image_id,partition\n" + "".join(f"{n},{i % 3}\n" for i, (n, _) in enumerate(rows))
    return {
        "text": f"{text}\0{partition}", "crlf": f"{text}\0{partition}".replace("\n", "\r\n"), "kaggle.csv": f"{csv}\0{csv_partition}",
        "count-too-large": f"{text}\0{partition}".replace("6\n", "999999999999\n", 1), "value-0": f"{text}\0{partition}".replace(" -1", "  0", 1),
        "short-row": text.rsplit("  ", 1)[0] + f"\n\0{partition}", "other-order": f"{text}\0{chr(10).join(reversed(partition.split(chr(10))))}",
    }


def fairface():
    head = "file,age,gender,race,service_test\n"
    good = head + "train/1.jpg,50-59,Male,East Asian,True\ntrain/2.jpg,more than 70,Female,Latino_Hispanic,False\n"
    val = head + "val/1.jpg,3-9,Female,White,False\n"
    return {
        "good": f"{good}\0{val}", "damaged": f"{good}\0{val}".replace("3-9", "9-Mar"), "bare-race": f"{good}\0{val}".replace("White", "3"),
        "quoted": f"{good}\0{val}".replace("East Asian", '"East Asian"'), "open-quote": f"{good}\0{val}".replace("East", '"East'),
        "mark": "\ufeff" + f"{good}\0{val}", "missing-column": f"{good}\0{val}".replace(",race", "", 1),
    }


def folder():
    lines = [{"file_name": f"a/{i}.jpg", "smile": i % 2, "sex": "fm"[i % 2], "split": ["train", "valid", "test"][i % 3]} for i in range(6)]
    csv = "file_name,smile,sex,split\n" + "".join(f"{r['file_name']},{r['smile']},{r['sex']},{r['split']}\n" for r in lines)
    return {
        "good.csv": csv, "good.jsonl": "".join(json.dumps(r) + "\n" for r in lines), "empty-cells.csv": csv.replace(",f,", ",,"),
        "quotes.csv": csv.replace("a/1.jpg", '"a/""1"".jpg"'), "nested.jsonl": '{"file_name":"x.jpg","smile":{"a":[1]},"sex":null}\n',
        "up.csv": csv.replace("a/1", "../1"), "bool.jsonl": '{"file_name":"x.jpg","smile":true,"sex":"f"}\n',
    }


def container(header, data=b""):
    text = header.encode() if isinstance(header, str) else json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def safetensors():
    two = {"__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
           "b": {"dtype": "U8", "shape": [3], "data_offsets": [16, 19]}}
    pack = {"version": 1, "layout": "celeba", "synthetic": True, "rows": 1, "source_sha256": "0" * 64, "images_sha256": "0" * 64,
            "columns": [{"name": "Smiling", "classes": ["0", "1"], "positive": [1], "positive_name": "Smiling"}],
            "preprocessing": {"image_size": 2, "resample": "bilinear", "antialias": True, "exif_transpose": True, "alpha": "white",
                              "lenient": False, "fast_decode": False, "max_image_bytes": 1, "max_image_pixels": 1,
                              "max_image_side": 1, "max_image_scans": 1}}
    shapes = [("file_id", "I32", [1], 4), ("labels", "I8", [1, 1], 1), ("split", "U8", [1], 1), ("names", "U8", [6], 6),
              ("images", "U8", [1, 2, 2, 3], 12), ("refused", "U8", [0], 0)]
    packed, at = {"__metadata__": {"format": "pt", "facefair_pack": json.dumps(pack)}}, 0
    for name, kind, shape, size in shapes:
        packed[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    return {
        "empty": container({}), "two": container(two, bytes(19)), "hole": container({"a": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}}, b"ab"),
        "overflow": container('{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}'),
        "duplicate": container('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
        "escapes": container('{"\\u00e9\\ud83d\\ude00":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}', b"ab"),
        "long": struct.pack("<Q", 1 << 62) + b"{}", "pickle": b"\x80\x02}q\x00.", "packed": container(packed, struct.pack("<i", 0) + b"\1\0" + b"1.jpg\0" + bytes(12)),
    }


def records():
    lines = [
        {"id": "a17", "image": "img/1.jpg", "group": {"Male": 0, "race": "Black"}, "label": 1, "ts": "2026-11-20T12:00:00Z"},
        {"id": 3, "image_b64": "/9j/4AAQ", "group": "Male=1,race=East Asian"}, {"logit": -1.25e-3, "topic": "t", "offset": 12, "group": None},
        {"id": [], "logit": 1}, {"logit": 1, "image": "x"}, {"logit": 1, "label": 2}, {"logit": 1, "group": "Male=7"}, {"tensor": [1, 2]},
    ]
    return {"each": "".join(json.dumps(line) + "\n" for line in lines), "deep": "[" * 40 + "]" * 40, "duplicate": '{"logit":1,"logit":2}',
            "number": '{"logit":1e999}', "escapes": '{"id":"\\u00e9\\ud83d\\ude00\\n\\"","logit":0}', "surrogate": '{"id":"\\ud83d","logit":0}',
            "crlf": '{"logit":0}\r\n\r\n{"logit":1}\r\n', "root": '{"image":"../../etc/passwd"}', "base64": '{"image_b64":"====","id":"x"}'}


def exif():
    return {"little": tiff(6), "big": tiff(8, ">"), "long": tiff(3, kind=4), "nine": tiff(9), "far": tiff(5, directory=40), "count": tiff(2, count=2),
            "later": tiff(7, before=(0x010E, 0x0110)), "outside": tiff(6)[:4] + b"\xf0\xff\xff\x7f" + tiff(6)[8:], "cut": tiff(6)[:15]}


def main():
    for make in (exif, celeba, fairface, folder, safetensors, records):
        target = CORPUS / make.__name__
        target.mkdir(parents=True, exist_ok=True)
        for old in target.iterdir():
            old.unlink()
        seeds = make()
        for name, content in seeds.items():
            (target / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        print(f"{make.__name__}: {len(seeds)} seeds, {sum(p.stat().st_size for p in target.iterdir())} bytes")


if __name__ == "__main__":
    main()
