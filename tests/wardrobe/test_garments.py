"""The drawn garments: each attribute is seen where it belongs, lengths and widths are
in order, drawings repeat.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
import skia

from fashionlib.labelling.attribute_schema import ATTRIBUTES, DETAILS, NONE
from wardrobe import catalogue, garments, views
from wardrobe.catalogue import KINDS, Garment
from wardrobe.draw import HEMS, SHEET, curve

ON_THE_BODY = [kind for kind in KINDS if kind in catalogue.CATEGORY_OF]
PLAIN = {"pattern": "solid", "tone": "normal", "fabric": "cotton"}


def sample(
    kind: str,
    seed: int = 3,
    details: frozenset[str] | set[str] = frozenset(),
    **attributes: str,
) -> Garment:
    """A garment of the kind in plain cotton with the details that all of it have and
    the given ones.
    """
    has = KINDS[kind].has | details
    garment = catalogue.garment(kind, np.random.default_rng(seed))
    return replace(
        garment, **(PLAIN | attributes), details=tuple(d for d in DETAILS if d in has)
    )


def drawn(garment: Garment, colour: str = "coral") -> np.ndarray:
    """The garment on a transparent sheet: (240, 160, 4), 0 to 255."""
    pixels = np.zeros((SHEET[1], SHEET[0], 4), np.uint8)
    canvas = skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    garments.draw(canvas, garment, colour)
    return pixels


def box(garment: Garment) -> skia.Rect:
    """The bounds of the outline, in sheet units."""
    recorder = skia.PictureRecorder()
    canvas = recorder.beginRecording(skia.Rect(*SHEET))
    return garments.draw(canvas, garment, "coral").computeTightBounds()


def change(one: Garment, other: Garment) -> np.ndarray:
    """How much each pixel of the sheet differs between two drawings with the same seed:
    (240, 160), 0 to 255.
    """
    return np.abs(drawn(one).astype(float) - drawn(other)).mean(axis=2)


def switched(kind: str, detail: str) -> np.ndarray:
    """What one detail changes on a garment of that kind."""
    return change(sample(kind), sample(kind, details={detail}))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_lies_inside_the_sheet_and_in_its_outline(kind: str) -> None:
    for seed in range(3):
        garment = catalogue.garment(kind, np.random.default_rng(seed))
        pixels = np.zeros((SHEET[1], SHEET[0], 4), np.uint8)
        canvas = skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas()
        outline = garments.draw(canvas, garment, "blue")
        bounds = outline.computeTightBounds()
        assert skia.Rect(1, 1, SHEET[0] - 1, SHEET[1] - 1).contains(bounds), tuple(
            bounds
        )
        covered = np.zeros_like(pixels)
        skia.Surface(covered, colorType=skia.kRGBA_8888_ColorType).getCanvas().drawPath(
            outline, skia.Paint()
        )
        assert (pixels[..., 3] > 60).mean() > 0.04
        assert (
            (pixels[..., 3] > 60) == (covered[..., 3] > 60)
        ).mean() > 0.97  # fur's hair stands out a little


@pytest.mark.parametrize("kind", ["cardigan", "flare skirt", "umbrella"])
def test_same_seed_same_bytes(kind: str) -> None:
    garment = catalogue.garment(kind, np.random.default_rng(1))
    one, again, other = (
        views.flat(garment, "red", np.random.default_rng(seed), (96, 144))
        for seed in (1, 1, 2)
    )
    assert one.size == (96, 144) and one.mode == "RGB"
    assert one.tobytes() == again.tobytes() != other.tobytes()


def test_a_flat_photo_has_a_light_backdrop_and_a_shadow_below() -> None:
    photo = np.asarray(
        views.flat(sample("t-shirt"), "navy", np.random.default_rng(0)), float
    ).mean(axis=2)
    assert photo[:6].min() > 190 and photo[-6:].min() > 190
    assert photo.min() < 80  # the navy shirt
    bare, lit = photo[-20:].mean(), photo[:20].mean()
    assert bare != pytest.approx(lit, rel=0.001)  # the lamp stands on one side


@pytest.mark.parametrize("kind", KINDS)
def test_a_flat_photo_cuts_nothing_off(kind: str) -> None:
    for seed in range(6):
        garment = replace(catalogue.garment(kind, np.random.default_rng(seed)), **PLAIN)
        photo = np.asarray(
            views.flat(garment, "navy", np.random.default_rng(seed)), float
        ).mean(axis=2)
        edge = np.concatenate([photo[0], photo[-1], photo[:, 0], photo[:, -1]])
        assert edge.min() > 150, (garment, seed)


def extent(seen: np.ndarray) -> tuple[int, int]:
    """The first and the last index at which anything is covered, of opacities summed
    over the other axis.
    """
    covered = np.nonzero(seen > 100)[0]
    return int(covered[0]), int(covered[-1])


def lower_edge(garment: Garment) -> int:
    """The last row of the sheet that the body or the legs cover; sleeves hang outside
    of these columns.
    """
    return extent(drawn(garment)[:, 56:104, 3].max(axis=1))[1]


@pytest.mark.parametrize("kind", [k for k in ON_THE_BODY if len(KINDS[k].lengths) > 1])
def test_longer_garments_end_lower(kind: str) -> None:
    lengths = sorted(KINDS[kind].lengths, key=ATTRIBUTES["total_length"].index)
    edges = [lower_edge(sample(kind, total_length=length)) for length in lengths]
    assert all(b > a + 10 for a, b in pairwise(edges))


@pytest.mark.parametrize("kind", ON_THE_BODY)
def test_lengths_are_the_same_on_every_garment(kind: str) -> None:
    garment = sample(kind)
    assert lower_edge(garment) == pytest.approx(HEMS[garment.total_length], abs=4)


@pytest.mark.parametrize("kind", ["socks", "boots"])
def test_footwear_rises_from_the_ground(kind: str) -> None:
    heights = [
        box(sample(kind, total_length=length)).height()
        for length in KINDS[kind].lengths
    ]
    assert all(b > a + 40 for a, b in pairwise(heights))


@pytest.mark.parametrize("kind", [k for k in KINDS if len(set(KINDS[k].sleeves)) == 3])
def test_longer_sleeves_are_wider_and_lower(kind: str) -> None:
    made = [
        sample(kind, sleeve_length=s, neckline="round", shoulder="normal")
        for s in ATTRIBUTES["sleeve_length"]
    ]
    bare, short, long = (
        extent(drawn(garment)[:85, :, 3].max(axis=0)) for garment in made
    )
    assert bare[1] - bare[0] + 8 < short[1] - short[0]
    assert long[1] - long[0] > short[1] - short[0] - 4
    where = change(made[1], made[2])
    assert where[72:128].sum() > 0.6 * where.sum()


@pytest.mark.parametrize("kind", [k for k in KINDS if len(set(KINDS[k].fits)) > 1])
def test_fits_differ_in_width(kind: str) -> None:
    widths = [
        box(sample(kind, fit=fit)).width()
        for fit in catalogue.FITS
        if fit in KINDS[kind].fits
    ]
    assert all(b > a + 2 for a, b in pairwise(widths))


@pytest.mark.parametrize("sleeves", ATTRIBUTES["sleeve_length"])
def test_necklines_differ_at_the_neck(sleeves: str) -> None:
    made = {
        n: sample(
            "blouse",
            neckline=n,
            shoulder="normal",
            sleeve_length=sleeves,
            zip_up=NONE,
            button=NONE,
        )
        for n in ATTRIBUTES["neckline"]
    }
    for one, other in combinations(made, 2):
        where = change(made[one], made[other])
        assert where.sum() > 4000, (one, other)
        assert where[:76].sum() > 0.9 * where.sum(), (one, other)


@pytest.mark.parametrize("sleeves", ATTRIBUTES["sleeve_length"])
def test_bare_shoulders_are_bare(sleeves: str) -> None:
    normal, off, one = (
        drawn(sample("long dress", neckline="boat", shoulder=s, sleeve_length=sleeves))[
            ..., 3
        ]
        for s in ATTRIBUTES["shoulder"]
    )
    above = slice(30, 46)
    assert off[above].sum() == 0 < normal[above].sum()
    assert one[above, 85:].sum() < 0.2 * normal[above, 85:].sum()
    assert one[above, :70].sum() > 0.5 * normal[above, :70].sum()


@pytest.mark.parametrize(
    "kind", [k for k in ON_THE_BODY if len(set(KINDS[k].closures)) > 1]
)
def test_zips_and_buttons_run_down_the_middle(kind: str) -> None:
    made = [
        sample(kind, zip_up=z, button=b) for z, b in dict.fromkeys(KINDS[kind].closures)
    ]
    for one, other in combinations(made, 2):
        where = change(one, other)
        assert where.sum() > 700
        assert where[:, 66:94].sum() > 0.9 * where.sum()
    half = [g for g in made if "half" in (g.zip_up, g.button)]
    full = [g for g in made if "full" in (g.zip_up, g.button)]
    none = [g for g in made if (g.zip_up, g.button) == (NONE, NONE)]
    for short, long in ((h, f) for h in half for f in full if none):
        assert (
            np.nonzero(change(none[0], short))[0].max()
            < np.nonzero(change(none[0], long))[0].max()
        )


# Where on the sheet (rows, columns) most of a detail's change is.
EVERYWHERE = (slice(0, 240), slice(0, 160))
NECK = (slice(0, 86), slice(30, 130))
WAIST = (slice(78, 136), slice(20, 140))
FRONT = (slice(36, 128), slice(50, 110))
PLACES = {
    "hood": (slice(0, 62), slice(40, 120)),
    "string": (slice(36, 170), slice(40, 120)),
    "waist banding": WAIST,
    "see-through": EVERYWHERE,
    "lace": EVERYWHERE,
    "ruffle": EVERYWHERE,
    "ribbon": (slice(40, 136), slice(30, 130)),
    "pocket": EVERYWHERE,
    "pintuck": EVERYWHERE,
}


@pytest.mark.parametrize(
    ("kind", "detail"), [(k, d) for k in KINDS for d in sorted(KINDS[k].may)]
)
def test_each_detail_is_seen_where_it_belongs(kind: str, detail: str) -> None:
    where = switched(kind, detail)
    assert where.sum() > 1200
    if kind in ON_THE_BODY:
        assert where[PLACES[detail]].sum() > 0.95 * where.sum()


def test_hood_and_collar_rise_above_a_bare_neck() -> None:
    neck = box(sample("vest", neckline="round")).top()
    assert box(sample("vest", neckline="round", details={"hood"})).top() < neck - 15
    assert box(sample("shirt")).top() < neck - 3  # all shirts have a collar


def test_see_through_cloth_lets_the_backdrop_through() -> None:
    for kind in ("blouse", "long dress"):
        plain = drawn(sample(kind, sleeve_length="long"))[..., 3]
        sheer = drawn(sample(kind, sleeve_length="long", details={"see-through"}))[
            ..., 3
        ]
        assert np.median(plain[plain > 0]) == 255
        assert ((sheer > 60) & (sheer < 200)).sum() > 0.5 * (plain > 60).sum()


def test_every_pair_of_subcategories_differs() -> None:
    made = {kind: drawn(sample(kind)).astype(float) for kind in ON_THE_BODY}
    for one, other in combinations(made, 2):
        assert np.abs(made[one] - made[other]).mean(axis=2).sum() > 6000, (one, other)


def test_a_curve_keeps_corners_and_passes_its_points() -> None:
    square = curve([(0, 0), (0, 10), (10, 10), (10, 0)])
    assert tuple(square.getBounds()) == (0, 0, 10, 10)
    assert square.contains(9.8, 9.8)  # a right angle is no bend
    bend = curve([(0, 0), (5, 1), (10, 0)], closed=False)
    points = [(p.x(), p.y()) for p in bend.getPoints(bend.countPoints())]
    assert (5.0, 1.0) in points and bend.countPoints() == 7  # two cubic pieces


def test_one_attribute_varies_and_nothing_else() -> None:
    rng = np.random.default_rng(2)
    products = catalogue.assortment(rng)
    assert list(products) == list(KINDS)
    plain = catalogue.plain(products["blouse"], button="full")
    assert (plain.pattern, plain.fabric, plain.tone) == ("solid", "cotton", "normal")
    assert (plain.details, plain.button) == ((), "full")
    assert plain.fit == products["blouse"].fit
    varied = catalogue.varied(plain, "neckline")
    assert list(varied) == list(ATTRIBUTES["neckline"]) and varied["round"] == plain
    assert {replace(garment, neckline="round") for garment in varied.values()} == {
        plain
    }


def test_shop_photos_of_one_seed_differ_by_the_garment_alone() -> None:
    garment = catalogue.garment("coat", np.random.default_rng(3))
    once, again = views.flats([garment, garment], "navy", 4, (40, 60))
    assert np.array_equal(once, again)
    navy, red = views.flats([garment, garment], ["navy", "red"], 4, (40, 60))
    assert np.array_equal(once, navy) and not np.array_equal(navy, red)
    with pytest.raises(ValueError, match="shorter"):
        views.flats([garment, garment], ["navy"], 4)
