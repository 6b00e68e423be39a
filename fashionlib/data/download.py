"""Fetch a dataset for those who have the account: its terms in clear words, then files.

`DATASETS` says for each what it is, under which terms, what one needs and how it lies
afterwards. `fetch` brings those that Kaggle and the Hugging Face hub serve.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fashionlib.data import fetch
from fashionlib.data.files import write_json

RECORD = "DOWNLOAD.json"  # what was fetched, from which revision, with which checksums


@dataclass(frozen=True)
class Dataset:
    """What a dataset is; `source` None means that it can only be asked for."""

    what: str
    terms: str
    needs: str
    layout: str
    source: Literal["kaggle", "hub"] | None = None
    repository: str = ""
    revision: str = ""  # how the hub's commit begins


HM_TERMS = (
    "H&M's photos and texts, by the competition's rules for non-commercial and academic"
    " research only; no redistribution, and no picture of them in a publication"
)
DEEPFASHION_TERMS = (
    "non-commercial research and education only; the pictures belong to their shops; no"
    " redistribution"
)
NO_ACCOUNT = "no account (the hub's token in HF_TOKEN is used where it is set)"
HM_PAGE = (
    "https://www.kaggle.com/competitions/h-and-m-personalized-fashion-recommendations"
)

DATASETS = {
    "hm": Dataset(
        "H&M Personalized Fashion Recommendations: 105,542 articles, two years of"
        " purchases, photos; about 30 GB to fetch and as much again to unpack",
        HM_TERMS,
        f"a Kaggle account that has accepted {HM_PAGE}/rules, and its token"
        " (kaggle.com/settings) in KAGGLE_API_TOKEN, in KAGGLE_USERNAME and"
        " KAGGLE_KEY, or in ~/.kaggle/kaggle.json",
        "articles.csv, customers.csv, transactions_train.csv, images/<first 3"
        " digits>/<article id>.jpg",
        source="kaggle",
        repository="h-and-m-personalized-fashion-recommendations",
    ),
    "hm_hub": Dataset(
        "20.5 thousand H&M photos with captions, from the hub; 6.3 GB",
        f"the card names no licence; {HM_TERMS}",
        NO_ACCOUNT,
        "data/train-*.parquet with image and text",
        source="hub",
        repository="tomytjandra/h-and-m-fashion-caption",
        revision="2083a7e",
    ),
    "hm_hub_12k": Dataset(
        "12.4 thousand of those pairs; 3.9 GB",
        f"the card names no licence; {HM_TERMS}",
        NO_ACCOUNT,
        "data/train-*.parquet with image and text",
        source="hub",
        repository="tomytjandra/h-and-m-fashion-caption-12k",
        revision="d04b93f",
    ),
    "dfmm_hub": Dataset(
        "DeepFashion-MultiModal in Marqo's small form on the hub, photos with texts;"
        " 153 MB (the original: dfmm)",
        f"the card names no licence; {DEEPFASHION_TERMS}",
        NO_ACCOUNT,
        "data/data-00000-of-00001.parquet",
        source="hub",
        repository="Marqo/deepfashion-multimodal",
        revision="aa2162b21db2e2f8e1f6974a1488169d1afa8fb9",
    ),
    "facad": Dataset(
        "FACAD: 993 thousand photos, 130 thousand captions",
        "no commercial use (the repository's LICENSE)",
        "a mail to xuewen.yang@stonybrook.edu (github.com/xuewyang/Fashion_Captioning)"
        " for the preprocessed files",
        "{TRAIN,VAL,TEST}_{IMAGES.hdf5,CAPTIONS.json,CATES.json,ATTRS.json},"
        " WORDMAP.json, meta_all_129927.json",
    ),
    "dfmm": Dataset(
        "DeepFashion-MultiModal: 44,096 photos, captions, shapes, fabrics and patterns",
        DEEPFASHION_TERMS,
        "the links at github.com/yumingj/DeepFashion-MultiModal, by hand",
        "captions.json, images/<file>.jpg, labels/shape/shape_anno_all.txt,"
        " labels/texture/{fabric,pattern}_ann.txt",
    ),
    "consumer2shop": Dataset(
        "DeepFashion consumer-to-shop: street photos and the shop's own",
        DEEPFASHION_TERMS,
        "the signed agreement at"
        " https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion.html, which brings the"
        " password",
        "Eval/list_eval_partition.txt, Anno/list_{bbox,item}_consumer2shop.txt,"
        " img/<category>/…/<photo>.jpg",
    ),
    "deepfashion2": Dataset(
        "DeepFashion2: 491 thousand photos with boxes and pairs",
        DEEPFASHION_TERMS,
        "the form at github.com/switchablenorms/DeepFashion2, which brings the password"
        " of the archives",
        "train|validation/annos/<six digits>.json and train|validation/image/<six"
        " digits>.jpg",
    ),
}


def statement(name: str) -> str:
    """Return what the dataset is, its terms, what one needs and how it lies afterwards.

    ValueError for an unknown name.
    """
    if name not in DATASETS:
        raise ValueError(f"unknown dataset {name!r}; known: {', '.join(DATASETS)}")
    about = DATASETS[name]
    return (
        f"{name}: {about.what}\nterms: {about.terms}\nneeds: {about.needs}\nlayout:"
        f" {about.layout}"
    )


def fetch_dataset(name: str, dest: Path, accept_terms: bool = False) -> Path:
    """Fetch a dataset into the folder `dest` and return it, every file checked.

    What is there already isn't fetched again: a killed run continues.
    `dest/DOWNLOAD.json`, written last, keeps the source, its revision and the
    checksums. ValueError, with the terms, unless they are accepted or where a dataset
    can only be asked for; other errors as `fetch.from_hub` and `fetch.from_kaggle`.
    Nothing of the user's is deleted.
    """
    words, about, dest = statement(name), DATASETS.get(name), Path(dest)
    if about.source is None:
        raise ValueError(
            f"{words}\nask there, lay it out like that in {dest}, then: fashionlib"
            f" check {dest}"
        )
    if not accept_terms:
        raise ValueError(
            f"{words}\nif you accept these terms, say so: accept_terms=True or"
            " --accept-terms"
        )
    commit, files = "", {}
    if about.source == "hub":
        commit, files = fetch.from_hub(
            about.repository, about.revision, dest, about.needs
        )
    elif (dest / RECORD).is_file():
        return dest  # its archive was unpacked and removed
    else:
        fetch.from_kaggle(about.repository, dest, about.needs)
    content = {"name": name, "repository": about.repository, "revision": commit}
    write_json(dest / RECORD, content | {"terms": about.terms, "files": files})
    return dest
