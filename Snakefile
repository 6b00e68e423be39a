# The book's order of work: one rule per notebook, each a call of `fashionlib execute`, then the HTML.
# A notebook runs again when its code cells, its parameters, a fashionlib module that it imports, or an upstream artefact changes.
# Run through the Makefile, or: snakemake --cores 2 --config profile=tiny
# On a cluster: snakemake --executor slurm --jobs 4 --resources gpu=1 --config profile=paper data=FOLDER
import shlex
from pathlib import Path

from snakemake.exceptions import WorkflowError

from fashionlib.book import execute, runs

PROFILE = config.get("profile", "tiny")
DATA = config.get("data", "")
RUN = f"_run/{PROFILE}"
HTML = str(Path(config.get("html", "."), "_build/html"))
ACCELERATED = PROFILE in ("colab", "paper")
TABLES = [f"{DATA}/{name}" for name in ("articles.csv", "transactions_train.csv")] if DATA else []
if PROFILE not in runs.profile_names():
    raise WorkflowError(f"unknown profile {PROFILE!r}; known: {', '.join(runs.profile_names())}")
if PROFILE == "sample" and not DATA:
    raise WorkflowError("profile sample needs data: make book PROFILE=sample DATA=path/to/hm, a folder in H&M's layout")
if missing := [path for path in TABLES if not Path(path).is_file()]:
    raise WorkflowError(f"no {missing[0]}; DATA must be a folder in H&M's layout, see book/your_shop.md")
PRINTED = [str(path) for path in sorted(Path("data").rglob("*")) if path.suffix in (".csv", ".json")
           and path.parts[1] in ("published", "pools", "tagging")]
# A run on the sample doesn't wait for its own kept numbers.
KEPT = [str(path) for path in sorted(Path("data/measured").rglob("*.json"))] if PROFILE != "sample" else []

# What each notebook needs from others and makes for them, below _run/<profile>; "compares": it reads printed or kept numbers.
NOTEBOOKS = {
    "00_preflight": {"makes": ["data.json", "results/preflight.json"]},
    "01_two_catalogues": {"compares": True, "makes": ["items.parquet", "results/catalogue.json"]},
    "02_what_captions_say": {"compares": True, "needs": ["items.parquet"], "makes": ["attributes.json", "results/attributes.json"]},
    "03_who_leaks": {
        "compares": True,
        "needs": ["items.parquet", "attributes.json"],
        "makes": ["features/image.parquet", "features/grid.parquet", "features/cells.safetensors", "captions/nearest.json",
                  "results/leakage.json"],
    },
    "04_labels_by_prompt": {
        "compares": True,
        "makes": ["labelled.parquet", "labelled/metadata.jsonl", "results/labels.json"],
    },
    "05_out_of_the_box": {
        "needs": ["items.parquet", "features/grid.parquet", "features/cells.safetensors"],
        "makes": ["captioners.json", "captions/pretrained.json", "results/out_of_the_box.json"],
        "gpu": 1,
    },
    "06_fine_tuning": {
        "needs": ["items.parquet", "features/grid.parquet", "captioners.json", "captions/pretrained.json"],
        "makes": ["captions/fine_tuned.json", "captions/shuffled.json", "results/fine_tuning.json"],
        "gpu": 1,
    },
    "08_caption_scores": {
        "compares": True,
        "needs": ["items.parquet", "attributes.json", "captions/nearest.json", "captions/pretrained.json",
                  "captions/fine_tuned.json", "captions/shuffled.json"],
        "makes": ["scores/per_item.parquet", "results/caption_scores.json"],
    },
    "09_do_the_metrics_measure": {"makes": ["results/metric_check.json"]},
    "11_looking_at_captions": {
        "needs": ["items.parquet", "attributes.json", "captions/fine_tuned.json", "scores/per_item.parquet"],
        "makes": ["results/gallery.json"],
        "pictures": "gallery",  # files that the page shows
    },
    "12_feature_spaces": {
        "compares": True,
        "needs": ["items.parquet", "features/image.parquet", "features/grid.parquet", "captions/fine_tuned.json"],
        "makes": ["features/text.parquet", "features/both.parquet", "features/vision.parquet", "features/queries.parquet",
                  "results/feature_spaces.json"],
        "gpu": 1,
    },
    "13_missing_captions": {
        "compares": True,
        "needs": ["items.parquet", "attributes.json", "features/image.parquet", "features/grid.parquet", "features/text.parquet",
                  "captions/fine_tuned.json"],
        "makes": ["results/missing_captions.json"],
        "gpu": 1,
    },
    "14_recommenders": {
        "compares": True,
        "needs": ["items.parquet", "features/image.parquet", "features/text.parquet", "features/both.parquet",
                  "features/vision.parquet", "features/queries.parquet", "results/feature_spaces.json"],
        "makes": ["results/recommenders.json"],
        "gpu": 1,
    },
    "15_why_item_knn_wins": {"compares": True, "makes": ["results/why_item_knn.json"], "gpu": 1},
    "16_one_model_two_tasks": {
        "compares": True,
        "needs": ["items.parquet", "features/image.parquet", "features/grid.parquet", "features/cells.safetensors",
                  "labelled.parquet"],
        "makes": ["captioner/joint/config.json", "results/one_model.json"],
        "gpu": 1,
    },
    "17_street_to_shop": {
        "compares": True,
        "needs": ["items.parquet", "features/image.parquet", "features/grid.parquet", "features/cells.safetensors",
                  "captioners.json", "captions/fine_tuned.json", "captioner/joint/config.json"],
        "makes": ["results/street_to_shop.json"],
        "gpu": 1,
    },
    "18_search": {
        "compares": True,
        "needs": ["items.parquet", "features/grid.parquet", "captioner/joint/config.json"],
        "makes": ["results/search.json"],
        "gpu": 1,
    },
    "19_scoreboard": {
        "compares": True,
        "needs": ["results/caption_scores.json", "results/recommenders.json", "results/why_item_knn.json",
                  "results/leakage.json", "results/catalogue.json", "results/fine_tuning.json", "results/one_model.json",
                  "results/street_to_shop.json"],
        "makes": ["results/scoreboard.json"],
    },
    "10_copy_or_write": {
        "needs": ["items.parquet", "features/image.parquet", "features/grid.parquet"],
        "makes": ["results/copy_or_write.json"],
        "gpu": 1,
    },
    "20_wardrobe": {"makes": ["results/wardrobe.json"]},
    "07_one_change_at_a_time": {
        "needs": ["items.parquet", "features/grid.parquet", "captioners.json"],
        "makes": ["results/one_change.json"],
        "gpu": 1,
    },
}


