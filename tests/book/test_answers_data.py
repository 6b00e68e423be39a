import pytest

from fashionlib.book import paper
from fashionlib.book.answers import data, start

NEAREST = "nearest photo's caption"
SHARED = "caption stands in train"


def row(by: str, value: float) -> dict[str, object]:
    interval = {"low": value - 0.01, "high": value + 0.02}
    return {"system": f"{NEAREST}, {by} split", "metric": "BLEU-4", "value": value} | (
        interval
    )


@pytest.mark.parametrize(
    "answer", [start.preflight, data.catalogue, data.attributes, data.leakage]
)
def test_an_answer_of_the_kept_sample_has_at_most_60_words(answer):
    said = answer(paper.sample(answer.__name__))
    assert 10 < len(said.split()) <= 60, said


def test_the_data_folder_is_counted_and_checked():
    counts = {"articles": 1200, "captions": 1100, "images": 900, "purchases": 54321}
    said = start.preflight({"counts": counts, "broken": False})
    assert "1,200 articles, of which 1,100 have a caption and 900 a photo" in said
    assert "54,321 purchases. The check found no faults." in said
    assert "found faults" in start.preflight({"counts": counts, "broken": True})


def test_the_catalogue_says_of_facad_what_was_at_hand():
    shop = {"images": 80.0, "caption length": 25.61, "images per caption": 1.91}
    found = {"table2": shop, "steps": [{"rows": 2000}, {"rows": 90}], "others": {}}
    said = data.catalogue(found)
    assert "80 of 2,000 articles" in said and "25.6 words" in said
    assert "1.9 photos share it. FACAD's files were not at hand." in said
    facad = {"images": 9.0, "caption length": 21.4, "images per caption": 6.66}
    said = data.catalogue(found | {"others": {"FACAD": facad}})
    assert said.endswith(
        "In FACAD's layout it has 21.4 words, and 6.7 photos share it."
    )


def test_what_cannot_be_seen_is_a_share_of_mentions_and_of_captions():
    share = {"% of mentions": 0.153, "% of captions": 0.9}
    found = {"pool": 1032, "per_caption": 14.84, "unseen": {"feel": {}, "fibre": {}}}
    found["unseen"]["any"] = share
    said = data.attributes(found)
    assert "15.3% are of what no product" in said and "90% of the captions" in said
    assert "kinds are feel, fibre." in said and "1,032 attributes" in said
    planted = data.attributes(found | {"unseen": {"planted": share, "any": share}})
    assert "kinds" not in planted and "15.3%" in planted


def test_copying_is_said_of_both_splits_with_intervals():
    other = row("article", 0.9) | {"metric": "ROUGE-L"}
    found = {
        "table": [row("article", 0.361), other, row("product", 0.291)],
        "shared": {
            "with photo, article split": {SHARED: 0.64},
            "with photo, product split": {SHARED: 0.116},
        },
    }
    said = data.leakage(found)
    assert "BLEU-4 36.1 [35.1, 38.1] on the published split" in said
    assert "64% of test captions" in said
    assert said.endswith("29.1 [28.1, 31.1] when no product is on both sides (12%).")


def test_wrong_labels_are_answered_on_drawn_photos_of_this_run():
    noise = {
        "probe, any": {"0.0": 0.62, "0.3": 0.55},
        "probe, like it": {"0.0": 0.1, "0.3": 0.2},
        "nearest photo, any": {"0.0": 0.5, "0.3": 0.36},
    }
    said = data.labels({"noise": noise})
    assert "right on 55% of new photos when 30%" in said and "62% when none are" in said
    assert "gives 36% and 50%. No LLM was asked." in said and len(said.split()) <= 60
