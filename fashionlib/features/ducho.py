"""Ducho's folders of features, one .npy of shape (1, dim) an item.

Paper A's framework, Ducho-meets-Elliot, reads such folders:

    OUT/<modality>/<backend>/<model>/<layer>/<item id>.npy
    OUT/visual_embeddings/torch/ResNet50/avgpool/0108775015.npy

Read and written here without Ducho itself, which is not on PyPI (Malitesta et al.,
2023; github.com/sisinflab/Ducho).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from fashionlib.data.files import atomic
from fashionlib.features.spaces import Features

ITEM = re.compile(r"[^./\\\0]+")  # Ducho cuts a file's name at its first point
FOLDER = re.compile(r"(?!\.{1,2}$)[^/\\\0]+")


def write(
    space: Features, out: Path, modality: str, backend: str, model: str, layer: str
) -> Path:
    """Write one .npy an item, float32, and return their folder.

    A folder that exists is replaced as a whole. ValueError naming an id, or a part of
    the folder, that is no plain file name, and where rows are grids.
    """
    if space.matrix.ndim != 2:
        raise ValueError(
            f"rows of shape {space.matrix.shape[1:]}; Ducho keeps a vector an item:"
            " pool the cells first"
        )
    parts = [modality, backend, *model.split("/"), layer]
    bad = [part for part in parts if not FOLDER.fullmatch(part)]
    bad += [item for item in space.ids if not ITEM.fullmatch(item)]
    if bad:
        raise ValueError(
            f"{bad[0]!r} can't be the name of a file in Ducho's folder: no slash, no"
            " point, not empty"
        )
    folder = Path(out).joinpath(*parts)
    with atomic(folder) as part:
        part.mkdir()
        for item, row in zip(space.ids, space.matrix, strict=True):
            vector = row[None].astype(np.float32)  # (1, dim)
            np.save(part / f"{item}.npy", vector, allow_pickle=False)
    return folder


def read(folder: Path) -> Features:
    """Read the .npy files right in `folder` as (items, dim) float32, ids sorted.

    Ids are the files' names; an array of shape (dim,) is taken too. ValueError naming
    the file that is a link out of the folder, no array of floats, or of another length
    than the first; and naming the folders below that hold .npy files where this one
    holds none.
    """
    folder = Path(folder)
    paths = sorted(folder.glob("*.npy"))
    if not paths:
        below = sorted({str(path.parent) for path in folder.rglob("*.npy")})
        advice = (
            f"name one of {', '.join(below[:5])}"
            if below
            else "Ducho writes OUT/<modality>/<backend>/<model>/<layer>"
        )
        raise ValueError(f"no .npy in {folder}; {advice}")
    rows = []
    for path in paths:
        row = _row(path)
        if rows and len(row) != len(rows[0]):
            raise ValueError(
                f"{path} holds {len(row)} features, {paths[0].name} {len(rows[0])}: one"
                " folder, one model; extract them anew"
            )
        rows.append(row)
    ids = [path.stem for path in paths]
    return Features(ids, np.stack(rows), {"ducho": list(folder.parts[-4:])})


def _row(path: Path) -> np.ndarray:
    """Read (dim,) float32 of a .npy file; no pickles."""
    if not path.resolve().is_relative_to(path.parent.resolve()):
        raise ValueError(
            f"{path} is a link that leaves its folder; copy the file there"
        )
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(
            f"{path} is no array of numpy: {error}. Extract this item's features anew"
        ) from error
    one_row = array.ndim == 1 or (array.ndim == 2 and len(array) == 1)
    if array.dtype.kind != "f" or not one_row:
        raise ValueError(
            f"{path} holds {array.dtype} of shape {array.shape}; Ducho's are floats of"
            " shape (1, dim)"
        )
    return array.reshape(-1).astype(np.float32)