rule html:
    input:
        executed=[f"{RUN}/notebooks/{name}.ipynb" for name in NOTEBOOKS],
        results=[f"{RUN}/{made}" for spec in NOTEBOOKS.values() for made in spec["makes"] if made.startswith("results/")],
        pages=[str(p) for p in sorted(Path("book").rglob("*")) if p.is_file() and "__pycache__" not in p.parts],
        config=["_config.yml", "_toc.yml"],
        kept=[str(p) for p in sorted(Path("data").rglob("*")) if p.is_file()],
    output:
        f"{HTML}/index.html",
    params:
        stage=f"{RUN}/book",
        out=config.get("html", "."),
        html=HTML,
        run=RUN,
        profile=PROFILE,
    shell:
        """
        rm -rf {params.stage} && mkdir -p {params.stage}/notebooks
        cp -p {input.config} {params.stage}/ && cp -rp book data {params.run}/results {params.run}/records {params.stage}/
        cp -p {input.executed} {params.stage}/notebooks/
        jupyter-book build -q -W -n --keep-going --path-output {params.out} {params.stage}
        rm -rf {params.html}/gallery && cp -rp {params.run}/gallery {params.html}/
        """


for nb, spec in NOTEBOOKS.items():

    rule:
        name:
            f"notebook_{nb}"
        input:
            TABLES if nb == "00_preflight" else [],
            [] if nb == "00_preflight" else f"{RUN}/data.json",
            [f"{RUN}/{path}" for path in spec.get("needs", [])],
            [*PRINTED, *KEPT] if spec.get("compares") else [],
        output:
            f"{RUN}/notebooks/{nb}.ipynb",
            [f"{RUN}/{path}" for path in spec["makes"]],
            [directory(f"{RUN}/{spec['pictures']}")] if "pictures" in spec else [],
        params:
            depends_on=execute.dependencies(Path(f"notebooks/{nb}.ipynb"), PROFILE),
            notebook=f"notebooks/{nb}.ipynb",
            profile=PROFILE,
            given="-p " + shlex.quote(f"data={DATA}") if DATA and nb == "00_preflight" else "",
        resources:
            gpu=spec.get("gpu", 0) if ACCELERATED else 0,
        shell:
            "fashionlib execute {params.notebook} --profile {params.profile} {params.given}"
