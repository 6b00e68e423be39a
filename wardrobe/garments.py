"""The shapes of garments, drawn with Skia from back to front."""

from __future__ import annotations

import numpy as np
import skia

from wardrobe import accessories, bottoms, cloth, dresses, outerwear, tops
from wardrobe.catalogue import Garment
from wardrobe.draw import HEMS, INK, METALLIC, MIDDLE, Pen, around, curve, ink
from wardrobe.palette import mix
from wardrobe.prints import CHEST

SHAPES = {
    **tops.SHAPES,
    **outerwear.SHAPES,
    **dresses.SHAPES,
    **bottoms.SHAPES,
    **accessories.SHAPES,
}
SHEER = 125  # opacity of see-through cloth, of 255
GLOSSY = ("leather", "silk/chiffon")
# where a word or a graphic stands; on the others, on the chest
PLACES = {"cap": (66, 112), "bag": (80, 145)}


def draw(canvas: skia.Canvas, garment: Garment, colour: str) -> skia.Path:
    """Draw the garment and nothing else; return the outline that it covers.

    Both are in units of a 160 x 240 sheet. Its cloth falls as `garment.motif` says, so
    that all photos of a product show the same stripes at the same place.
    """
    shade = cloth.rgb(colour, garment.tone)
    canvas.save()
    canvas.translate(MIDDLE, 0)
    sheer = "see-through" in garment.details
    if sheer:
        hem = min(HEMS[garment.total_length] - 8, 124)
        slip = around(
            [(10, 63), (17, 60), (23, 68), (21.5, 86), (22 + (hem - 86) * 0.14, hem)]
        )
        canvas.drawPath(curve(slip), ink(mix(shade, INK, 0.3)))
    # a layer of its own, so that soft paint falls on nothing else
    canvas.saveLayerAlpha(None, SHEER if sheer else 255)
    rng = np.random.default_rng(garment.motif)
    chest = PLACES.get(garment.subcategory, CHEST)
    cut = cloth.paint(
        colour, garment.tone, garment.fabric, garment.pattern, rng, chest
    ).getShader()
    woven = skia.Paint(
        AntiAlias=True,
        Shader=cut.makeWithLocalMatrix(skia.Matrix.Translate(-MIDDLE, 0)),
    )
    shiny = garment.tone == METALLIC or garment.fabric in GLOSSY
    pen = Pen(canvas, woven, shade, shiny, garment.fabric == "fur")
    pen.ink = cloth.ink(shade, garment.fabric)
    SHAPES[garment.subcategory](pen, garment)
    canvas.restore()
    canvas.restore()
    pen.outline.offset(MIDDLE, 0)
    return pen.outline
