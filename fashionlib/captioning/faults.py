"""Count in captions what they shouldn't say, by rules that read text alone.

A rule is no judge. The same rules, counted in true captions, show how often they are
wrong.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping

import pandas as pd

RUN = 4  # words that stand twice in hardly any true caption
PROMPT = re.compile(  # roles and marks, questions of BLIP-2 and LLaVA, our request
    r"\b(assistant|user|human|question|answer)\s*:|</?s>|<image>|\[/?inst\]"
    r"|<\|\w+\|>|describe (this|the) (fashion item|image|picture|photo|product|item)",
    re.IGNORECASE,
)
UNITS = "cm|mm|m|ml|g|kg|gsm|denier|inch|inches"
MEASURE = re.compile(rf"\d+(?:[.,x]\d+)* ?(?:{UNITS})\b")
# a capital within a sentence, and how H&M marks collaborations
NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]\w+|\bx H&M\b")
# words that H&M's captions write so too and that name no designer or brand
ORDINARY = frozenset(
    [
        "Adjustable",
        "Alice",
        "Bermuda",
        "Brazilian",
        "Chelsea",
        "Christmas",
        "Collection",
        "Derby",
        "Econyl",
        "Exclusive",
        "Fit",
        "French",
        "Henley",
        "Italian",
        "Lycra",
        "Oxford",
        "Pan",
        "Peter",
        "Piñatex",
        "Santa",
        "Skinny",
        "Tencel",
        "Thermolite",
        "Thinsulate",
        "Vegan",
    ]
)


def repeats(caption: str) -> bool:
    """Return whether a caption says a thing again and again.

    A sentence of it or a run of four words comes twice, or a run of one to three words
    comes three times on end.
    """
    parts = re.split(r"[.!?\n]+", caption.lower())
    sentences = [" ".join(re.findall(r"\w+", part)) for part in parts]
    words = re.findall(r"\w+", caption.lower())
    runs = Counter(zip(*(words[k:] for k in range(RUN)), strict=False))
    again = Counter(filter(None, sentences)) + runs
    stuck = re.search(r"\b(\w+(?: \w+){0,2}) \1 \1\b", " ".join(words))
    return max(again.values(), default=0) > 1 or bool(stuck)


def echoes(caption: str) -> bool:
    """Return whether a caption has words of a captioner's prompt."""
    return bool(PROMPT.search(caption))


def unseen(caption: str, materials: Collection[str]) -> dict[str, set[str]]:
    """Find the words of a caption that speak of what no photo shows.

    {"material": its words of `materials`, "measure": numbers with a unit ("33 cm"),
    "name": capitalised words within a sentence that are not in `ORDINARY`, and
    "x H&M"}. A name that begins a sentence is not found.
    """
    lower = caption.lower()
    return {
        "material": set(re.findall(r"\w+", lower)) & set(materials),
        "measure": set(MEASURE.findall(lower)),
        "name": set(NAME.findall(caption)) - ORDINARY,
    }


def count(
    captions: Mapping[str, str],
    references: Mapping[str, str],
    longest: int,
    materials: Collection[str],
) -> pd.DataFrame:
    """Return what each caption shouldn't say: one row a caption (index item_id).

    words: how many. unfinished: it doesn't end as a sentence. repeats: see `repeats`.
    too long: more than `longest` words (say, of any training caption). prompt: it
    has the prompt. material, measure, name: see `unseen`; "other material" and so on:
    one that the item's reference doesn't name. KeyError for an item without reference.
    """
    rows = {}
    for item, caption in captions.items():
        words = len(caption.split())
        row: dict[str, int | bool] = {
            "words": words,
            "unfinished": not re.search(r"[.!?][\"”)]?\s*$", caption),
            "repeats": repeats(caption),
            "too long": words > longest,
            "prompt": echoes(caption),
        }
        true = unseen(references[item], materials)
        for kind, found in unseen(caption, materials).items():
            row[kind], row[f"other {kind}"] = bool(found), bool(found - true[kind])
        rows[item] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("item_id")


def shares(
    systems: Mapping[str, Mapping[str, str]],
    references: Mapping[str, str],
    longest: int,
    materials: Collection[str],
) -> pd.DataFrame:
    """Average `count` over each system's captions (item -> caption): a row a system.

    Two columns more: distinct, the distinct captions a caption; commonest, the share
    of the one written most often.
    """
    rows = {}
    for name, captions in systems.items():
        means = count(captions, references, longest, materials).mean()
        times = pd.Series(captions).value_counts(normalize=True)
        means["distinct"], means["commonest"] = len(times) / len(captions), times.max()
        rows[name] = means
    return pd.DataFrame(rows).T
