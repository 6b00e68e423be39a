"""Judge every claim of both works by rule, from results and from printed numbers.

The claims are a table, a row each (`data/published/claims.csv`; its README names the
columns). Results come by name, {"recommenders": values, …}, with None for one that was
not kept. What is drawn never answers for real data: it counts where no real data can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import pandas as pd

from fashionlib import stats
from fashionlib.stats import Estimate, agreed

Results = Mapping[str, Any]
Found = Sequence[tuple[list[str], Any]]  # where a key led, and the value there
REPRODUCED, HOLDS, OPEN = "reproduced", "direction holds", "open"
FAILS, ARITHMETIC, FOLLOWED = "direction fails", "arithmetic", "followed"
UNTESTED = "can't be tested here"
VERDICTS = (REPRODUCED, HOLDS, OPEN, FAILS, ARITHMETIC, FOLLOWED, UNTESTED)
BY_INTERVAL = VERDICTS[:4]
INKS = ("#15803d", "#0072B2", "#64748b", "#b91c1c", "#7c3aed", "#0f766e", "#a16207")
CLAIMED = {stats.HOLDS: HOLDS, stats.OPEN: OPEN, stats.FAILS: FAILS}
PRINTED = "printed numbers"
AGREES, DIFFERS = "agrees", "differs"
SHOWN = 8  # numbers that a cell lists
TABLE5 = {  # Paper A's rows -> the models that stand in for them
    "Random": "Random",
    "MostPop": "MostPop",
    "UserKNN (k=10)": "UserKNN",
    "ItemKNN (k=20)": "ItemKNN",
    "Visual (ResNet50)": "VBPR, image",
    "Visual (BLIP-2)": "VBPR, vision",
    "Textual (SentenceBERT)": "VBPR, text",
    "Multimodal (ResBERT)": "VBPR, both",
    "Multimodal (CLIP)": "VBPR, clip",
    "Queries (BLIP-2)": "VBPR, queries",
}


@dataclass(frozen=True)
class Source:
    """Hold results of one kind of data, by name, and whether these data are real."""

    results: Results
    real: bool


@dataclass(frozen=True)
class Answer:
    """Hold what one source says to a claim; no verdict where it wasn't asked."""

    text: str
    verdict: str = ""


NOT_KEPT = Answer("not kept yet")
NOT_ASKED = Answer("–")


