"""Ducho's folders of features, one .npy of shape (1, dim) an item: what Paper A's
framework (Ducho-meets-Elliot) reads.

    OUT/<modality>/<backend>/<model>/<layer>/<item id>.npy      visual_embeddings/torch/ResNet50/avgpool/0108775015.npy

Read and written here without Ducho itself, which is not on PyPI (Malitesta et al.,
2023; github.com/sisinflab/Ducho).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from fashionlib.data.files import atomic
from fashionlib.features.spaces import Features

NAME = re.compile(r"[^./\\\0]+")  # Ducho cuts a file's name at its first point


def write(
    space: Features, out: Path, modality: str, backend: str, model: str, layer: str
) -> Path:
    """Write one .npy an item, float32, and return their folder; one that exists is
    replaced as a whole.

    ValueError naming an id, or a part of the folder, that is no plain file name, and
    where rows are grids.
    """
    if space.matrix.ndim != 2:
        raise ValueError(
            f"rows of shape {space.matrix.shape[1:]}; Ducho keeps a vector an item:"
            " pool the cells first"
        )
    parts = [modality, backend, *model.split("/"), layer]
    bad = [
        part for part in parts if part in ("", ".", "..") or re.search(r"[/\\\0]", part)
    ]
    bad += [item for item in space.ids if not NAME.fullmatch(item)]
    if bad:
        raise ValueError(
            f"{bad[0]!r} can't be the name of a file in Ducho's folder: no slash, no"
            " point, not empty"
        )
    folder = Path(out).joinpath(*parts)
    with atomic(folder) as part:
        part.mkdir()
        for item, row in zip(space.ids, space.matrix, strict=True):
            np.save(
                part / f"{item}.npy", row[None].astype(np.float32), allow_pickle=False
            )  # (1, dim)
    return folder


def read(folder: Path) -> Features:
    """The .npy files right in `folder`, ids by file name, sorted: (items, dim) float32.
    A (dim,) array is taken too.

    ValueError naming the file that is a link out of the folder, no array of floats, or
    of another length than the first; and naming the folders below that hold .npy files
    where this one holds none.
    """
    paths = sorted(Path(folder).glob("*.npy"))
    if not paths:
        below = sorted({str(path.parent) for path in Path(folder).rglob("*.npy")})
        raise ValueError(
            f"no .npy in {folder}; "
            + (
                f"name one of {', '.join(below[:5])}"
                if below
                else "Ducho writes OUT/<modality>/<backend>/<model>/<layer>"
            )
        )
    first = _row(paths[0])
    matrix = np.empty((len(paths), len(first)), np.float32)
    for n, path in enumerate(paths):
        row = _row(path)
        if len(row) != len(first):
            raise ValueError(
                f"{path} holds {len(row)} features, {paths[0].name} {len(first)}: one"
                " folder, one model; extract them anew"
            )
        matrix[n] = row
    return Features(
        [path.stem for path in paths], matrix, {"ducho": list(Path(folder).parts[-4:])}
    )


def _row(path: Path) -> np.ndarray:
    """(dim,) of a .npy file; no pickles."""
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
    if (
        array.dtype.kind != "f"
        or array.ndim not in (1, 2)
        or array.shape[:-1] not in ((), (1,))
    ):
        raise ValueError(
            f"{path} holds {array.dtype} of shape {array.shape}; Ducho's are floats of"
            " shape (1, dim)"
        )
    return array.reshape(-1)
