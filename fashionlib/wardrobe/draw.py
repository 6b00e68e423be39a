"""A garment's picture: a fabric, pieces cut from it and laid over each other, light, shadow and a little noise.

Drawn with PIL at three times the size and reduced. Points are in units of a 160 x 240 sheet, x to the right, y down.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Point = tuple[float, float]

# Thesis B, table 3.1: the seventeen colours.
COLOURS: dict[str, Colour] = {
    "red": (208, 28, 36),
    "orange": (246, 130, 24),
    "blue": (44, 104, 212),
    "navy": (26, 36, 86),
    "pink": (248, 160, 196),
    "brown": (112, 68, 36),
    "black": (28, 28, 30),
    "white": (250, 250, 248),
    "burgundy": (112, 16, 48),
    "purple": (126, 56, 168),
    "coral": (252, 112, 96),
    "mint": (160, 228, 196),
    "gray": (140, 142, 146),
    "green": (28, 136, 62),
    "khaki": (124, 122, 72),
    "yellow": (250, 212, 44),
    "beige": (220, 198, 160),
}
SHEET = (160, 240)
SCALE = 3
BIG = (SHEET[0] * SCALE, SHEET[1] * SCALE)
CREAM, INK = (248, 244, 232), (34, 34, 40)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`a` with a `share` of `b` in it."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def luminance(colour: Colour) -> float:
    """0 (black) to 255 (white), Rec. 601 weights."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def accent(colour: Colour) -> Colour:
    """A colour for the motif of a pattern that stands out from the ground."""
    return mix(colour, CREAM, 0.9) if luminance(colour) < 165 else mix(colour, INK, 0.78)


def fabric(colour: Colour, pattern: str, rng: np.random.Generator) -> Image.Image:
    """A sheet of cloth of the size `BIG` in a colour; `pattern` is a key of `PATTERNS`."""
    cloth = Image.new("RGB", BIG, colour)
    PATTERNS[pattern](cloth, ImageDraw.Draw(cloth), colour, rng)
    return cloth


