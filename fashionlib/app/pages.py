"""The app's page: a photo with its crop on the left, Search and Captions on the right.

Imports gradio.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial, wraps
from importlib import resources
from typing import Any

import gradio as gr

from fashionlib.app import answers, photo
from fashionlib.app.photo import WHOLE, InputError
from fashionlib.data import images

MOST_BYTES = "20mb"
MINUTES = 60  # that Gradio keeps what was uploaded
FILTERS = ("category", "colour")  # columns of the index
FONTS = ["system-ui", "sans-serif"]  # on every machine; no font is fetched
# one question at a time, the others queue
MODEL = {
    "concurrency_id": "model",
    "concurrency_limit": 1,
    "api_visibility": "private",
}
HTML = partial(gr.HTML, apply_default_css=False)
log = logging.getLogger(__name__)


def create(
    index: Any = None,
    captioners: Mapping[str, Any] | None = None,
    pool: Collection[str] | None = None,
) -> gr.Blocks:
    """Lay out the app, whose `launch()` serves it on this machine alone.

    `index` is a `search.Index`; `captioners` (name -> Captioner) must read photos;
    `pool` holds the lemmas that count as attributes (None: every noun and adjective).
    ValueError for a captioner that reads no photos.
    """
    captioners = captioners or {}
    for name, captioner in captioners.items():
        if captioner.rows is not None and captioner.rows.cells is None:
            raise ValueError(
                f"captioner {name!r} reads features, not photos: its folder has no"
                " cells.safetensors, the projection that notebook 03 keeps. Save it"
                " again with that, or give another captioner"
            )
    with gr.Blocks(
        title="Fashion, searched and captioned",
        analytics_enabled=False,
        delete_cache=(600, 60 * MINUTES),
    ) as blocks:
        HTML("<h1>Fashion, searched and captioned</h1>")
        with gr.Row():
            with gr.Column(scale=1, min_width=300):
                given = _photo()
            with gr.Column(scale=2, min_width=300):
                with gr.Tab("Search"):
                    _search(index, given)
                with gr.Tab("Captions"):
                    _captions(captioners, pool, given)
    blocks.queue(max_size=32)
    package = resources.files("fashionlib")
    sheets = [package / "book/gallery/gallery.css", package / "app/app.css"]
    style = "".join(sheet.read_text("utf-8") for sheet in sheets)
    # what keeps the page to this machine, however it is launched
    blocks.launch = partial(
        blocks.launch,
        server_name="127.0.0.1",
        share=False,
        max_file_size=MOST_BYTES,
        ssr_mode=False,
        footer_links=[],
        run_history=False,
        head=f"<style>{style}</style>",
        theme=_theme(),
    )
    return blocks


def _theme() -> gr.themes.Base:
    """Return Gradio's own theme, with fonts of the reader's machine.

    Its quiet text has a contrast of 4.5 to 1.
    """
    theme = gr.themes.Default(font=FONTS, font_mono=["monospace"])
    quiet = ("body_text_color_subdued", "block_info_text_color")
    return theme.set(**dict.fromkeys(quiet, "*neutral_500"))


def _photo() -> list[gr.components.Component]:
    """Lay out the photo's file, a preview to click and the crop's four edges.

    Returns the file and the edges.
    """
    # A phone turns its own formats into these; the bytes are checked too.
    suffixes = list(images.SUFFIXES)
    file = gr.File(label="Photo (JPEG, PNG, WebP …)", file_types=suffixes, height=150)
    alert = HTML()
    preview = gr.Image(
        show_label=False,
        interactive=False,
        visible=False,
        buttons=[],
        height=320,
        alt_text="Your photo; what the crop leaves out is dark",
    )
    with gr.Accordion(
        "Crop: click two corners, or set it here", open=False, visible=False
    ) as crop:
        edges = [
            gr.Slider(0, 100, value, step=1, label=name, buttons=[])
            for name, value in zip(
                ("Left", "Top", "Right", "Bottom"), WHOLE, strict=True
            )
        ]
        whole = gr.Button("Whole photo")
    corner = gr.State()
    drawn = [alert, preview]
    everything = [alert, preview, crop, corner, *edges]
    quick = {
        "show_progress": "hidden",
        "api_visibility": "private",
        "trigger_mode": "always_last",
    }
    file.change(_opened, file, everything, **quick)
    whole.click(_opened, file, everything, **quick)
    preview.select(_clicked, [file, corner, *edges], everything, **quick)
    for edge in edges:
        edge.input(_drawn, [file, *edges], drawn, **quick)
    return [file, *edges]


def _opened(path: str | None) -> tuple[Any, ...]:
    """Return message, preview, crop's panel, clicked corner and edges.

    They are for a photo just given, or taken away.
    """
    alert, preview = _drawn(path, *WHOLE)
    there = preview is not None
    image, crop = gr.Image(preview, visible=there), gr.Accordion(visible=there)
    return alert, image, crop, None, *WHOLE


def _drawn(path: str | None, *edges: float) -> tuple[str, Any]:
    """Return message and preview of the photo with its crop.

    Where the crop is too small, the preview stays as it was.
    """
    picture = None
    try:
        picture = photo.read(path) if path else None
        return "", photo.outlined(picture, edges) if picture else None
    except InputError as error:
        return answers.message(str(error)), gr.skip() if picture else None


def _clicked(
    event: gr.SelectData, path: str, corner: list[int] | None, *edges: float
) -> tuple[Any, ...]:
    """Return the same as `_opened`, after a click on the photo.

    It is the first corner of a new crop, or the one opposite.
    """
    if corner is None:
        alert = answers.message("Now click the opposite corner.")
        return alert, gr.skip(), gr.skip(), event.index, *edges
    edges = photo.between(corner, event.index, photo.read(path).size)
    return *_drawn(path, *edges), gr.Accordion(open=True), None, *edges


def _search(index: Any, given: list[gr.components.Component]) -> None:
    if index is None:
        HTML(
            answers.message(
                "No index is loaded. Next step: fashionlib index ITEMS, then fashionlib"
                " app --index."
            )
        )
        return
    words = gr.Textbox(
        label="Words",
        placeholder="red striped dress",
        max_length=answers.MOST_CHARACTERS,
    )
    with gr.Row():
        filters = [
            gr.Dropdown([("any", ""), *index.values(column)], label=column.capitalize())
            for column in FILTERS
        ]
    with gr.Row():
        weight = gr.Slider(
            0,
            1,
            0.5,
            step=0.05,
            label="Weight of the words",
            buttons=[],
            info="0: photo alone, 1: words alone",
        )
        k = gr.Slider(1, 48, 12, step=1, label="Items to show", buttons=[])
    ask = gr.Button("Search", variant="primary")
    result = HTML(elem_classes="fashion-gallery")

    @_guarded
    def answer(path: str | None, *rest: Any) -> str:
        *edges, text, share, most = rest[: -len(FILTERS)]
        chosen = dict(zip(FILTERS, rest[-len(FILTERS) :], strict=True))
        return answers.results(index, path, tuple(edges), text, share, most, chosen)

    gr.on(
        [ask.click, words.submit],
        answer,
        [*given, words, weight, k, *filters],
        result,
        **MODEL,
    )


def _captions(
    captioners: Mapping[str, Any],
    pool: Collection[str] | None,
    given: list[gr.components.Component],
) -> None:
    if not captioners:
        HTML(
            answers.message(
                "No captioner is loaded. Next step: fashionlib app --captioner FOLDER."
            )
        )
        return
    reference = gr.Textbox(
        label=(
            "Your own caption, the truth that the others are scored against (optional)"
        ),
        max_length=answers.MOST_CHARACTERS,
    )
    ask, result = gr.Button("Caption the photo", variant="primary"), HTML()

    @_guarded
    def answer(path: str | None, *rest: Any) -> str:
        *edges, text = rest
        return answers.captions(captioners, pool, path, tuple(edges), text)

    gr.on(
        [ask.click, reference.submit],
        answer,
        [*given, reference],
        result,
        **MODEL,
    )


def _guarded(answer: Callable[..., str]) -> Callable[..., str]:
    """Wrap an answer so that a failure shows no path of this machine.

    The page shows what the reader can mend. Of the other failures that the command line
    reports in one line, it shows only that there was one. A fault of the program itself
    reaches Gradio, which logs it and shows the page a bare "Error".
    """

    @wraps(answer)
    def safe(*given: Any) -> str:
        try:
            return answer(*given)
        except InputError as error:
            return answers.message(str(error))
        except (ValueError, OSError, RuntimeError, MemoryError):
            log.exception("the app could not answer")
            return answers.message(
                "That failed, and not by what you gave. The server's log says why."
            )

    return safe
