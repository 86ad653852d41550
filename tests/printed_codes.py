"""Printed documents back to dots, and dots to codes: what a scanner sees of a PDF, SVG, PNG or ZPL.

PDF and SVG are drawn by the few operators that the program writes: filled rectangles.
"""

import base64
import io
import re
import zlib
from collections.abc import Iterator

import zxingcpp
from PIL import Image, ImageDraw

DOTS_PER_MM = 12
PRINTED = zxingcpp.BarcodeFormats(
    [
        zxingcpp.BarcodeFormat.Code128,
        zxingcpp.BarcodeFormat.QRCodeModel2,
        zxingcpp.BarcodeFormat.DataMatrix,
    ]
)
"""What the program prints (no Micro QR). In a page full of bars a reader that looks for every other
kind as well finds some."""
Rectangle = tuple[float, float, float, float]


def codes_on(document: bytes, form: str) -> list[tuple[str, bytes]]:
    """Return the symbology identifier and the bytes of each code, from top to bottom."""
    return codes_in(dots_of(document, form))


def codes_in(image: Image.Image) -> list[tuple[str, bytes]]:
    """Return what a scanner with symbology identifiers would send, from top to bottom."""
    found = zxingcpp.read_barcodes(image, formats=PRINTED)
    found.sort(key=lambda one: (one.position.top_left.y // 20, one.position.top_left.x))
    return [(one.symbology_identifier, bytes(one.bytes)) for one in found]


def dots_of(document: bytes, form: str) -> Image.Image:
    """Return a document of one sheet as a picture."""
    match form:
        case "png":
            return Image.open(io.BytesIO(document))
        case "zpl":
            return _zpl(document)
        case "svg":
            return _svg(document.decode())
        case _:
            return _pdf(document)


def _zpl(zpl: bytes) -> Image.Image:
    found = re.search(rb"\^PW(\d+)\^LL(\d+).*\^GFA,(\d+),\3,(\d+),([0-9A-F]+)\^FS\^XZ", zpl)
    assert found is not None
    width, height, total, row_bytes = (int(found[n]) for n in range(1, 5))
    assert total == row_bytes * height == len(found[5]) // 2
    dots = Image.frombytes("1", (row_bytes * 8, height), bytes.fromhex(found[5].decode()))
    return dots.crop((0, 0, width, height)).convert("L").point(lambda level: 255 - level)


def _svg(svg: str) -> Image.Image:
    size = re.search(r'width="([\d.]+)mm" height="([\d.]+)mm"', svg)
    assert size is not None
    bars = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-", svg)
    drawn = [(float(x), float(y), float(w), float(h)) for x, y, w, h in bars]
    return _drawn(float(size[1]), float(size[2]), drawn)


def _pdf(pdf: bytes) -> Image.Image:
    size = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert size is not None
    width_mm, height_mm = (float(size[n]) * 25.4 / 72 for n in (1, 2))
    return _drawn(width_mm, height_mm, _rectangles(pdf))


def _rectangles(pdf: bytes) -> Iterator[Rectangle]:
    """Yield the filled rectangles; the program scales its pages to millimetres below the top."""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        if not stream.rstrip().endswith(b"~>"):
            continue  # a font
        page = zlib.decompress(base64.a85decode(stream.rstrip().removesuffix(b"~>")))
        number = rb"(-?[\d.]+)"
        for x, y, w, h in re.findall(rb" ".join([number] * 4) + rb" re f\b", page):
            yield float(x), -float(y) - float(h), float(w), float(h)


def _drawn(
    width_mm: float, height_mm: float, bars: Iterator[Rectangle] | list[Rectangle]
) -> Image.Image:
    size = round(width_mm * DOTS_PER_MM), round(height_mm * DOTS_PER_MM)
    image = Image.new("L", size, 255)
    pen = ImageDraw.Draw(image)
    for x, y, w, h in bars:
        left, top = round(x * DOTS_PER_MM), round(y * DOTS_PER_MM)
        right, bottom = round((x + w) * DOTS_PER_MM) - 1, round((y + h) * DOTS_PER_MM) - 1
        pen.rectangle((left, top, right, bottom), fill=0)
    return image