def _solid(cloth: Image.Image, draw: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    """Nothing on the ground."""


def _stripe(cloth: Image.Image, draw: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    step, upright, motif = int(rng.integers(26, 44)), rng.random() < 0.3, accent(colour)
    for start in range(int(rng.integers(-step, 0)), max(BIG), step):
        end = start + step * 0.4
        draw.rectangle((start, 0, end, BIG[1]) if upright else (0, start, BIG[0], end), fill=motif)


def _dot(cloth: Image.Image, draw: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    step = int(rng.integers(30, 46))
    radius, motif = step * rng.uniform(0.22, 0.3), accent(colour)
    for row, y in enumerate(range(0, BIG[1], step)):
        for x in range(step // 2 * (row % 2), BIG[0], step):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=motif)


def _check(cloth: Image.Image, draw: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    step, motif = int(rng.integers(44, 64)), accent(colour)
    band, half = step * 0.42, mix(colour, motif, 0.5)
    lines = np.arange(rng.integers(-step, 0), max(BIG), step)
    for at in lines:
        draw.rectangle((at, 0, at + band, BIG[1]), fill=half)
        draw.rectangle((0, at, BIG[0], at + band), fill=half)
    for x in lines:
        for y in lines:
            draw.rectangle((x, y, x + band, y + band), fill=motif)


def _flower(cloth: Image.Image, draw: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    light, warm = luminance(colour) > 150, colour[0] > 235 and colour[2] < 200
    petals = ((52, 66, 168) if warm else (206, 40, 92)) if light else CREAM
    heart, leaf = (244, 190, 48), (48, 120, 70) if light else (150, 196, 120)
    step = 58
    for y in range(0, BIG[1] + step, step):
        for x in range(0, BIG[0] + step, step):
            cx, cy = x + rng.uniform(-12, 12) + step / 2 * (y // step % 2), y + rng.uniform(-12, 12)
            r, turn = rng.uniform(9, 13), rng.uniform(0, 1.26)
            draw.ellipse((cx + r * 1.2, cy + r, cx + r * 2.6, cy + r * 1.8), fill=leaf)
            for angle in turn + np.arange(5) * 1.2566:
                px, py = cx + np.cos(angle) * r, cy + np.sin(angle) * r
                draw.ellipse((px - r * 0.68, py - r * 0.68, px + r * 0.68, py + r * 0.68), fill=petals)
            draw.ellipse((cx - r * 0.5, cy - r * 0.5, cx + r * 0.5, cy + r * 0.5), fill=heart)


def _animal(cloth: Image.Image, draw: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    dark = luminance(colour) < 70
    spot, heart = (mix(colour, CREAM, 0.62), mix(colour, CREAM, 0.3)) if dark else (INK, mix(colour, INK, 0.35))
    step = 38
    for y in range(0, BIG[1] + step, step):
        for x in range(0, BIG[0] + step, step):
            cx, cy = x + rng.uniform(-7, 7) + step / 2 * (y // step % 2), y + rng.uniform(-7, 7)
            w, h, start = rng.uniform(9, 15), rng.uniform(8, 12), int(rng.integers(0, 360))
            draw.ellipse((cx - w, cy - h, cx + w, cy + h), fill=heart)
            for turn in (0, 125, 235):
                draw.arc((cx - w, cy - h, cx + w, cy + h), start + turn, start + turn + 80, fill=spot, width=6)


def _camouflage(cloth: Image.Image, draw: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    low = luminance(colour) < 60
    tones = [mix(colour, CREAM, 0.45 if low else 0.4), mix(colour, INK, 0.5), mix(colour, (96, 78, 48), 0.6)]
    tones = [tones[0], mix(colour, CREAM, 0.2), tones[2]] if low else tones
    for tone in tones:
        for _ in range(34):
            cx, cy = rng.uniform(0, BIG[0]), rng.uniform(0, BIG[1])
            for _ in range(4):
                x, y = cx + rng.normal(0, 20), cy + rng.normal(0, 13)
                w, h = rng.uniform(14, 32), rng.uniform(9, 20)
                draw.ellipse((x - w, y - h, x + w, y + h), fill=tone)


def _melange(cloth: Image.Image, draw: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    grain = rng.normal(0, 1, (BIG[1] // 4, BIG[0] // 8))
    mask = Image.fromarray((np.clip(grain * 0.3 + 0.28, 0, 0.8) * 255).astype(np.uint8)).resize(BIG)
    cloth.paste(mix(colour, CREAM, 0.6) if luminance(colour) < 150 else mix(colour, INK, 0.55), (0, 0), mask)


def _block(cloth: Image.Image, draw: ImageDraw.ImageDraw, colour: Colour, rng: np.random.Generator) -> None:
    middle = BIG[1] * rng.uniform(0.46, 0.52)
    draw.rectangle((0, middle, BIG[0], middle + 66), fill=accent(colour))


PATTERNS = {
    "solid": _solid,
    "stripe": _stripe,
    "dot": _dot,
    "check": _check,
    "flower": _flower,
    "animal": _animal,
    "camouflage": _camouflage,
    "melange": _melange,
    "block": _block,
}


def smooth(points: Sequence[Point], rounds: int = 2) -> np.ndarray:
    """The closed polygon with its corners cut `rounds` times (Chaikin); (points * 2**rounds, 2)."""
    line = np.asarray(points, float)
    for _ in range(rounds):
        following = np.roll(line, -1, axis=0)
        line = np.stack([line * 0.8 + following * 0.2, line * 0.2 + following * 0.8], axis=1).reshape(-1, 2)
    return line


def mirror(points: Sequence[Point]) -> list[Point]:
    """The points reflected in the sheet's upright middle."""
    return [(SHEET[0] - x, y) for x, y in points]


class Pen:
    """Lays pieces of cloth on the sheet and draws seams over them, each point moved by one small random jitter."""

    def __init__(self, colour: Colour, pattern: str, rng: np.random.Generator) -> None:
        self.colour = colour
        self.cloth = fabric(colour, pattern, rng)
        self.lining = self.cloth.point(lambda v: round(v * 0.62 + (26 if luminance(colour) < 60 else 0)))
        self.plain = Image.new("RGB", BIG, mix(colour, INK if luminance(colour) > 60 else CREAM, 0.16))
        self.ink = mix(colour, INK, 0.55) if luminance(colour) > 60 else mix(colour, CREAM, 0.42)
        backdrop = round(rng.uniform(226, 238))
        self.sheet = Image.new("RGB", BIG, (backdrop, backdrop, backdrop - round(rng.uniform(0, 5))))
        self.shape = Image.new("L", BIG)  # where anything lies
        self.draw = ImageDraw.Draw(self.sheet)
        angle, size = rng.normal(0, 0.02), rng.uniform(0.94, 1.03)
        self.turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * size
        self.turn[:, 0] *= rng.uniform(0.95, 1.05)
        self.move = rng.normal(0, 1.5, 2)

    def place(self, points: Sequence[Point] | np.ndarray) -> list[tuple[float, float]]:
        """Points of the sheet as pixels of the big picture."""
        middle = np.array(SHEET) / 2
        moved = (np.asarray(points, float) - middle) @ self.turn.T + middle + self.move
        return [tuple(p) for p in moved * SCALE]

    def piece(self, points: Sequence[Point], rounds: int = 2, of: str = "cloth", edge: bool = True) -> None:
        """Lay down a polygon `of` "cloth", "lining" (the dark inside) or "plain" (trim), outlined with ink."""
        outline = self.place(smooth(points, rounds))
        low, high = np.floor(np.min(outline, 0)).astype(int), np.ceil(np.max(outline, 0)).astype(int) + 1
        box = (*low.tolist(), *high.tolist())
        mask = Image.new("L", tuple((high - low).tolist()))
        ImageDraw.Draw(mask).polygon([(x - low[0], y - low[1]) for x, y in outline], fill=255)
        self.sheet.paste(getattr(self, of).crop(box), box, mask)
        self.shape.paste(255, box, mask)
        if edge:
            self.draw.line([*outline, outline[0]], fill=self.ink, width=3, joint="curve")

    def both(self, points: Sequence[Point], rounds: int = 2, of: str = "cloth") -> None:
        """A piece and its mirror image."""
        self.piece(points, rounds, of)
        self.piece(mirror(points), rounds, of)

    def solid(self, points: Sequence[Point], colour: Colour, rounds: int = 0) -> None:
        """Lay down a polygon of one colour of its own (soles, buckles)."""
        outline = self.place(smooth(points, rounds))
        self.draw.polygon(outline, fill=colour, outline=self.ink)
        ImageDraw.Draw(self.shape).polygon(outline, fill=255)

    def line(self, *points: Point, width: int = 3, colour: Colour | None = None) -> None:
        """A seam along the points."""
        self.draw.line(self.place(points), fill=colour or self.ink, width=width, joint="curve")

    def ribs(self, left: Point, right: Point, height: float, count: int = 12) -> None:
        """Upright rib lines of a knitted trim that hangs `height` below the line from left to right."""
        for share in np.linspace(0.04, 0.96, count):
            x, y = (left[i] + (right[i] - left[i]) * share for i in (0, 1))
            self.line((x, y), (x, y + height), width=2)

    def button(self, at: Point, radius: float = 1.8) -> None:
        """A round button."""
        (x, y), r = self.place([at])[0], radius * SCALE
        self.draw.ellipse((x - r, y - r, x + r, y + r), fill=accent(self.colour), outline=self.ink, width=2)

    def finish(self, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
        """The photo: (width, height) pixels, soft shadow, light from one side, folds and a little noise."""
        sheet, shape = (big.reduce(SCALE).resize(size) for big in (self.sheet, self.shape))
        fallen = Image.new("L", size)
        fallen.paste(shape.filter(ImageFilter.GaussianBlur(size[0] / 32)), (size[0] // 60, size[1] // 60))
        shadow = np.asarray(fallen, np.float32) / 255
        inside = np.asarray(shape, np.float32) / 255  # (height, width)
        x = np.linspace(0, 1, size[0], dtype=np.float32)[None, :]
        y = np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
        phase, tilt = rng.uniform(0, 6.28), rng.uniform(-0.08, 0.08)
        folds = 0.025 * np.sin(x * rng.uniform(14, 24) + y * rng.uniform(-6, 6) + phase)
        light = 1 + inside * (tilt * (x - 0.5) * 2 + folds - 0.07 * (y - 0.4)) - (1 - inside) * 0.16 * shadow
        noise = 2 * rng.standard_normal(inside.shape, dtype=np.float32)
        noisy = np.asarray(sheet, np.float32) * light[..., None] + noise[..., None]
        return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
