#!/usr/bin/env python3
"""Writes the image fixtures of Tests/Fixtures (images/, images.json, images.bin, resize.json, resize.bin).

Small drawn images in every kind that the decoder defines, with the pixels that Pillow makes of them, and Pillow's resizes of a
pattern that the tests draw themselves. Needs Pillow, numpy, and cc with libjpeg's headers for the arithmetic-coded file, which
Pillow reads but does not write: tools/export_image_fixtures.py
"""
import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures"
WIDTH, HEIGHT = 23, 17


def drawing(channels=3, seed=7):
    """A gradient with two discs and a little noise: smooth parts, edges and no symmetry."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    planes = []
    random = np.random.default_rng(seed)
    for c in range(channels):
        plane = 40 + 150 * ((x / WIDTH) if c % 2 == 0 else (y / HEIGHT))
        plane[(x - 7 - c) ** 2 + (y - 6) ** 2 < 16] = 230 - 60 * c
        plane[(x - 17) ** 2 + (y - 11 + c) ** 2 < 9] = 20 + 50 * c
        planes.append(plane + random.normal(0, 4, plane.shape))
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 88, **options})
    return out.getvalue()


def png(image, **options):
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


ARITHMETIC = r"""
#include <stdio.h>
#include <jpeglib.h>
int main(void) {   /* the coefficients of the JPEG on stdin, arithmetic-coded, on stdout */
    struct jpeg_error_mgr errors;
    struct jpeg_decompress_struct in = {.err = jpeg_std_error(&errors)};
    struct jpeg_compress_struct out = {.err = &errors};
    jpeg_create_decompress(&in);
    jpeg_create_compress(&out);
    jpeg_stdio_src(&in, stdin);
    jpeg_read_header(&in, TRUE);
    jvirt_barray_ptr *coefficients = jpeg_read_coefficients(&in);
    jpeg_copy_critical_parameters(&in, &out);
    out.arith_code = TRUE;
    jpeg_stdio_dest(&out, stdout);
    jpeg_write_coefficients(&out, coefficients);
    jpeg_finish_compress(&out);
    return 0;
}
"""


def arithmetic(data):
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "arithmetic"
        subprocess.run(["cc", "-x", "c", "-", "-o", program, "-ljpeg"], input=ARITHMETIC.encode(), check=True)
        return subprocess.run([program], input=data, stdout=subprocess.PIPE, check=True).stdout


def ycck(data):
    """A CMYK file of Pillow's whose Adobe marker now says that the first three channels are YCbCr."""
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\2" + data[at + 1:]


def xmp(orientation):
    return (b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>'
            % orientation)


def palette_png(depth, extra=b""):
    """1, 2 or 4 bit indices into a palette of all their values."""
    count = 1 << depth
    colours = bytes((i * 37 + c * 91) % 256 for i in range(count) for c in range(3))
    return raw_png(drawing(1) >> (8 - depth), 3, depth, chunk(b"PLTE", colours) + extra)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def raw_png(samples, color, depth, extra=b"", interlaced=False):
    """A PNG that Pillow cannot write: 16-bit colour, small depths, tRNS on grey, Adam7. samples: [H,W,C] integers."""
    height, width = samples.shape[:2]

    def rows(part):
        lines = b""
        for line in part:
            if depth == 16:
                lines += b"\0" + line.astype(">u2").tobytes()
            elif depth == 8:
                lines += b"\0" + line.astype(np.uint8).tobytes()
            else:
                bits = "".join(format(int(v), f"0{depth}b") for v in line.reshape(-1))
                bits += "0" * (-len(bits) % 8)
                lines += b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        return lines

    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        body = b""
        for x0, y0, dx, dy in passes:
            part = samples[y0::dy, x0::dx]
            if part.shape[0] and part.shape[1]:
                body += rows(part)
    else:
        body = rows(samples)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(body, 9)) + chunk(b"IEND", b"")


def exif(orientation, order="<", kind=3, count=1, directory=8):
    mark = b"II" if order == "<" else b"MM"
    value = struct.pack(order + "HH", orientation, 0) if kind == 3 else struct.pack(order + "I", orientation)
    entry = struct.pack(order + "HHI", 0x0112, kind, count) + value
    return b"Exif\0\0" + mark + struct.pack(order + "HI", 42, directory) + struct.pack(order + "H", 1) + entry + b"\0\0\0\0"


def with_app1(data, block):
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


def pillow_pixels(data):
    """What the paper's pipeline sees, with the two conversions that facefair defines itself: white under alpha, EXIF applied."""
    image = Image.open(io.BytesIO(data))
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return np.asarray(white)
    return np.asarray(image.convert("RGB"))


