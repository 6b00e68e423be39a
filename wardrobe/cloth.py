"""Cloth: paint of any of Thesis B's colours, tones, fabrics and patterns together.

Lengths are in units of a 160 x 240 sheet: a canvas scaled to 96 or to 600 pixels shows
the same cloth.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping

import numpy as np
import skia

from wardrobe import fabrics, patterns
from wardrobe.palette import INK, RGB, WHITE, luminance, mix
from wardrobe.prints import CHEST, SHEET

# Thesis B, table 3.1.
COLOURS: Mapping[str, RGB] = {
    "red": (206, 28, 36),
    "orange": (246, 130, 24),
    "blue": (44, 104, 212),
    "navy": (26, 36, 86),
    "pink": (248, 160, 196),
    "brown": (112, 68, 36),
    "black": (28, 28, 30),
    "white": (248, 248, 246),
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
GOLD = (226, 168, 82)
SMOOTH = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kNearest)
# A tile's grey: above a half it brings the cloth nearer to white, below nearer to
# black.
LIT = skia.RuntimeEffect.MakeForShader("""
uniform shader cloth;
uniform shader light;
half4 main(float2 at) {
    half3 shade = cloth.eval(at).rgb;
    half added = light.eval(at).r * 2 - 1;
    return half4(shade + (added < 0 ? shade : 1 - shade) * added, 1);
}""")


def rgb(colour: str, tone: str = "normal") -> RGB:
    """Return the colour in a tone of Thesis B's table 3.1.

    Vivid is more saturated, pastel/light nearer white.
    """
    shade = COLOURS[colour]
    if tone == "pastel/light":
        # less for dark ones, or black would be gray
        return mix(shade, WHITE, 0.18 + 0.3 * luminance(shade) / 255)
    # black, white and gray have nothing to saturate
    if tone == "vivid" and max(shade) - min(shade) > 20:
        hue, saturation, value = colorsys.rgb_to_hsv(*(v / 255 for v in shade))
        saturation += min(0.35 * saturation, 0.3 * (1 - saturation))
        strong = colorsys.hsv_to_rgb(hue, saturation, value + (1 - value) * 0.25)
        return tuple(round(255 * v) for v in strong)  # type: ignore[return-value]
    return shade


def ink(shade: RGB, fabric: str = "cotton") -> RGB:
    """Return the colour of seams on cloth of a shade.

    It is darker, on dark cloth lighter; denim is stitched in gold.
    """
    if fabric == "denim":
        return (
            GOLD
            if abs(luminance(shade) - luminance(GOLD)) > 40
            else mix(GOLD, INK, 0.6)
        )
    return mix(shade, INK, 0.55) if luminance(shade) > 60 else mix(shade, WHITE, 0.42)


def paint(
    colour: str,
    tone: str,
    fabric: str,
    pattern: str,
    rng: np.random.Generator,
    chest: tuple[float, float] = CHEST,
) -> skia.Paint:
    """Return an antialiased paint that lays the cloth on a canvas in sheet units.

    Lettering and graphics are centred on `chest`, a word also down the leg below it;
    all else falls at random. To move it, make a new `skia.Paint(Shader=...)`:
    skia-python's `setShader` and `Blend` copy the tiles' pixels (50 ms).
    """
    shader = patterns.shader(pattern, rgb(colour, tone), rng, chest)
    for light in (fabric, tone) if tone == "metallic/shiny" else (fabric,):
        lit = skia.RuntimeShaderBuilder(LIT)
        lit.setChild("cloth", shader)
        lit.setChild("light", _light(light, rng))
        shader = lit.makeShader(skia.Matrix())
    return skia.Paint(Shader=shader, AntiAlias=True)


def _light(of: str, rng: np.random.Generator) -> skia.Shader:
    """Return the tile of a fabric or of the metallic tone, repeated, from anywhere."""
    place = skia.Matrix().setScale(1 / fabrics.PIXELS, 1 / fabrics.PIXELS)
    place.postTranslate(*rng.uniform(0, SHEET[1], 2))
    return fabrics.tile(of).makeShader(
        skia.TileMode.kRepeat, skia.TileMode.kRepeat, SMOOTH, place
    )
