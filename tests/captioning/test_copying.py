"""Captions copied from training items, on a planted truth."""

import numpy as np
import pandas as pd

from fashionlib.captioning import copying
from fashionlib.features import Features


def test_each_baseline_copies_from_the_training_items_as_it_says():
    split = pd.DataFrame(
        {
            "caption": ["red", "red", "blue", "bag", "?", "?"],
            "category": ["top", "top", "top", "bag", "top", "hat"],
            "split": ["train"] * 4 + ["test"] * 2,
        },
        index=list("abcdxy"),
    )
    angles = np.array([0.0, 0.2, 1.0, 1.5, 0.9, 1.4])  # x lies by c, y by d
    matrix = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    pictures = Features(list("abcdxy"), matrix, {})
    copies = copying.copies(split, pictures, seed=0)
    assert copies[copying.NEAREST] == {"x": "blue", "y": "bag"}
    # the commonest top; no hat in training, so the commonest of all
    assert copies[copying.TYPICAL] == {"x": "red", "y": "red"}
    assert copies[copying.RANDOM].keys() == {"x", "y"}
    assert set(copies[copying.RANDOM].values()) <= {"red", "blue", "bag"}
    assert copies == copying.copies(split, pictures, seed=0)


def test_a_caption_is_looked_up_by_its_product_and_no_picture_is_read():
    split = pd.DataFrame(
        {
            "product_id": ["1", "1", "2", "2", "1", "3"],
            "caption": ["red", "red", "blue", "blue", "?", "?"],
            "category": ["bag", "bag", "top", "top", "top", "top"],
            "split": ["train"] * 4 + ["test"] * 2,
        },
        index=list("abcdxy"),
    )
    # y's product is unknown, so the commonest of its category
    assert copying.looked_up(split) == {"x": "red", "y": "blue"}