def accepted():
    rgb, grey = Image.fromarray(drawing()), Image.fromarray(drawing(1)[..., 0])
    four = drawing(4)
    cmyk = Image.frombytes("CMYK", (WIDTH, HEIGHT), four.tobytes())
    base = jpeg(rgb)
    files = {
        "rgb444.jpg": jpeg(rgb, subsampling=0), "rgb422.jpg": jpeg(rgb, subsampling=1), "rgb420.jpg": jpeg(rgb, subsampling=2),
        "grey.jpg": jpeg(grey), "progressive.jpg": jpeg(rgb, progressive=True), "cmyk.jpg": jpeg(cmyk),
        "restart.jpg": jpeg(rgb, restart_marker_blocks=2), "arithmetic.jpg": arithmetic(base), "not-a.png": base,
        "ycck.jpg": ycck(jpeg(cmyk)), "xmp8.jpg": with_app1(base, xmp(8)), "xmp-under-exif.jpg": with_app1(with_app1(base, xmp(8)), exif(3)),
        "palette1.png": palette_png(1), "palette2.png": palette_png(2), "palette4.png": palette_png(4),
        "palette2-alpha.png": palette_png(2, chunk(b"tRNS", bytes([0, 90, 180]))),
        "grey-alpha16.png": raw_png(drawing(2).astype(int) * 251 + 77, 4, 16),
        "interlaced-palette4.png": raw_png(drawing(1) >> 4, 3, 4, chunk(b"PLTE", bytes(range(0, 240, 5))), interlaced=True),
        "rgb.png": png(rgb), "grey.png": png(grey), "palette.png": png(rgb.quantize(19)),
        "rgba.png": png(Image.fromarray(four, "RGBA")),
        "grey-alpha.png": png(Image.merge("LA", [grey, Image.fromarray(four[..., 3])])),
        "palette-alpha.png": png(rgb.quantize(8), transparency=bytes([0, 60, 120, 180, 240, 255])),
        "grey1.png": raw_png(drawing(1) >> 7, 0, 1), "grey2.png": raw_png(drawing(1) >> 6, 0, 2),
        "grey4.png": raw_png(drawing(1) >> 4, 0, 4),
        "grey4-key.png": raw_png(drawing(1) >> 4, 0, 4, chunk(b"tRNS", struct.pack(">H", 5))),
        "rgb-key.png": raw_png(drawing() & 0xC0, 2, 8, chunk(b"tRNS", struct.pack(">HHH", 0x80, 0x40, 0x40))),
        "rgb16.png": raw_png(drawing().astype(int) * 251 + 77, 2, 16),
        "grey16.png": raw_png(drawing(1).astype(int) * 251 + 77, 0, 16),
        "rgba16.png": raw_png(four.astype(int) * 256 + 255 - four, 6, 16),
        "interlaced.png": raw_png(drawing(), 2, 8, interlaced=True),
        "interlaced-alpha.png": raw_png(four, 6, 8, interlaced=True),
        "gamma.png": raw_png(drawing(), 2, 8, chunk(b"gAMA", struct.pack(">I", 100000))),
        "exif6.png": raw_png(drawing(), 2, 8, chunk(b"eXIf", exif(6)[6:])),
    }
    animation = io.BytesIO()
    rgb.save(animation, "PNG", save_all=True, append_images=[Image.fromarray(255 - drawing())])
    files["apng.png"] = animation.getvalue()
    pictures = io.BytesIO()
    rgb.save(pictures, "MPO", save_all=True, append_images=[Image.fromarray(255 - drawing())])
    files["two.mpo"] = pictures.getvalue()
    for orientation in range(1, 9):
        files[f"exif{orientation}.jpg"] = with_app1(base, exif(orientation, ">" if orientation % 2 else "<"))
    files["exif-long.jpg"] = with_app1(base, exif(6, kind=4))
    # Malformed EXIF: all count as orientation 1.
    files["exif-value-9.jpg"] = with_app1(base, exif(9))
    files["exif-outside.jpg"] = with_app1(base, exif(6, directory=0x7FFFFFF0))
    files["exif-short.jpg"] = with_app1(base, exif(6)[:18])
    files["exif-order.jpg"] = with_app1(base, exif(6).replace(b"II", b"IM"))
    return files


