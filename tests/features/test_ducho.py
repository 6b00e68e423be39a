"""Ducho's folders: what it would read and write, names that leave the folder, files
that are not its.
"""

from pathlib import Path

import numpy as np
import pytest

from fashionlib.features import Features, ducho

PLACE = ("visual_embeddings", "torch", "ResNet50", "avgpool")


@pytest.fixture
def space() -> Features:
    return Features(
        ["0108775015", "7", "b"],
        np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32),
    )


def test_files_are_as_ducho_writes_them(space: Features, tmp_path: Path) -> None:
    folder = ducho.write(space, tmp_path, *PLACE)
    assert folder == tmp_path / "visual_embeddings" / "torch" / "ResNet50" / "avgpool"
    assert sorted(path.name for path in folder.iterdir()) == [
        "0108775015.npy",
        "7.npy",
        "b.npy",
    ]
    row = np.load(folder / "7.npy", allow_pickle=False)
    assert (
        row.shape == (1, 4)
        and row.dtype == np.float32
        and np.array_equal(row[0], space.matrix[1])
    )
    again = ducho.read(folder)
    assert (
        again.ids == space.ids
        and np.array_equal(again.matrix, space.matrix)
        and again.made_by["ducho"] == [*PLACE]
    )


def test_written_anew_no_old_item_stays(space: Features, tmp_path: Path) -> None:
    ducho.write(space, tmp_path, *PLACE)
    assert ducho.read(
        ducho.write(Features(["7"], np.ones((1, 2))), tmp_path, *PLACE)
    ).ids == ["7"]


def test_model_of_the_hub_and_flat_rows_are_read(tmp_path: Path) -> None:
    """The README of Paper A's code shows openai/clip-vit-base-patch16 as two folders;
    its BLIP-2 files are flat.
    """
    folder = tmp_path / "transformers" / "openai" / "clip-vit-base-patch16" / "1"
    folder.mkdir(parents=True)
    for name, row in (("0", [1.0, 2.0]), ("1", [3.0, 4.0])):
        np.save(folder / f"{name}.npy", np.array(row))
    assert ducho.read(folder).matrix.tolist() == [[1, 2], [3, 4]]
    space = Features(["0"], np.ones((1, 2), np.float32))
    assert ducho.write(
        space, tmp_path, "textual", "transformers", "openai/clip", "1"
    ).parts[-3:] == ("openai", "clip", "1")


@pytest.mark.parametrize(
    "item", ["../escaped", "/etc/x", "a/b", "a\\b", "..", "", "a.b", "x\0y"]
)
def test_id_that_is_no_file_name_is_refused(tmp_path: Path, item: str) -> None:
    with pytest.raises(ValueError, match="can't be the name of a file"):
        ducho.write(Features(["ok", item], np.ones((2, 2))), tmp_path / "out", *PLACE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "place",
    [
        ("..", "torch", "m", "1"),
        ("v", "torch", "../../m", "1"),
        ("v", "/x", "m", "1"),
        ("v", "torch", "/etc/m", "1"),
        ("v", "torch", "m", ""),
    ],
)
def test_folder_that_leaves_its_place_is_refused(
    space: Features, tmp_path: Path, place: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="can't be the name"):
        ducho.write(space, tmp_path, *place)


def test_mixed_dimensions_name_the_file_and_both_numbers(
    space: Features, tmp_path: Path
) -> None:
    folder = ducho.write(space, tmp_path, *PLACE)
    np.save(folder / "b.npy", np.ones((1, 5)))
    with pytest.raises(ValueError, match=r"b\.npy holds 5 features, 0108775015\.npy 4"):
        ducho.read(folder)


@pytest.mark.parametrize(
    "array",
    [np.array([{}], dtype=object), np.ones((2, 4)), np.ones(4, int), np.float64(1)],
)
def test_file_that_is_not_duchos_is_named(
    space: Features, tmp_path: Path, array: np.ndarray
) -> None:
    folder = ducho.write(space, tmp_path, *PLACE)
    np.save(folder / "7.npy", array, allow_pickle=True)
    with pytest.raises(ValueError, match=r"7\.npy"):
        ducho.read(folder)


def test_files_cut_short_and_links_outwards_are_named(
    space: Features, tmp_path: Path
) -> None:
    folder = ducho.write(space, tmp_path, *PLACE)
    (folder / "7.npy").write_bytes((folder / "b.npy").read_bytes()[:-3])
    with pytest.raises(ValueError, match=r"7\.npy is no array of numpy"):
        ducho.read(folder)
    (folder / "7.npy").unlink()
    np.save(tmp_path / "outside.npy", np.ones((1, 4)))
    (folder / "7.npy").symlink_to(tmp_path / "outside.npy")
    with pytest.raises(ValueError, match=r"7\.npy is a link that leaves"):
        ducho.read(folder)


def test_the_wrong_folder_names_the_right_one(space: Features, tmp_path: Path) -> None:
    ducho.write(space, tmp_path, *PLACE)
    with pytest.raises(ValueError, match="name one of .*avgpool"):
        ducho.read(tmp_path)
    with pytest.raises(ValueError, match="Ducho writes OUT"):
        ducho.read(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"rows of shape \(2, 3\)"):
        ducho.write(Features(["a"], np.ones((1, 2, 3))), tmp_path, *PLACE)
