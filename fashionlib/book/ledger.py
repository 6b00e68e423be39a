"""Ask a claim of results: a verdict read from intervals, and the text that shows it.

Each function takes results by name, {"recommenders": values, …}, of this run or kept
from the sample, with None for one that was not kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fashionlib.stats import FAILS, HOLDS, OPEN, VERDICTS, Estimate, agreed

Results = Mapping[str, Any]
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
class Answer:
    """Hold what one data set says to a claim.

    `verdict` is that of all its parts; "" where these differ, or nothing was asked.
    """

    text: str
    verdict: str = ""


NOT_KEPT = Answer("not kept yet")
NOT_RUN = Answer("not run here")
NO_SUCH = Answer("–")
UNTESTED = "can't be tested here"


def untested(because: str) -> Answer:
    """Answer that these data can't say: neither "fails" nor "open" would be true."""
    return Answer(f"{UNTESTED}, because {because}", UNTESTED)


def from_estimate(estimate: Estimate, form: str) -> Answer:
    """Answer by one interval: "holds (+0.013 [+0.011, +0.015])"."""
    return Answer(f"{estimate.verdict} ({estimate:{form}})", estimate.verdict)


def from_verdicts(verdicts: Sequence[str], unit: str) -> Answer:
    """Answer by several intervals: "holds {unit}", or "holds for 2, open for 1"."""
    counts = Counter(verdicts)
    if len(counts) == 1:
        return Answer(f"{verdicts[0]} {unit}", verdicts[0])
    parts = [f"{word} for {counts[word]}" for word in VERDICTS if counts[word]]
    return Answer(", ".join(parts))


def main_system(values: Mapping[str, Any], role: str) -> str:
    """Return the main model's system in this role; it comes first of those."""
    return next(system for system in values["corpus"] if system.endswith(role))


def caption_gain(results: Results, minus: str, every_model: bool = False) -> Answer:
    """Ask whether the fine-tuned main model is above its rival in every score.

    `minus` ends the rival's name. With `every_model` each model is asked.
    """
    values = results["caption_scores"]
    main = main_system(values, "fine-tuned")
    verdicts = {}
    for row in values["differences"]:
        wanted = every_model or row["system"] == main
        if wanted and row["minus"].endswith(minus) and row["difference"] is not None:
            score = f"{row['metric']} of {row['system']}"
            verdicts[score] = Estimate.of(row).verdict
    count = len(verdicts)
    if len(set(verdicts.values())) == 1:
        return from_verdicts(list(verdicts.values()), f"on all {count}")
    rest = [f"{score} {word}" for score, word in verdicts.items() if word != HOLDS]
    return Answer(f"holds on {count - len(rest)} of {count}; {', '.join(rest)}")


def longer_lists(results: Results, metric: str, sign: int) -> Answer:
    """Ask whether a metric rises (`sign` 1) or falls (-1) from 5 to 12 places."""
    changes = results["why_item_knn"]["changes"]
    data = changes[0]["data"]  # the run's own customers come first
    rows = [row for row in changes if (row["metric"], row["data"]) == (metric, data)]
    verdicts = [(sign * Estimate.of(row)).verdict for row in rows]
    return from_verdicts(verdicts, f"for all {len(rows)} models")


def ranking_gain(results: Results, name: str) -> Answer:
    """Ask a difference in NDCG@5 by its name, "ItemKNN minus MostPop".

    "{best_space}" in the name is the VBPR of the best feature space. A model that was
    still rising when its epochs ended has no rank: nothing is answered.
    """
    values = results["recommenders"]
    name = name.format_map(values)
    for model in name.split(" minus "):
        if look_up(values, "table", model, "still rising"):
            return Answer(f"not ranked: {model} was still rising")
    row = values["differences"].get(name)
    return from_estimate(Estimate.of(row), "+.5f") if row else NO_SUCH


def whole_days(results: Results) -> Answer:
    """Ask whether ItemKNN is above MostPop where no customer's day is cut in two."""
    leads = results["why_item_knn"]["leads"]
    key = leads[0]["data"], "whole days, to train"
    row = next(row for row in leads if (row["data"], row["split"]) == key)
    return from_estimate(Estimate.of(row), "+.5f")


def factor(
    results: Results, change: tuple[str, str], tasks: Sequence[str], sign: int
) -> Answer:
    """Ask what one factor of the joint training does: `change` is (from, to).

    Every pair of models that differ in it alone is asked, in the first of `tasks` that
    it was scored on; `sign` -1 turns the claim round.
    """
    if results["one_model"] is None:
        return NOT_KEPT
    verdicts = []
    for name, effects in results["one_model"]["effects"].items():
        more, less = name.split(", less ")
        task = next((task for task in tasks if task in effects), None)
        changed = more != less and more.replace(change[1], change[0], 1) == less
        if task and changed:
            verdicts.append(agreed(effects[task], sign))
    return from_verdicts(verdicts, f"on all {len(verdicts)}") if verdicts else NOT_RUN


def factor_of_thesis(
    results: Results, change: tuple[str, str], tasks: Sequence[str], sign: int
) -> Answer:
    """Ask `factor` of Thesis B's claims, where the data can answer.

    Results that lack the street photos are of a real catalogue, whose photos no LLM
    labelled either: it can say nothing of the thesis's labels or of the street.
    """
    effects = (results["one_model"] or {}).get("effects", {}).values()
    if effects and not any(set(STREET) & set(row) for row in effects):
        if change == LABELLED:
            return untested("no LLM labelled these photos; the shop's columns stand in")
        if set(tasks) & set(STREET):
            return untested("there are no street photos of these garments")
    return factor(results, change, tasks, sign)


