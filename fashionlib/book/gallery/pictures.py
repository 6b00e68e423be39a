"""Small pictures for a page: files written once and named by what they show, or data
addresses.
"""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path

from PIL import Image

from fashionlib.data import images
from fashionlib.data.files import atomic

WIDTH = 160  # pixels of a file
INLINE_WIDTH = 112  # of a data address, which weighs on the page

Picture = tuple[str, int, int]  # file's name or data address, width, height


def written(reference: str | Path, folder: Path) -> Picture:
    """Name, width and height of the picture's JPEG in `folder`, which is written unless
    it is there.

    The name is a sha256 of the original's bytes: no stale picture stays under a name,
    whatever the item ids are. ValueError naming a picture that can't be read.
    """
    try:
        name = hashlib.sha256(images.read(reference)).hexdigest()[:16] + ".jpg"
    except (OSError, ValueError, LookupError) as error:
        raise ValueError(
            f"cannot read the picture {reference}: {error}. Next step: fashionlib check"
        ) from error
    place = Path(folder) / name
    if not place.exists():
        with atomic(place) as part:
            part.write_bytes(_jpeg(images.small(reference, WIDTH)))
    return name, *images.size(place)


def inline(reference: str | Path, width: int = INLINE_WIDTH) -> Picture:
    """The picture as a JPEG data address, with its width and height; errors as
    `images.load`.
    """
    small = images.small(reference, width)
    return (
        "data:image/jpeg;base64," + base64.b64encode(_jpeg(small)).decode(),
        *small.size,
    )


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
