"""Cloth: every colour can be named in every tone, every fabric and pattern seen, at any
size, the same each time.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("skia")

import skia

from fashionlib.labelling.attribute_schema import ATTRIBUTES
from wardrobe import cloth, fabrics, palette, patterns, prints


def patch(
    colour="blue", tone="normal", fabric="cotton", pattern="solid", seed=0, scale=1.0
) -> np.ndarray:
    """The torso's part of the sheet covered with the cloth, (pixels, pixels, 3) of 64 x
    64 units.
    """
    side = round(64 * scale)
    pixels = np.zeros((side, side, 4), np.uint8)
    canvas = skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    canvas.scale(scale, scale)
    canvas.translate(-48, -40)
    canvas.drawPaint(
        cloth.paint(colour, tone, fabric, pattern, np.random.default_rng(seed))
    )
    assert (pixels[..., 3] == 255).all()
    return pixels[..., :3].astype(float)


def halved(pixels: np.ndarray) -> np.ndarray:
    return (
        pixels[::2, ::2] + pixels[1::2, ::2] + pixels[::2, 1::2] + pixels[1::2, 1::2]
    ) / 4


def test_the_schema_s_words_are_the_keys():
    assert tuple(cloth.COLOURS) == ATTRIBUTES["colour"]
    assert tuple(fabrics.FABRICS) == ATTRIBUTES["fabric"]
    assert set(patterns.PATTERNS) == set(ATTRIBUTES["pattern"])


@pytest.mark.parametrize("tone", ATTRIBUTES["tone"])
def test_a_colour_can_be_named_in_each_tone(tone):
    """The median of a plain cotton patch (not its gleams) is nearest to its own colour;
    colours are well apart.
    """
    names = list(cloth.COLOURS)
    shades = np.array([cloth.rgb(name, tone) for name in names], float)
    seen = np.array([np.median(patch(name, tone), (0, 1)) for name in names])
    apart = np.linalg.norm(seen[:, None] - shades[None], axis=-1)  # (17 seen, 17 meant)
    assert [names[i] for i in apart.argmin(1)] == names
    assert (
        np.linalg.norm(shades[:, None] - shades[None], axis=-1)[
            ~np.eye(17, dtype=bool)
        ].min()
        > 30
    )


def test_tones_change_a_colour_as_they_say():
    for name in cloth.COLOURS:
        plain, light, vivid = (
            np.array(cloth.rgb(name, t), float)
            for t in ("normal", "pastel/light", "vivid")
        )
        assert light.mean() > plain.mean()
        assert np.ptp(vivid) >= np.ptp(plain)
    assert (
        patch(tone="metallic/shiny").std((0, 1)).min() > 3 * patch().std((0, 1)).max()
    )


@pytest.mark.parametrize("fabric", [f for f in ATTRIBUTES["fabric"] if f != "cotton"])
@pytest.mark.parametrize("colour", ["black", "white", "green"])
def test_a_fabric_differs_from_plain_cotton(fabric, colour):
    plain, woven = (
        patch(colour, fabric=f, scale=1.4).mean(-1) for f in ("cotton", fabric)
    )
    assert (
        woven.std() > 2 * plain.std()
        or abs(woven.mean() - plain.mean()) > 4 * plain.std()
    )


@pytest.mark.parametrize("pattern", [p for p in ATTRIBUTES["pattern"] if p != "solid"])
@pytest.mark.parametrize("colour", ["black", "white", "green"])
def test_a_pattern_differs_from_solid(pattern, colour):
    plain, printed = patch(colour), patch(colour, pattern=pattern)
    away = np.linalg.norm(printed - plain.mean((0, 1)), axis=-1) > 40
    assert 0.04 < away.mean() < 0.95


def look(fabric: str, colour: str, seed: int, scale: float) -> np.ndarray:
    """What a glance takes in of a patch: how much it varies in each size and direction,
    and towards light or dark.
    """
    grey = patch(colour, fabric=fabric, seed=seed, scale=scale).mean(-1)
    off = grey - grey.mean()
    power = np.abs(np.fft.fft2(off)) ** 2
    fy, fx = np.meshgrid(*(np.fft.fftfreq(n) for n in grey.shape), indexing="ij")
    ring = np.digitize(np.hypot(fx, fy), [0.03, 0.08, 0.14, 0.22, 0.32])
    way = (np.round(np.degrees(np.arctan2(fy, fx)) / 45) % 4).astype(int)
    energy = np.bincount((ring * 4 + way).ravel(), power.ravel(), 24)
    return np.append(np.log(energy + 1e-3), 3 * np.cbrt((off**3).mean()) / off.std())


@pytest.mark.parametrize("scale, least", [(1.4, 0.95), (0.6, 0.9)])
def test_fabrics_can_be_told_apart(scale, least):
    """The nearest of the fabrics' mean looks names a new piece of cloth, 224 (and 96)
    pixels wide.
    """
    names = list(fabrics.FABRICS)
    known = np.array(
        [np.mean([look(f, "blue", seed, scale) for seed in range(6)], 0) for f in names]
    )
    right = [
        names[np.linalg.norm(known - look(f, "blue", seed, scale), axis=1).argmin()]
        == f
        for f in names
        for seed in range(10, 14)
    ]
    assert np.mean(right) >= least


@pytest.mark.parametrize("fabric", fabrics.TILES)
def test_a_tile_is_seamless(fabric):
    """The step over its edges is no larger than steps inside."""
    tile = (
        fabrics.tile(fabric)
        .toarray(colorType=skia.kRGBA_8888_ColorType)[..., 0]
        .astype(float)
    )
    for axis in (0, 1):
        seam = np.abs(np.take(tile, 0, axis) - np.take(tile, -1, axis)).mean()
        inside = np.abs(np.diff(tile, axis=axis)).mean(1 - axis)
        assert seam <= inside.max() * 1.05 + 1


@pytest.mark.parametrize("pattern", patterns.PATTERNS)
def test_the_same_seed_gives_the_same_bytes(pattern):
    first, again, other = (
        patch("red", pattern=pattern, fabric="denim", seed=seed) for seed in (3, 3, 4)
    )
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize(
    "fabric, pattern",
    [
        ("silk/chiffon", "solid"),
        ("down", "solid"),
        ("cotton", "check"),
        ("cotton", "flower"),
        ("cotton", "lettering"),
        ("wool knit", "argyle"),
        ("cotton", "camouflage"),
        ("velvet/velveteen", "other"),
    ],
)
def test_cloth_is_the_same_at_every_size(fabric, pattern):
    small, large = (
        patch("purple", fabric=fabric, pattern=pattern, scale=scale)
        for scale in (1.5, 3)
    )
    assert np.abs(halved(large) - small).mean() < 7
    shifted = np.roll(halved(large), 8, axis=1)
    assert np.abs(shifted - small).mean() > np.abs(halved(large) - small).mean() * 2


def test_lettering_is_words_from_the_shipped_font():
    assert prints.typeface().getFamilyName() == "DejaVu Sans"
    bounds = prints.letters("HELLO").getBounds()
    assert 300 < bounds.width() < 420 and bounds.height() == pytest.approx(
        75, abs=4
    )  # 100 units high, capitals of 73


def test_a_motif_moves_with_the_chest():
    pixels = []
    for chest in (prints.CHEST, (80, 130)):
        surface = np.zeros((240, 160, 4), np.uint8)
        canvas = skia.Surface(surface, colorType=skia.kRGBA_8888_ColorType).getCanvas()
        canvas.drawPaint(
            cloth.paint(
                "black", "normal", "cotton", "graphic", np.random.default_rng(1), chest
            )
        )
        pixels.append(np.argwhere(surface[..., :3].max(-1) > 130).mean(0))
    assert pixels[1] - pixels[0] == pytest.approx([60, 0], abs=1.5)


def test_seams_and_motifs_stand_out():
    for shade in cloth.COLOURS.values():
        for on_it in (
            cloth.ink(shade),
            cloth.ink(shade, "denim"),
            palette.accent(shade),
        ):
            assert abs(palette.luminance(on_it) - palette.luminance(shade)) > 20
        assert palette.inks(shade).prints