def joint_over_frozen(results: Results) -> Answer:
    """Ask whether the joint model finds another colour more often than its encoder."""
    if results["street_to_shop"] is None:
        return NOT_KEPT
    rows = results["street_to_shop"]["differences, colour"]
    row = rows["variants: joint minus EfficientNet"]["top-1"]
    return from_estimate(Estimate.of(row), "+.3f")


def harvest(answers: Iterable[Answer], who: str) -> str:
    """Count answers by verdict, in words: "of the paper's 9, 5 hold, 2 fail, …"."""
    asked = [answer for answer in answers if answer != NOT_RUN]
    if all(answer == NOT_KEPT for answer in asked):
        return f"nothing kept yet for the {who}'s {len(asked)}"
    counts = Counter(answer.verdict for answer in asked)
    mixed = len(asked) - sum(counts[word] for word in (*VERDICTS, UNTESTED))
    return (
        f"of the {who}'s {len(asked)}, {counts[HOLDS]} hold, {counts[FAILS]} fail,"
        f" {counts[OPEN]} stay open, {mixed} mixed"
        + (f", {counts[UNTESTED]} {UNTESTED}" if counts[UNTESTED] else "")
    )


@dataclass(frozen=True)
class Claim:
    """Hold a claim, who makes it, and the question that results answer."""

    text: str
    asked_by: str  # "paper", "thesis" or "book"
    ask: Callable[..., Answer]
    arguments: tuple = ()

    def answer(self, results: Results) -> Answer:
        """Ask this run's results, or the sample's."""
        return self.ask(results, *self.arguments)


STREET = ("DeepFashion2, full", "DeepFashion2, crop")
RETRIEVAL = ("DeepFashion2, crop", "other colour")  # the first that was run
LABELLED = ("public", "public + labelled")
SIZE = ("small", "large")
LOSS = ("captioning", "joint")
CAPTIONS = (
    Claim(
        "Fine-tuning improves every model, in every score of Table 3",
        "paper",
        caption_gain,
        ("pretrained", True),
    ),
    Claim(
        "The fine-tuned model looks: it beats itself on other pictures",
        "book",
        caption_gain,
        ("other picture",),
    ),
    Claim(
        "It beats copying the nearest photo's caption",
        "book",
        caption_gain,
        ("nearest photo's caption",),
    ),
)
RANKINGS = (
    Claim("NDCG rises from 5 to 12 places", "paper", longer_lists, ("NDCG", 1)),
    Claim(
        "MAP falls from 5 to 12 places (Elliot's MAP)",
        "paper",
        longer_lists,
        ("Elliot MAP", -1),
    ),
    Claim("MAP falls also as average precision", "book", longer_lists, ("AP", -1)),
    Claim(
        "ItemKNN is above the best VBPR",
        "paper",
        ranking_gain,
        ("ItemKNN minus {best_space}",),
    ),
    Claim(
        "The best VBPR is above BPR without features",
        "book",
        ranking_gain,
        ("{best_space} minus BPR, no features",),
    ),
)
WHOLE_DAYS = Claim(
    "ItemKNN is above MostPop where a customer's day stays whole", "book", whole_days
)
JOINT = (
    Claim(
        "Labelled captions beside the public ones lower BLEU-4",
        "thesis",
        factor_of_thesis,
        (LABELLED, ("BLEU-4",), -1),
    ),
    Claim(
        "They raise retrieval by whole street photos (DeepFashion2, top-1)",
        "thesis",
        factor_of_thesis,
        (LABELLED, STREET[:1], 1),
    ),
    Claim(
        "They raise retrieval by cropped street photos (DeepFashion2, top-1)",
        "thesis",
        factor_of_thesis,
        (LABELLED, STREET[1:], 1),
    ),
    Claim(
        "They make captions of unfamiliar photos differ more",
        "thesis",
        factor_of_thesis,
        (LABELLED, ("own caption, street",), 1),
    ),
    Claim(
        "They name fewer sleeves falsely on unfamiliar photos",
        "thesis",
        factor_of_thesis,
        (LABELLED, ("false sleeves",), -1),
    ),
    Claim(
        "The larger language model raises BLEU-4",
        "thesis",
        factor_of_thesis,
        (SIZE, ("BLEU-4",), 1),
    ),
    Claim(
        "The smaller language model retrieves better",
        "thesis",
        factor_of_thesis,
        (SIZE, STREET, -1),
    ),
    Claim("A contrastive loss raises retrieval", "book", factor, (LOSS, RETRIEVAL, 1)),
    Claim(
        "The joint model finds another colour of a product more often than its frozen"
        " encoder",
        "book",
        joint_over_frozen,
    ),
)


def claims(results: Results) -> list[Claim]:
    """List the book's claims; text is compared with each other space that was run."""
    text = "VBPR, text minus VBPR, "
    names = results["recommenders"]["differences"]
    spaces = [
        Claim(
            f"VBPR with text is above VBPR with {name.removeprefix(text)}",
            "paper",
            ranking_gain,
            (name,),
        )
        for name in names
        if name.startswith(text)
    ]
    return [*CAPTIONS, *RANKINGS, *spaces, WHOLE_DAYS, *JOINT]


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
        metrics = [name for name in row if f"{name} low" in row]
        ends = {name: (row[f"{name} low"], row[f"{name} high"]) for name in metrics}
        models[model] = {name: Estimate(row[name], *ends[name]) for name in metrics}
    return models


def look_up(results: Results, *keys: str) -> Any:
    """Follow the keys into the results; None where one is missing."""
    for key in keys:
        results = (results or {}).get(key)
    return results
