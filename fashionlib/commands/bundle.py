"""`fashionlib bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashionlib.commands.options import option

EXAMPLES = ["--profile tiny --out fashion-captioned.zip"]


def run(
    profile: Annotated[str, option("NAME", "a profile that has run")] = "tiny",
    out: Annotated[Path, option("FILE", "the archive to write")] = Path(
        "_build/fashion-captioned.zip"
    ),
) -> None:
    """Pack a run's executed notebooks and results into one archive with checksums.

    The archive's own checksum lies beside it, in FILE.sha256.
    """
    from fashionlib.book import site
    from fashionlib.data.files import digest

    found = digest(site.pack(profile, out))
    beside = out.with_name(f"{out.name}.sha256")
    beside.write_text(f"{found}  {out.name}\n", encoding="utf-8")
    typer.echo(f"{found}  {out}")
