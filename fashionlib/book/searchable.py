"""Show a table that a reader searches, filters and sorts, without a server."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from fashionlib.book.figures import TEMPLATES


def table(rows: pd.DataFrame, filters: pd.DataFrame, links: pd.Series) -> HTML:
    """Write the rows' texts with a search box, and a choice for each of `filters`.

    All three have one index, whose labels head the rows and lead to `links`. Lines of a
    text stay lines; text is escaped. Without the script the whole table is there.
    """
    lines = [
        {
            "id": name,
            "link": links[name],
            "texts": [*row],
            "values": [*filters.loc[name]],
        }
        for name, row in zip(rows.index, rows.to_numpy(), strict=True)
    ]
    choices = {
        name: values.value_counts().to_dict() for name, values in filters.items()
    }
    page = TEMPLATES.get_template("searchable.html")
    return HTML(page.render(columns=[*rows], rows=lines, choices=choices))
