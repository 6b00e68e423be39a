"""Write a page's small pictures: each once, named by what it shows."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fashionlib.data import images
from fashionlib.data.files import atomic

WIDTH = 160  # pixels of a file
INLINE_WIDTH = 112  # of a data URL, which weighs on the page

Picture = tuple[str, int, int]  # file's name or data URL, width, height


def written(reference: str | Path, folder: Path) -> Picture:
    """Write the picture's JPEG into `folder` and return its name, width and height.

    A picture that is there isn't written again. The name is a sha256 of the original's
    bytes: no stale picture stays under a name, whatever the item ids are. ValueError
    naming a picture that can't be read.
    """
    try:
        name = hashlib.sha256(images.read(reference)).hexdigest()[:16] + ".jpg"
    except (OSError, ValueError, LookupError) as error:
        raise ValueError(
            f"cannot read the picture {reference}: {error}. Next step: fashionlib check"
        ) from error
    place = folder / name
    if not place.exists():
        with atomic(place) as part:
            part.write_bytes(images.jpeg(images.small(reference, WIDTH)))
    return name, *images.size(place)
