"""Photos of articles: the right size, the same each time, the garment where its box
says, its colour from near.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("skia")

from wardrobe import catalogue, cloth, scenes, views

COLOURS = tuple(cloth.COLOURS)


def garment(kind: str, seed: int = 0, **parts) -> catalogue.Garment:
    return replace(catalogue.garment(kind, np.random.default_rng(seed)), **parts)


def plain(kind: str, seed: int = 0, tone: str = "vivid") -> catalogue.Garment:
    return garment(kind, seed, fabric="cotton", pattern="solid", tone=tone)


def like(picture, colour: str, tone: str) -> np.ndarray:
    """Which pixels have the colour's hue and saturation, whatever their light; (height,
    width) booleans.
    """
    pixels, shade = np.asarray(picture, float), np.array(cloth.rgb(colour, tone), float)
    directions = pixels / np.linalg.norm(pixels, axis=-1, keepdims=True).clip(1)
    return (directions @ (shade / np.linalg.norm(shade)) > 0.985) & (
        pixels.max(-1) > 30
    )


@given(
    kind=st.sampled_from(list(catalogue.KINDS)),
    colour=st.sampled_from(COLOURS),
    seed=st.integers(0, 2**32),
    size=st.sampled_from([(160, 240), (96, 96), (224, 224), (60, 90)]),
)
@settings(max_examples=60, deadline=None)
def test_a_box_lies_inside_its_photo(kind, colour, seed, size):
    picture, box = views.consumer(
        garment(kind, seed), colour, np.random.default_rng(seed), size
    )
    left, upper, right, lower = box
    assert picture.size == size and picture.mode == "RGB"
    assert 0 <= left < right <= size[0] and 0 <= upper < lower <= size[1]
    assert min(right - left, lower - upper) >= views.LEAST


def test_boxes_are_not_whole_photos():
    shares = []
    for seed, kind in enumerate(catalogue.KINDS):
        _, (left, upper, right, lower) = views.consumer(
            garment(kind, seed), "red", np.random.default_rng(seed)
        )
        shares.append((right - left) * (lower - upper) / (160 * 240))
    assert 0.15 < np.mean(shares) < 0.7
    assert min(shares) < 0.15 and np.mean(np.array(shares) > 0.95) < 0.1


@pytest.mark.parametrize("colour", ["red", "blue", "green", "purple"])
def test_a_vivid_garment_s_colour_is_in_its_box(colour):
    inside, outside = [], []
    for seed, kind in enumerate(
        ("t-shirt", "coat", "mini dress", "slacks", "flare skirt", "bag", "scarf") * 2
    ):
        picture, (left, upper, right, lower) = views.consumer(
            plain(kind, seed), colour, np.random.default_rng(seed)
        )
        matches = like(picture, colour, "vivid")
        box = np.zeros(matches.shape, bool)
        box[upper:lower, left:right] = True
        inside.append(matches[box].mean())
        outside.append(matches[~box].mean() if not box.all() else 0)
    assert np.mean(inside) > 0.3
    assert np.mean(inside) > 4 * np.mean(outside)


def test_the_box_is_tight():
    """Where two photos differ only by the garment's pattern, what differs lies in its
    box and, if nothing hides a part, reaches its edges.
    """
    gaps = []
    for seed, kind in enumerate(
        ("t-shirt", "sweater", "mini dress", "shorts", "cap") * 3
    ):
        piece = plain(kind, seed, tone="normal")
        solid, box = views.consumer(piece, "coral", np.random.default_rng(seed))
        squares, same = views.consumer(
            replace(piece, pattern="checkerboard"), "coral", np.random.default_rng(seed)
        )
        assert box == same
        differs = np.abs(np.asarray(solid, int) - np.asarray(squares, int)).max(-1) > 20
        rows = np.flatnonzero(differs.mean(1) > 0.02)
        columns = np.flatnonzero(differs.mean(0) > 0.02)
        inward = (
            columns[0] - box[0],
            rows[0] - box[1],
            box[2] - columns[-1],
            box[3] - rows[-1],
        )
        assert min(inward) > -5
        gaps += inward
    assert np.median(gaps) < 6 and np.quantile(gaps, 0.8) < 13


@pytest.mark.parametrize("kind", catalogue.KINDS)
def test_a_detail_shows_the_garment_s_colour(kind):
    """From near, its colour fills much of the picture (a shoe's sole, a zip or the wall
    the rest).
    """
    shares = [
        like(
            views.detail(plain(kind, seed), "red", np.random.default_rng(seed)),
            "red",
            "vivid",
        ).mean()
        for seed in range(4)
    ]
    assert np.mean(shares) > 0.25


def test_a_detail_is_nearer_than_the_flat_photo():
    """Checks of one cloth are 2.5 to 4 times as large, so edges that much rarer."""
    piece = garment(
        "long dress",
        1,
        fabric="cotton",
        pattern="checkerboard",
        tone="normal",
        details=(),
    )

    def edges(view, seed: int) -> float:
        grey = np.asarray(
            view(piece, "black", np.random.default_rng(seed), (320, 480)).convert("L"),
            float,
        )
        return (np.abs(np.diff(grey[180:300, 120:200], axis=1)) > 60).mean()

    flat, near = (
        np.mean([edges(view, seed) for seed in range(8)])
        for view in (views.flat, views.detail)
    )
    assert 2 < flat / near < 5


@pytest.mark.parametrize("view", [views.flat, views.detail, views.consumer])
def test_the_same_seed_gives_the_same_photo(view):
    def shot(seed: int) -> bytes:
        picture = view(garment("jacket", 2), "khaki", np.random.default_rng(seed))
        return (picture[0] if view is views.consumer else picture).tobytes()

    assert shot(7) == shot(7)
    assert shot(7) != shot(8)


def test_scenes_and_people_vary():
    """No background repeats: 12 photos of one garment differ all over."""
    piece = plain("t-shirt")
    photos = [
        np.asarray(views.consumer(piece, "red", np.random.default_rng(seed))[0], float)
        for seed in range(12)
    ]
    apart = [np.abs(a - b).mean() for i, a in enumerate(photos) for b in photos[:i]]
    assert min(apart) > 20


@pytest.mark.parametrize("place", scenes.PLACES, ids=lambda place: place.__name__)
def test_a_scene_is_cluttered(place):
    import skia

    pixels = np.zeros((240, 160, 4), np.uint8)
    place(
        skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas(),
        160,
        np.random.default_rng(3),
    )
    assert (pixels[..., 3] == 255).all()
    assert len(np.unique(pixels[..., :3].reshape(-1, 3) // 32, axis=0)) > 12
