"""The photos of an article: flat on a studio's backdrop, a detail, worn by somebody.

Worn photos are taken in a street, a shop, a park or a room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import skia
from PIL import Image, ImageFilter

from wardrobe import cloth, figure, garments, scenes
from wardrobe.catalogue import Garment
from wardrobe.draw import HEMS, MIDDLE, SHEET, ink

# How near the camera is and the height of the sheet that it looks at: the same for a
# category, so lengths compare.
FRAMES = {
    "top": (1.15, 101),
    "dress": (1.0, 124),
    "pants": (1.42, 160),
    "skirt": (1.42, 160),
    "accessory": (1.0, 120),
}

# Where an accessory is on the body of `figure`: left, top, right, bottom.
WORN = {
    "beanie": (-14, -16, 14, 6),
    "cap": (-17, -15, 17, 6),
    "scarf": (-24, 20, 24, 100),
    "bag": (26, 92, 82, 160),
    "umbrella": (-18, -70, 98, 128),
    "socks": (-26, 172, 26, 233),
    "boots": (-27, 178, 27, 235),
    "sneakers": (-27, 206, 27, 236),
}
BLURRED = skia.SamplingOptions(skia.FilterMode.kLinear)
LEAST = 12  # pixels of a consumer photo's box each way


def flat(
    garment: Garment,
    colour: str,
    rng: np.random.Generator,
    size: tuple[int, int] = SHEET,
) -> Image.Image:
    """Take the shop photo: (width, height) pixels, RGB.

    It has a light backdrop, soft shadow, folds and a little noise.
    """
    pixels, canvas = _film(size)
    long = garment.subcategory == "overall pants"
    zoom, height = FRAMES["dress" if long else garment.category]
    turn, shift = rng.normal(0, 1.1), rng.normal(0, 1.4, 2)
    grow = rng.uniform(0.95, 1.02)
    light = rng.uniform(0, 1, 2)
    canvas.scale(size[0] / SHEET[0], size[1] / SHEET[1])
    canvas.save()
    canvas.translate(80 + shift[0], 120 + shift[1])
    canvas.rotate(turn)
    canvas.scale(zoom * grow, zoom * grow)
    canvas.translate(-80, -height)
    outline = garments.draw(canvas, garment, colour)
    _lamp(canvas, light)
    _shadow(canvas, outline)
    canvas.restore()
    _backdrop(canvas, light)
    return _develop(pixels, rng, grain=1.6)


def flats(
    garments: Iterable[Garment],
    colours: str | Sequence[str],
    seed: int,
    size: tuple[int, int] = SHEET,
) -> list[Image.Image]:
    """Take shop photos that differ by the garments alone, or by their colours.

    Light, turn and noise are the same in all. One colour is that of each garment.
    """
    garments = list(garments)
    if isinstance(colours, str):
        colours = [colours] * len(garments)
    photos = []
    for garment, colour in zip(garments, colours, strict=True):
        photos.append(flat(garment, colour, np.random.default_rng(seed), size))
    return photos


def _lamp(canvas: skia.Canvas, light: np.ndarray) -> None:
    """Brighten the cloth towards the lamp, darken it away from it."""
    x = 160 * float(light[1])
    ends = [skia.Point(x, 10), skia.Point(160 - x, 230)]
    shader = skia.GradientShader.MakeLinear(
        ends, [skia.Color(255, 255, 255, 34), skia.Color(20, 20, 30, 44)]
    )
    canvas.drawPaint(skia.Paint(Shader=shader, BlendMode=skia.BlendMode.kSrcATop))


def _shadow(canvas: skia.Canvas, outline: skia.Path) -> None:
    """Draw a soft shadow below what is already there."""
    paint = _under(ink((40, 36, 48), 0, 110))
    paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 2.6))
    fallen = skia.Path(outline)
    fallen.offset(1, 2.2)
    canvas.drawPath(fallen, paint)


def _under(paint: skia.Paint) -> skia.Paint:
    """Return a copy of the paint that goes below what is already there."""
    below = skia.Paint(paint)
    below.setBlendMode(skia.BlendMode.kDstOver)
    return below


def _backdrop(canvas: skia.Canvas, light: np.ndarray) -> None:
    """Paint a light wall, brightest where the lamp is."""
    grey = round(226 + 10 * float(light[0]))
    middle = skia.Point(40 + 80 * float(light[1]), 70)
    near = skia.Color(grey + 14, grey + 14, grey + 12)
    far = skia.Color(grey - 10, grey - 9, grey - 8)
    shader = skia.GradientShader.MakeRadial(middle, 230, [near, far])
    canvas.drawPaint(_under(skia.Paint(Shader=shader)))


def detail(
    garment: Garment,
    colour: str,
    rng: np.random.Generator,
    size: tuple[int, int] = SHEET,
) -> Image.Image:
    """Take a photo from 2.5 to 4 times as near: (width, height) pixels, RGB.

    It shows cloth, neck, front, waist or hem.
    """
    pixels, canvas = _film(size)
    sheet, outline = _recorded(garment, colour)
    x, y = _telling(garment, outline, rng)
    zoom, turn = rng.uniform(2.5, 4), rng.normal(0, 6)
    canvas.scale(size[0] / SHEET[0], size[1] / SHEET[1])
    canvas.save()
    canvas.translate(80, 120)
    canvas.rotate(turn)
    canvas.scale(zoom, zoom)
    canvas.translate(-x, -y)
    canvas.drawPicture(sheet)
    _shadow(canvas, outline)
    canvas.restore()
    _backdrop(canvas, rng.uniform(0, 1, 2))
    return _develop(pixels, rng, grain=1.5)


def _telling(
    garment: Garment, outline: skia.Path, rng: np.random.Generator
) -> tuple[float, float]:
    """Return a point of the sheet worth a close look, on the garment."""
    hem = HEMS.get(garment.total_length, 172) - 14
    top_hem = HEMS.get(garment.total_length, 107) - 12
    places = {
        "top": [(80, 52), (80, 78), (96, 66), (100, top_hem)],
        "dress": [(80, 52), (80, 92), (96, 66), (92, hem)],
        "pants": [(80, 106), (92, 104), (94, 128), (92, hem)],
        "skirt": [(80, 104), (92, 112), (90, hem)],
    }.get(garment.category, [])
    box = outline.computeTightBounds()
    tries = rng.permutation(places).tolist()
    tries += rng.uniform(tuple(box)[:2], tuple(box)[2:], (40, 2)).tolist()
    for x, y in tries:
        if outline.contains(x, y):
            return x, y
    return box.centerX(), box.centerY()


def consumer(
    garment: Garment,
    colour: str,
    rng: np.random.Generator,
    size: tuple[int, int] = SHEET,
) -> tuple[Image.Image, tuple[int, int, int, int]]:
    """Take a photo of somebody in the garment; return it with the garment's box.

    The photo is (width, height) pixels, RGB. The box is left, upper, right, lower in
    pixels, inside the picture and at least `LEAST` pixels each way. The pose leans, the
    light is coloured, the background is full of things, and something may hide a part.
    """
    pixels, canvas = _film(size)
    unit = size[1] / scenes.HIGH
    wide = size[0] / unit
    canvas.scale(unit, unit)
    canvas.drawImageRect(
        _background(size, wide, rng), skia.Rect(wide, scenes.HIGH), BLURRED
    )
    sheet, outline = _recorded(garment, colour)
    worn = _worn(garment, outline)
    outline.transform(worn)
    pose = _pose(outline.computeTightBounds(), wide, rng)
    who = figure.look(rng, cloth.rgb(colour, garment.tone))
    canvas.save()
    canvas.concat(pose)
    figure.wear(canvas, who, garment, sheet, worn, light=rng.uniform(-1, 1))
    if garment.category != "accessory" and rng.random() < 0.25:
        figure.carry(canvas, who, int(rng.choice([-1, 1])))
    canvas.restore()
    if rng.random() < 0.2:
        scenes.passer(canvas, wide, rng)
    outline.transform(pose)
    image = _develop(_lit(pixels, rng), rng, grain=rng.uniform(2, 7))
    return image, _box(outline, unit, size)


def _recorded(garment: Garment, colour: str) -> tuple[skia.Picture, skia.Path]:
    """Record the garment, to be drawn once its outline is known."""
    recorder = skia.PictureRecorder()
    outline = garments.draw(
        recorder.beginRecording(skia.Rect(-80, -80, 240, 320)), garment, colour
    )
    return recorder.finishRecordingAsPicture(), outline


def _film(size: tuple[int, int]) -> tuple[np.ndarray, skia.Canvas]:
    """Return empty pixels, (height, width, 4), and the canvas that writes them."""
    pixels = np.zeros((size[1], size[0], 4), np.uint8)
    return pixels, skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas()


def _background(
    size: tuple[int, int], wide: float, rng: np.random.Generator
) -> skia.Image:
    """Draw a scene out of focus: with fewer pixels than the photo has."""
    blur = rng.uniform(1.2, 3)
    surface = skia.Surface(
        max(8, round(size[0] / blur)), max(12, round(size[1] / blur))
    )
    canvas = surface.getCanvas()
    canvas.scale(surface.width() / wide, surface.height() / scenes.HIGH)
    scenes.scene(canvas, wide, rng)
    return surface.makeImageSnapshot()


def _worn(garment: Garment, outline: skia.Path) -> skia.Matrix:
    """Return the map from the sheet to the body.

    Clothes are cut for it; accessories go where they are worn.
    """
    if garment.subcategory not in WORN:
        return skia.Matrix.Translate(-MIDDLE, 0)
    left, top, right, bottom = WORN[garment.subcategory]
    box = outline.computeTightBounds()
    scale = min((right - left) / box.width(), (bottom - top) / box.height())
    hangs = 10 < top < 100  # from its upper edge; hats and shoes stand on their lower
    worn = skia.Matrix.Translate((left + right) / 2, top if hangs else bottom)
    worn.preScale(scale, scale)
    return worn.preTranslate(-box.centerX(), -(box.top() if hangs else box.bottom()))


def _pose(box: skia.Rect, wide: float, rng: np.random.Generator) -> skia.Matrix:
    """Return the map from the body to the frame.

    The garment fills some share of it, leans, and may be cut by its edge.
    """
    fill = min(wide / box.width(), scenes.HIGH / box.height())
    zoom = float(np.clip(rng.uniform(0.55, 1.05) * fill, 0.75, 2.3))
    stray = 0.2 if rng.random() < 0.25 else 0.05
    x, y = rng.normal(0.5, stray) * wide, rng.normal(0.5, stray / 2) * scenes.HIGH
    pose = skia.Matrix.Translate(float(np.clip(x, wide * 0.15, wide * 0.85)), y)
    pose.preRotate(rng.normal(0, 5))
    pose.preSkew(rng.normal(0, 0.05), 0)
    pose.preScale(zoom * rng.uniform(0.86, 1.03), zoom)
    return pose.preTranslate(-box.centerX(), -box.centerY())


def _lit(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the pixels in another light.

    It is warmer or colder, darker or brighter, more so towards one side; the photo may
    be blurred.
    """
    if rng.random() < 0.4:
        blur = ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9) * len(pixels) / 240)
        pixels = np.asarray(Image.fromarray(pixels).filter(blur))
    warmth, exposure = rng.normal(0, 0.07), rng.uniform(0.72, 1.15)
    across, down = rng.normal(0, 0.12, 2)
    x = np.linspace(-1, 1, pixels.shape[1], dtype=np.float32)[None, :, None]
    y = np.linspace(-1, 1, pixels.shape[0], dtype=np.float32)[:, None, None]
    gains = exposure * np.array([1 + warmth, 1, 1 - warmth], np.float32)
    light = 1 + np.float32(across) * x + np.float32(down) * y  # (height, width, 1)
    return pixels[..., :3] * (gains * light)


def _develop(pixels: np.ndarray, rng: np.random.Generator, grain: float) -> Image.Image:
    """Return the picture with noise of that standard deviation."""
    noise = rng.standard_normal((*pixels.shape[:2], 1), np.float32) * np.float32(grain)
    return Image.fromarray(np.clip(pixels[..., :3] + noise, 0, 255).astype(np.uint8))


def _box(
    outline: skia.Path, unit: float, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Return the outline's bounds in pixels inside the picture.

    They are widened to `LEAST` where less shows.
    """
    bounds = outline.computeTightBounds()
    left, right = _span(bounds.left() * unit, bounds.right() * unit, size[0])
    upper, lower = _span(bounds.top() * unit, bounds.bottom() * unit, size[1])
    return left, upper, right, lower


def _span(low: float, high: float, length: int) -> tuple[int, int]:
    """Return the whole pixels from `low` to `high` within a picture of that length.

    They are `LEAST` or more.
    """
    first = int(np.clip(np.floor(low), 0, length - LEAST))
    return first, int(np.clip(np.ceil(high), first + LEAST, length))