def refused():
    base, picture = jpeg(Image.fromarray(drawing())), png(Image.fromarray(drawing()))
    progressive = jpeg(Image.fromarray(drawing()), progressive=True)
    frame = base.index(b"\xff\xc0")
    scan = progressive.rindex(b"\xff\xda")
    damaged = bytearray(picture)
    damaged[len(picture) // 2] ^= 0x10
    start = base.index(b"\xff\xda") + 14
    scrambled = base[:start] + bytes((i * 37 + 11) % 251 for i in range(40)) + base[start + 40:]
    return {
        "truncated.jpg": (base[: len(base) * 2 // 3], "image_truncated"),
        "no-end.jpg": (base[:-2], "image_truncated"),
        "header-only.jpg": (base[:frame + 4], "image_truncated"),
        "empty.jpg": (b"", "image_truncated"),
        "scrambled.jpg": (scrambled, "image_corrupt"),
        "huge.jpg": (base[:frame + 5] + struct.pack(">HH", 65000, 65000) + base[frame + 9:], "image_too_large"),
        "wide.jpg": (base[:frame + 5] + struct.pack(">HH", 10, 20000) + base[frame + 9:], "image_too_large"),
        "scans.jpg": (progressive[:scan] + progressive[scan:-2] * 70 + b"\xff\xd9", "image_too_large"),
        "twelve-bit.jpg": (base[:frame + 4] + b"\x0c" + base[frame + 5:], "image_unsupported"),
        "truncated.png": (picture[: len(picture) * 2 // 3], "image_truncated"),
        "no-end.png": (picture[:-12], "image_truncated"),
        "checksum.png": (bytes(damaged), "image_corrupt"),
        "huge.png": (raw_png(np.zeros((1, 1, 3), int), 2, 8).replace(
            chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
            chunk(b"IHDR", struct.pack(">IIBBBBB", 16000, 16000, 8, 2, 0, 0, 0))), "image_too_large"),
        "page.jpg": (b"<!DOCTYPE html>\n<html><body>Quota exceeded</body></html>\n", "image_unsupported"),
        "picture.gif": (b"GIF89a\x01\0\x01\0\0\0\0;", "image_unsupported"),
    }


def pattern(width, height):
    """The resize tests draw the same image: a product hash per sample, so that neighbours are unrelated."""
    i = np.arange(width * height * 3, dtype=np.uint64)
    return ((i * 2654435761 + 12345) % 2**32 // 65536 % 256).astype(np.uint8).reshape(height, width, 3)


RESIZES = [(224, 224, 64, 64), (178, 218, 64, 64), (23, 17, 40, 31), (23, 17, 23, 9), (23, 17, 9, 17), (3, 100, 7, 5),
           (1, 1, 4, 4), (2, 2, 1, 1), (50, 40, 49, 41), (301, 7, 3, 7), (17, 29, 34, 58), (97, 61, 5, 60), (60, 60, 50, 36),
           (30, 70, 25, 40), (60, 60, 45, 30)]
OTHER_RESIZES = [(61, 47, 20, 30), (23, 17, 40, 31), (20, 90, 9, 11), (33, 33, 33, 12), (7, 5, 1, 1)]
FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "nearest": Image.NEAREST}
# Whole ways from a file to what a network sees: file, side, filter.
WAYS = [("rgb420.jpg", 16, "bilinear"), ("exif6.jpg", 40, "bilinear"), ("cmyk.jpg", 9, "bilinear"), ("interlaced-alpha.png", 12, "bilinear"),
        ("progressive.jpg", 16, "bicubic"), ("palette-alpha.png", 31, "bicubic"), ("rgb16.png", 11, "nearest"), ("exif5.jpg", 30, "nearest")]


def main():
    folder = FIXTURES / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    pixels, index = b"", []
    for name, data in accepted().items():
        (folder / name).write_bytes(data)
        expected = pillow_pixels(data)
        if name == "grey4-key.png":   # Pillow compares the key with the sample after scaling it to 8 bit and so never finds it
            grey = np.repeat(drawing(1) >> 4, 3, axis=2)
            expected = np.where(grey == 5, 255, grey * 17).astype(np.uint8)
        if name == "grey16.png":   # Pillow clips 16-bit grey at 255; facefair keeps the high byte as it does for colour
            expected = np.repeat((drawing(1).astype(int) * 251 + 77) >> 8, 3, axis=2).astype(np.uint8)
        index.append({"file": name, "width": expected.shape[1], "height": expected.shape[0], "offset": len(pixels)})
        pixels += expected.tobytes()
    files, ways = accepted(), []
    for name, side, kind in WAYS:
        out = np.asarray(Image.fromarray(pillow_pixels(files[name])).resize((side, side), FILTERS[kind]))
        ways.append({"file": name, "size": side, "filter": kind, "offset": len(pixels)})
        pixels += out.tobytes()
    bad = []
    for name, (data, code) in refused().items():
        (folder / name).write_bytes(data)
        bad.append({"file": name, "code": code})
    made_by = f"tools/export_image_fixtures.py, Pillow {PIL.__version__}, numpy {np.__version__}"
    (FIXTURES / "images.json").write_text(json.dumps({"made_by": made_by, "accepted": index, "ways": ways, "refused": bad}, indent=1) + "\n")
    (FIXTURES / "images.bin").write_bytes(pixels)

    resized, cases = b"", []
    asked = [("bilinear", *sizes) for sizes in RESIZES] + [(kind, *sizes) for kind in ("bicubic", "nearest") for sizes in OTHER_RESIZES]
    for kind, source_width, source_height, width, height in asked:
        out = np.asarray(Image.fromarray(pattern(source_width, source_height)).resize((width, height), FILTERS[kind]))
        cases.append({"filter": kind, "sourceWidth": source_width, "sourceHeight": source_height, "width": width, "height": height,
                      "offset": len(resized)})
        resized += out.tobytes()
    (FIXTURES / "resize.json").write_text(json.dumps({"made_by": made_by, "cases": cases}, indent=1) + "\n")
    (FIXTURES / "resize.bin").write_bytes(resized)
    sizes = {p.name: p.stat().st_size for p in FIXTURES.glob("images*.*")} | {"resize.bin": len(resized)}
    print(f"{len(index)} accepted, {len(bad)} refused, {len(cases)} resizes; {sizes}", file=sys.stderr)


if __name__ == "__main__":
    main()
