"""What the per-user temporal split shares between its sides, on rows counted by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from fashionlib import purchases


def test_what_a_split_leaks_is_counted() -> None:
    def rows(*found: tuple[str, str, int]) -> pd.DataFrame:
        days = pd.to_datetime([f"2020-09-{day:02d}" for _, _, day in found])
        return pd.DataFrame({"user_id": [u for u, _, _ in found], "item_id": [i for _, i, _ in found], "date": days})

    train = rows(("a", "0000001001", 1), ("a", "0000002001", 2), ("b", "0000001001", 1))
    test = rows(("a", "0000002002", 2), ("a", "0000001001", 5), ("b", "0000003001", 1), ("c", "0000001001", 1))
    found = purchases.leaks(train, test)
    assert found["same day"] == 2 / 4  # a on day 2, b on day 1; c has no train row
    assert found["same day and product"] == 1 / 4  # product 0000002 of a on day 2
    assert found["bought before"] == 1 / 4  # a's first article
    assert found["one row"] == 1 / 3  # c, of a, b and c
    with pytest.raises(ValueError, match="3 train and 0 test rows"):
        purchases.leaks(train, test[:0])


def test_table_one_counts() -> None:
    days = pd.to_datetime(["2020-09-01"] * 10)
    table = pd.DataFrame({"user_id": ["a"] * 6 + ["b"] * 4, "item_id": list("xyzxyzxyzx"), "date": days})
    found = purchases.counts(table)
    assert found == {"users": 2, "items": 3, "transactions": 10, "train": 4 + 3, "test": 2 + 1}