def judge(
    claims: pd.DataFrame,
    sources: Mapping[str, Source],
    tables: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Add to each claim its verdict, the data it is `on`, and every source's text.

    A verdict is the most cautious of all real data that were asked; drawn data count
    where no real data can answer. `tables` are the printed ones, by name, with the
    columns row, column, setting, value, unit. KeyError where a rule is unknown.
    """
    printed = {name: nested(table) for name, table in tables.items()}
    rows = []
    for claim in claims.to_dict("records"):
        numbers = [(key, resolve(printed, key)) for key in keys(claim["published"])]
        answers = {name: answer(claim, s, numbers) for name, s in sources.items()}
        verdict, on = _verdict(claim, answers, sources)
        answers[PRINTED] = check(claim["rule"], numbers)
        texts = {name: given.text for name, given in answers.items()}
        rows.append(claim | {"verdict": verdict, "on": on} | texts)
    return pd.DataFrame(rows)


def _verdict(
    claim: Mapping[str, str],
    answers: Mapping[str, Answer],
    sources: Mapping[str, Source],
) -> tuple[str, str]:
    rule = claim["rule"].partition(": ")[0]
    if rule in CHECKS:
        return ARITHMETIC, "printed"
    if rule == FOLLOWED:
        return FOLLOWED, ""
    for on, real in (("real", True), ("drawn", False)):
        said = {answers[name].verdict for name in answers if sources[name].real == real}
        if said := said - {"", UNTESTED}:
            return cautious(said), on
    return UNTESTED, ""


def cautious(verdicts: Iterable[str]) -> str:
    """Return what all verdicts say, else open; a reproduced number also holds."""
    said = set(verdicts)
    if len(said) == 1:
        return said.pop()
    return HOLDS if said == {REPRODUCED, HOLDS} else OPEN


def answer(
    claim: Mapping[str, str],
    source: Source,
    numbers: Sequence[tuple[str, Found]] = (),
) -> Answer:
    """Ask one source a claim, by its rule; `numbers` are the claim's printed ones."""
    cell = claim["real" if source.real else "drawn"]
    because = "".join(cell.partition("because ")[1:])
    asked = [key for key in keys(cell) if result(key) in source.results]
    if not asked:
        alone = because and not keys(cell)
        return Answer(f"{UNTESTED}, {because}", UNTESTED) if alone else NOT_ASKED
    found, ranked, rising = [], [], set()
    for key in asked:
        short = still_rising(source.results[result(key)])
        for label, value in resolve(source.results, key):
            found.append((label, value))
            named = short & set(label[-1].split(" minus "))
            rising |= named
            ranked += [] if named else [(label, value)]
    if found and not ranked:  # a model that was still rising has no rank
        return Answer(f"not ranked: {', '.join(sorted(rising))} still rising")
    if not found:
        told = f"{NOT_KEPT.text}; {UNTESTED}, {because}"
        return Answer(told, UNTESTED) if because else NOT_KEPT
    values = [value for _, printed in numbers for _, value in printed]
    return RULES[claim["rule"]](ranked, printed=values, because=because)


def keys(cell: str) -> list[str]:
    """List the keys of a cell, "key; key; because …"."""
    return [key for key in cell.partition("because ")[0].split("; ") if key]


def result(key: str) -> str:
    """Return the name of the result that a key begins with."""
    return key.partition(":")[0].lstrip("-")


def resolve(results: Results, key: str) -> Found:
    """Follow a key, "recommenders:differences/ItemKNN minus VBPR*", to all it matches.

    After the result's name each step is a name or a pattern of names, or, in a list of
    records, "column=pattern & …". A number comes with the interval beside it. A key
    that begins with "-" names differences to be turned round.
    """
    path = key.partition(":")[2]
    places = [([], results.get(result(key)))]
    for step in path.split("/"):
        places = [
            (label + more, value)
            for label, place in places
            for more, value in _step(place, step)
        ]
    known = [(label, value) for label, value in places if value is not None]
    if not key.startswith("-"):
        return known
    return [([*label[:-1], f"minus ({label[-1]})"], _turned(v)) for label, v in known]


def _turned(row: Mapping[str, Any]) -> dict[str, Any]:
    ends = zip(stats.ENDS, (-Estimate.of(row)).ends, strict=True)
    return dict(ends) | {"seeds": [-own for own in row.get("seeds", ())]}


def _step(place: Any, step: str) -> Iterator[tuple[list[str], Any]]:
    if isinstance(place, Mapping):
        for name in [name for name in place if fnmatchcase(name, step)]:
            ends = {end: place.get(f"{name} {end}") for end in ("low", "high")}
            value = place[name]
            beside = {"value": value} | ends
            yield [name], value if None in ends.values() else beside
    elif isinstance(place, list):
        wanted = dict(part.split("=", 1) for part in step.split(" & ") if "=" in part)
        for row in place:
            if all(fnmatchcase(str(row[name]), text) for name, text in wanted.items()):
                yield [str(row[name]) for name in wanted], row


def nested(table: pd.DataFrame) -> dict[str, Any]:
    """Nest a printed table's numbers for `resolve`: row, column, setting."""
    tree: dict[str, Any] = {}
    for row in table.to_dict("records"):
        column = tree.setdefault(row["row"], {}).setdefault(row["column"], {})
        column[row["setting"]] = {"value": row["value"], "unit": row["unit"]}
    return tree


def direction(found: Found, sign: int, **_: Any) -> Answer:
    """Ask whether each difference times `sign` is above zero, by its interval."""
    known = [(name, row) for name, row in found if row.get("low") is not None]
    verdicts = [CLAIMED[agreed(row, sign)] for _, row in known]
    if not known:
        return NOT_KEPT
    if len(known) <= 4:
        return Answer(_listed(known, form="+.3g"), cautious(verdicts))
    pairs = zip(known, verdicts, strict=True)
    rest = [f"{_name(label)} {word}" for (label, _), word in pairs if word != HOLDS]
    counted = f"as claimed in {len(known) - len(rest)} of {len(known)}"
    return Answer("; ".join([counted, *rest]), cautious(verdicts))


def beside(found: Found, printed: Sequence[Any], because: str) -> Answer:
    """Set numbers of other data, models or protocols beside the printed: no verdict."""
    text = _listed(found, _scale(printed))
    return Answer(f"{text}; {UNTESTED}, {because}", UNTESTED)


def same(found: Found, printed: Sequence[Any], **_: Any) -> Answer:
    """Ask whether the printed number lies in ours, of the same data and protocol."""
    [(_, ours)], [theirs] = found, printed
    low, high = _interval(ours)
    half = rounding(theirs["value"])
    inside = low - half <= theirs["value"] / _scale(printed) <= high + half
    return Answer(_listed(found, _scale(printed)), REPRODUCED if inside else FAILS)


def cause(found: Found, **_: Any) -> Answer:
    """Show what bears on a cause: no comparison settles one, so it stays open."""
    return Answer(_listed(found), OPEN)


def followed(found: Found, **_: Any) -> Answer:
    """Show the traces of a step that the book takes too."""
    return Answer(_listed(found), FOLLOWED)


RULES = {
    "above": partial(direction, sign=1),
    "below": partial(direction, sign=-1),
    "beside": beside,
    "same": same,
    "cause": cause,
    FOLLOWED: followed,
}


def _scale(printed: Sequence[Mapping[str, Any]]) -> int:
    return 100 if any(number["unit"] == "percent" for number in printed) else 1


def _interval(value: Any) -> tuple[float, float]:
    plain = not isinstance(value, Mapping)
    return (value, value) if plain else (value["low"], value["high"])


def _listed(found: Found, scale: int = 1, form: str = ".4g") -> str:
    texts = [
        f"{_name(label)} {_written(value, scale, form)}".strip()
        for label, value in found[:SHOWN]
    ]
    more = len(found) - SHOWN
    return "; ".join([*texts, f"and {more} more"] if more > 0 else texts)


def _name(label: Sequence[str]) -> str:
    """Join the steps of a key; the first only says in which table."""
    return ", ".join(label[1:] or label)


def _written(value: Any, scale: int, form: str) -> str:
    if isinstance(value, Mapping):
        if value.get("low") is None:
            return ""
        value, *ends = (_number(scale * x, form) for x in Estimate.of(value).ends)
        return f"{value} [{', '.join(ends)}]"
    return f"{value:,}" if isinstance(value, int) else _number(scale * value, form)


def _number(value: float, form: str) -> str:
    """Write a number, whole from 1,000 on, and none with an exponent."""
    digits = round(value) if abs(value) >= 1000 else format(value, form)
    return format(Decimal(digits), form[:-3] + ",f")


CHECKS = (
    "sum",
    "difference",
    "ratio",
    "percent",
    "count",
    "same as",
    "mean change",
    "highest",
)


def check(rule: str, numbers: Sequence[tuple[str, Found]]) -> Answer:
    """Check printed numbers against each other, by one of `CHECKS`; none: not asked.

    "highest: NAME" asks whether that row leads in each key; the others calculate the
    first number from those after it, to the digits that it is printed with.
    """
    name, _, leader = rule.partition(": ")
    if name not in CHECKS:
        return NOT_ASKED
    if name == "highest":
        return _leads(leader, [found for _, found in numbers])
    theirs, *parts = [row["value"] for _, found in numbers for _, row in found]
    ours = calculated(name, parts)
    alike = abs(ours - theirs) <= rounding(theirs)
    word = AGREES if alike else DIFFERS
    return Answer(f"{word}: {ours:,.10g} from the parts, {theirs:,.10g} printed", word)


def _leads(leader: str, contests: Sequence[Found]) -> Answer:
    first = []
    for found in contests:
        top = max(row["value"] for _, row in found)
        first.append([label[0] for label, row in found if row["value"] == top])
    names = ", ".join(dict.fromkeys(" = ".join(best) for best in first))
    if not leader:
        return Answer(f"highest: {names}")
    won = sum(any(fnmatchcase(n, f"{leader}*") for n in best) for best in first)
    word = AGREES if won == len(first) else DIFFERS
    return Answer(f"{word}: highest in {won} of {len(first)}; first: {names}", word)


def calculated(rule: str, parts: Sequence[float]) -> float:
    """Calculate from printed parts what a printed number should be."""
    match rule:
        case "sum":
            return sum(parts)
        case "difference":
            return parts[0] - parts[1]
        case "ratio":
            return parts[0] / parts[1]
        case "percent":
            return 100 * parts[0] / parts[1]
        case "count":
            return len(parts)
        case "same as":
            return parts[0]
    half = len(parts) // 2  # the mean change, in percent: all before, then all after
    pairs = zip(parts[:half], parts[half:], strict=True)
    return sum(100 * (after - before) / before for before, after in pairs) / half


def rounding(value: float) -> float:
    """Return half a unit of the last digit that a number is printed with."""
    digits = f"{value:.10g}".partition(".")[2]
    return 0.5 * 10.0 ** -len(digits) + 1e-9


def harvest(judged: pd.DataFrame, work: str) -> str:
    """Count a work's verdicts in words: "Paper A, 9 rows: 5 direction holds, …"."""
    rows = judged[judged.work == work]
    counts = rows.verdict.value_counts()
    parts = [f"{counts[word]} {word}" for word in VERDICTS if word in counts]
    causes = ((rows.kind == "cause") & (rows.verdict == OPEN)).sum()
    wrong = rows[PRINTED].str.startswith(DIFFERS).sum()
    return (
        f"{work}, {len(rows)} rows: {', '.join(parts)} ({causes} of the open are"
        f" causes; {wrong} of the arithmetic differ)"
    )


def main_system(values: Mapping[str, Any], role: str) -> str:
    """Return the main model's system in this role; it comes first of those."""
    return next(system for system in values["corpus"] if system.endswith(role))


def main_captions(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the main model's scores, before and after fine-tuning, with intervals.

    {"pretrained": {"BLEU-4": Estimate, …}, "fine-tuned": …}; a score that has no
    interval is a number.
    """
    scores = {}
    for role in ("pretrained", "fine-tuned"):
        system = main_system(values, role)
        scores[role] = dict(values["corpus"][system])
        for row in values["table"]:
            if row["system"] == system and row["low"] is not None:
                scores[role][row["metric"]] = Estimate.of(row)
    return scores


def ranking(values: Mapping[str, Any]) -> dict[str, dict[str, Estimate]]:
    """Return each model's ranking metrics with their intervals over customers."""
    models = {}
    for model, row in values["table"].items():
        models[model] = {
            name: Estimate(row[name], row[f"{name} low"], row[f"{name} high"])
            for name in row
            if f"{name} low" in row
        }
    return models


def still_rising(values: Mapping[str, Any] | None) -> set[str]:
    """Name the recommenders of a result whose training ended before a plateau.

    Of a table of models those that are marked, or, where a kept run is older than that
    mark, those that used all epochs they were given; else what stands under "rising".
    """
    values = values or {}
    table, used = values.get("table"), values.get("epochs", {})
    if not isinstance(table, Mapping):
        return set(values.get("rising", ()))
    out = {name for name, epochs in used.items() if epochs["epochs"] == epochs["of"]}
    rows = table.items()
    return {name for name, row in rows if row.get("still rising", name in out)}


def look_up(results: Results, *keys: str) -> Any:
    """Follow the keys into the results; None where one is missing."""
    for key in keys:
        results = (results or {}).get(key)
    return results


def link(where: str) -> str:
    """Return the page's address of "notebook#section title", beside this one."""
    notebook, _, title = where.partition("#")
    return f"{notebook}.html#{'-'.join(re.findall('[a-z0-9]+', title.lower()))}"
