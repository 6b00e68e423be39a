"""The command line: the same functions that the notebooks call. Bad input ends with one
line and exit code 2.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
from pathlib import Path

import yaml

from fashionlib.book import runs
from fashionlib.commands import label, retrieve, search, serve
from fashionlib.data.files import atomic, write_json
from fashionlib.data.items import SPLIT_BY, SPLITS
from wardrobe import LAYOUTS


def _wardrobe(args: argparse.Namespace) -> None:
    import wardrobe

    wardrobe.write(
        args.dest,
        items=args.items,
        shoppers=args.shoppers,
        seed=args.seed,
        layout=args.layout,
    )
    bought = f", {args.shoppers} shoppers" if args.layout == "hm" else ""
    sys.stdout.write(
        f"{args.dest}: {args.items} articles{bought}, in layout {args.layout}"
        " (synthetic)\n"
    )


def _check(args: argparse.Namespace) -> int:
    from fashionlib.data.readers import layouts

    report = layouts.check(args.root)
    sys.stdout.write(f"{report}\n")
    return int(report.broken)


def _download(args: argparse.Namespace) -> None:
    from fashionlib.data import download
    from fashionlib.data.readers import layouts

    sys.stdout.write(f"{download.statement(args.name)}\n")
    place = download.download(args.name, args.dest, args.accept_terms)
    step = f"; next: fashionlib check {place}" if args.name in layouts.LAYOUTS else ""
    sys.stdout.write(f"{place}: complete and checked{step}\n")


def _split(args: argparse.Namespace) -> None:
    from fashionlib.data.items import split_items
    from fashionlib.data.readers import hm, layouts

    layout = layouts.recognise(args.root)
    if args.filter and layout != "hm":
        raise ValueError(
            f"--filter is Paper A's for H&M's tables, and {args.root} is in layout"
            f" {layout}; leave it out"
        )
    items = layouts.items(args.root)
    if args.filter:
        items, steps = hm.filter_captioned(items)
        sys.stdout.write(steps.to_string(index=False) + "\n")
    split = split_items(items, by=args.by, seed=args.seed)
    with atomic(args.out) as part:
        split[["item_id", "split"]].to_csv(part, index=False)
    sizes = split["split"].value_counts()
    sys.stdout.write(
        f"{args.out}: {', '.join(f'{sizes.get(name, 0)} {name}' for name in SPLITS)},"
        f" by {args.by}\n"
    )


def _split_purchases(args: argparse.Namespace) -> None:
    from fashionlib.commands.jobs import split_purchases

    counts, written = split_purchases.split_files(
        args.transactions, args.out, args.articles, args.by, args.day, args.layout
    )
    sys.stdout.write(f"{counts.to_string()}\n{', '.join(map(str, written))}\n")


def _finetune(args: argparse.Namespace) -> None:
    from fashionlib.captioning.training import recipe
    from fashionlib.commands.jobs import finetune
    from fashionlib.data.items import CAPTION, IMAGE, SPLIT, split_items
    from fashionlib.data.readers import layouts

    changes = {
        name: value
        for name in ("batch_size", "lr")
        if (value := getattr(args, name)) is not None
    }
    made = recipe(args.recipe, args.steps, **changes)
    items = split_items(
        layouts.items(args.root), by=args.split
    )  # as fashionlib split cuts them
    shown = items[items[CAPTION].notna() & items[IMAGE].notna()]
    sizes = shown[SPLIT].value_counts()
    data = {
        "catalogue": args.root.resolve().name,
        "layout": layouts.recognise(args.root),
        "items": f"{len(shown)} with caption and picture, of {len(items)}",
        "split": (
            f"by {args.split}:"
            f" {', '.join(f'{sizes.get(name, 0)} {name}' for name in SPLITS)}"
        ),
    }
    if finetune.run(
        shown,
        args.base,
        made,
        args.output,
        data,
        args.pixel_cache,
        args.push_to_hub,
        args.feature_cache,
    ):
        captions, references = (
            args.output / finetune.CAPTIONS,
            args.output / finetune.REFERENCES,
        )
        sys.stdout.write(
            f"{args.output / finetune.ADAPTER}: the adapter; {captions}: captions of the"
            f" test split; next: fashionlib score --references {references} --captions"
            f" {captions} --out scores.json\n"
        )


def _score(args: argparse.Namespace) -> None:
    from fashionlib.commands.jobs import score

    systems = {path.stem: path for path in args.captions}
    if len(systems) < len(args.captions):
        raise ValueError(
            f"{', '.join(map(str, args.captions))}: a system is called by its file, and"
            " two have one name"
        )
    if args.out.is_dir() or args.out.resolve() in {
        path.resolve() for path in (args.references, *args.captions)
    }:
        raise ValueError(
            f"--out {args.out} is a folder or one of the inputs; name a new file"
        )
    result = score.score_files(
        args.references,
        systems,
        args.items,
        args.pool,
        args.spice_models,
        args.spice_java,
        args.seed,
        args.resamples,
    )
    write_json(args.out, result)
    sys.stdout.write(score.report(result) + "\n")


def _recommend(args: argparse.Namespace) -> None:
    from fashionlib.commands.jobs import recommend

    if not re.fullmatch(r"\d+(,\d+)*", args.cutoffs):
        raise ValueError(f"--cutoffs {args.cutoffs!r} are no list lengths; e.g. 5,12")
    if args.top is not None and args.lists is None:
        raise ValueError(
            f"--top {args.top} is the length of the lists; --lists says where they go"
        )
    cutoffs = tuple(
        sorted(
            {
                *map(int, args.cutoffs.split(",")),
                *([] if args.top is None else [args.top]),
            }
        )
    )
    spaces = _spaces(args.features)
    inputs, outputs = (
        [args.train, args.test, *spaces.values()],
        [out for out in (args.out, args.lists) if out],
    )
    for place, out in enumerate(outputs):
        if out.is_dir() or out.resolve() in {
            path.resolve() for path in inputs + outputs[:place]
        }:
            raise ValueError(
                f"{out} is a folder, one of the inputs, or named twice; name a new file"
            )
    options = recommend.Options(
        args.k,
        args.convention,
        args.factors,
        args.epochs,
        spaces,
        args.repeats,
        args.seed,
    )
    found = recommend.recommend_files(
        args.train, args.test, args.model, cutoffs, options
    )
    if args.lists:
        recommend.write_lists(args.lists, found, args.top or max(cutoffs))
    write_json(args.out, found.result)
    for name, model in found.result["models"].items():
        for metric, value in model["metrics"].items():
            sys.stdout.write(
                f"{name:10} {metric:16} {value['mean']:.5f}  [{value['low']:.5f},"
                f" {value['high']:.5f}]\n"
            )
    for metric, pairs in found.result["differences"].items():
        for pair, value in pairs.items():
            sys.stdout.write(
                "{} {}: {difference:+.5f}  [{low:+.5f}, {high:+.5f}], p {p:.3f}\n".format(
                    metric, pair, **value
                )
            )


def _spaces(given: list[str]) -> dict[str, Path]:
    """{name: file} of x.parquet (called x) or name=x.parquet."""
    spaces = {}
    for text in given:
        named = re.fullmatch(r"(\w+)=(.+)", text)
        name, path = (
            (named[1], Path(named[2])) if named else (Path(text).stem, Path(text))
        )
        if name in spaces:
            raise ValueError(
                f"--features {text}: {name} is named twice; e.g. visual=a.parquet"
                " textual=b.parquet"
            )
        spaces[name] = path
    return spaces


def _execute(args: argparse.Namespace) -> None:
    from fashionlib.book import execute

    given = {}
    for pair in args.parameter:
        name, sign, value = pair.partition("=")
        if not sign:
            raise ValueError(f"-p {pair!r} isn't NAME=VALUE, e.g. -p seed=3")
        try:
            given[name] = yaml.safe_load(value) if value else ""
        except yaml.YAMLError as error:
            raise ValueError(
                f"-p {pair!r} has no YAML value ({str(error).splitlines()[0]}); e.g. -p"
                " seed=3"
            ) from error
    done = execute.execute(args.notebook, args.profile, given)
    sys.stdout.write(f"{done.relative_to(runs.repository())}\n")


def _keep(args: argparse.Namespace) -> None:
    sys.stdout.write(f"{runs.keep(args.profile).relative_to(runs.repository())}\n")


def _summary(args: argparse.Namespace) -> None:
    runs.profile(args.profile)
    place = runs.repository() / "_run" / args.profile / "results" / "scoreboard.json"
    if not place.is_file():
        raise FileNotFoundError(
            f"no scoreboard of profile {args.profile}; run: make book"
            f" PROFILE={args.profile}"
        )
    board = json.loads(place.read_text(encoding="utf-8"))
    if board["provenance"]["data"]["synthetic"]:
        sys.stdout.write(
            '"this run" is the synthetic wardrobe: it tests the method and says nothing'
            " about H&M\n"
        )
    for row in board["values"]["main"]:
        sys.stdout.write(
            "{what:46} {published:>10} {sample:>10} {here:>10}\n".format(**row)
        )


def parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(
        prog="fashionlib",
        description="Read, caption, score and recommend fashion items.",
    )
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, run, help, *examples):
        epilog = "\n".join(
            f"example: fashionlib {name} {example}" for example in examples
        )
        sub = commands.add_parser(
            name,
            help=help,
            description=help,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    sub = command(
        "wardrobe",
        _wardrobe,
        "Draw the synthetic wardrobe into DEST, in the layout of a real dataset.",
        "my-wardrobe --items 300 --shoppers 200 --seed 1",
    )
    sub.add_argument("dest", type=Path, metavar="DEST")
    sub.add_argument(
        "--items", type=int, default=2400, metavar="N", help="articles (default 2400)"
    )
    sub.add_argument(
        "--shoppers",
        type=int,
        default=1500,
        metavar="M",
        help="customers (default 1500)",
    )
    sub.add_argument("--seed", type=int, default=0, metavar="S")
    sub.add_argument(
        "--layout",
        choices=LAYOUTS,
        default="hm",
        help="whose on-disk layout (default hm)",
    )

    sub = command(
        "check",
        _check,
        "Say what lies in a data folder, what is missing and what is broken.",
        "my-wardrobe",
    )
    sub.add_argument(
        "root",
        type=Path,
        metavar="ROOT",
        help="a folder in one of the layouts: " + ", ".join(LAYOUTS),
    )

    sub = command(
        "download",
        _download,
        "Say a dataset's terms and fetch it, with your account where it needs one.",
        "hm path/to/hm --accept-terms",
    )
    sub.add_argument(
        "name",
        help=(
            "hm, hm_hub, hm_hub_12k, dfmm_hub or clothing; of facad, dfmm,"
            " consumer2shop and deepfashion2 it says whom to ask"
        ),
    )
    sub.add_argument(
        "dest",
        type=Path,
        metavar="DEST",
        help="the folder to fetch to; a run that was cut off goes on",
    )
    sub.add_argument(
        "--accept-terms",
        action="store_true",
        help="you have read the terms and keep to them",
    )

    sub = command(
        "split",
        _split,
        "Cut the items of a data folder 80/10/10 into train, validation and test.",
        "my-wardrobe --by product --out splits.csv",
    )
    sub.add_argument("root", type=Path, metavar="ROOT")
    sub.add_argument(
        "--by",
        choices=SPLIT_BY,
        default="article",
        help=(
            "article: Paper A's published recipe to the row (default); product: no"
            " product on two sides; caption: no text on two sides"
        ),
    )
    sub.add_argument(
        "--filter",
        action="store_true",
        help=(
            "keep what Paper A keeps first: a caption, a picture, "
            "a fashion type of at least 7 articles; else every item is cut"
        ),
    )
    sub.add_argument(
        "--seed",
        type=int,
        default=42,
        metavar="S",
        help="random state (default 42, as published)",
    )
    sub.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="splits.csv",
        help="columns item_id, split",
    )

    sub = command(
        "split-purchases",
        _split_purchases,
        "Cut the purchases of H&M's table 80/20 by time, the published "
        "way or with whole days.",
        "transactions_train.csv --out hm-split",
    )
    sub.add_argument(
        "transactions",
        type=Path,
        metavar="transactions_train.csv",
        help="with columns t_dat, customer_id, article_id",
    )
    sub.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="gets train.tsv and test.tsv: user, item, 1, date; no header",
    )
    sub.add_argument(
        "--articles",
        type=Path,
        metavar="items.csv",
        help=(
            "a table with a column article_id or item_id (articles.csv, or fashionlib"
            " split's): purchases of other articles are left out, and counted"
        ),
    )
    sub.add_argument(
        "--by",
        choices=("customer", "date"),
        default="customer",
        help=(
            "customer: of each, the last fifth of the rows is the test, as Paper A's"
            " script cuts (default); date: one date for everybody"
        ),
    )
    sub.add_argument(
        "--day",
        choices=("cut", "train", "test"),
        default="cut",
        help=(
            "what becomes of the day through which a customer's cut falls: cut, as"
            " published (default), or whole to one side"
        ),
    )
    sub.add_argument(
        "--layout",
        choices=("elliot", "recbole"),
        default="elliot",
        help=(
            "recbole: DIR/DIR.train.inter, DIR.valid.inter (the train side, cut once"
            " more) and DIR.test.inter, for benchmark_filename"
        ),
    )

    sub = command(
        "finetune",
        _finetune,
        "Train an adapter on the captions of a data folder; goes on after a kill.",
        "path/to/hm --base Salesforce/blip2-opt-2.7b --output adapters/hm",
    )
    sub.add_argument("root", type=Path, metavar="DATA")
    sub.add_argument(
        "--base",
        required=True,
        metavar="NAME",
        help="a hub id, or a folder in the hub's layout",
    )
    sub.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FOLDER",
        help=(
            "gets adapter/, captions.json and references.json of the test split, and"
            " run/ (checkpoints)"
        ),
    )
    sub.add_argument(
        "--recipe",
        default="paper_a",
        help="of fashionlib/captioning/training/recipes.yaml (default paper_a)",
    )
    sub.add_argument(
        "--steps", type=int, default=1000, metavar="N", help="default 1000"
    )
    sub.add_argument(
        "--batch-size",
        type=int,
        metavar="N",
        help="of each process (default: the recipe's)",
    )
    sub.add_argument(
        "--lr", type=float, metavar="X", help="learning rate (default: the recipe's)"
    )
    sub.add_argument(
        "--split",
        choices=("article", "product"),
        default="article",
        help="as of fashionlib split",
    )
    sub.add_argument(
        "--pixel-cache", type=Path, metavar="FOLDER", help="keep resized pictures there"
    )
    sub.add_argument(
        "--feature-cache",
        type=Path,
        metavar="FOLDER",
        help=(
            "keep the vision tower's outputs there; not with a recipe whose LoRA"
            " touches the tower"
        ),
    )
    sub.add_argument(
        "--push-to-hub",
        default="",
        metavar="REPO",
        help="send the adapter there, private",
    )

    sub = command(
        "score",
        _score,
        'Score generated captions (coco form: {id: [{"caption": ...}]}), with'
        " intervals.",
        "--references R.json --captions C.json --items items.csv --out scores.json",
    )
    sub.add_argument("--references", type=Path, required=True, metavar="R.json")
    sub.add_argument(
        "--captions",
        type=Path,
        required=True,
        action="append",
        metavar="C.json",
        help=(
            "one for each system: --captions A.json --captions B.json compares them."
            " 'shuffled' is a system's captions given to other items, the control"
        ),
    )
    sub.add_argument(
        "--items",
        type=Path,
        metavar="items.csv",
        help=(
            "csv or parquet with item_id, caption, category, split (train, validation,"
            " test), perhaps product_id: adds attribute precision and recall (of words"
            " that 10 training captions have) and category accuracy, resamples and"
            " shuffles by product"
        ),
    )
    sub.add_argument(
        "--pool",
        type=Path,
        metavar="pool.json",
        help=(
            "a frozen attribute pool (data/pools) in place of "
            "the training captions' own; needs --items"
        ),
    )
    sub.add_argument(
        "--spice-models",
        type=Path,
        metavar="FOLDER",
        help=(
            "of CoreNLP 3.6.0: adds the official SPICE "
            "(else SPICE-py alone); what is missing there is told before anything runs"
        ),
    )
    sub.add_argument(
        "--spice-java",
        metavar="JAVA",
        help="the java program of a Java 8 to 14, for the official SPICE",
    )
    sub.add_argument(
        "--resamples",
        type=int,
        default=1000,
        metavar="N",
        help="of the bootstrap (default 1000)",
    )
    sub.add_argument("--seed", type=int, default=42, metavar="S")
    sub.add_argument("--out", type=Path, required=True, metavar="scores.json")

    sub = command(
        "recommend",
        _recommend,
        "Fit recommenders on TSV files (user, item, rating, date; no header), judge "
        "and compare them.",
        "--train train.tsv --test test.tsv --model ItemKNN --k 20 --out r.json",
        "--train train.tsv --test test.tsv --model MostPop --model VBPR --features"
        " clip.parquet --top 12 --lists lists.parquet --out r.json",
        "--train train.tsv --test test.tsv --model BM3 --features visual=resnet.parquet"
        " --features textual=sbert.parquet --epochs 20 --out r.json",
    )
    sub.add_argument("--train", type=Path, required=True, metavar="train.tsv")
    sub.add_argument("--test", type=Path, required=True, metavar="test.tsv")
    sub.add_argument(
        "--model",
        required=True,
        action="append",
        metavar="NAME",
        help=(
            "Random, MostPop, Repeat, UserKNN, ItemKNN, BPR, VBPR, FREEDOM or BM3;"
            " several are compared on the same customers"
        ),
    )
    sub.add_argument(
        "--k",
        type=int,
        metavar="N",
        help="neighbours (default 10 for UserKNN, 20 for ItemKNN)",
    )
    sub.add_argument(
        "--convention",
        choices=("plain", "elliot", "aiolli", "implicit"),
        help=(
            "of UserKNN and ItemKNN: plain, the textbook's (default); elliot, Elliot's"
            " standard (self counted, UserKNN transposed); aiolli, Elliot's aiolli"
            " (self not counted); implicit, the library's ItemKNN"
        ),
    )
    sub.add_argument(
        "--features",
        action="append",
        default=[],
        metavar="[NAME=]x.parquet",
        help=(
            "of VBPR, FREEDOM and BM3: columns item_id, features; one row for every"
            " item of the train rows. Several for FREEDOM and BM3 (visual=...,"
            " textual=...); VBPR puts them side by side"
        ),
    )
    sub.add_argument(
        "--factors",
        type=int,
        metavar="N",
        help="of BPR, VBPR, FREEDOM, BM3 (default: the model's)",
    )
    sub.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help="at most, of the same (default: the model's)",
    )
    sub.add_argument(
        "--repeats",
        action="store_true",
        help=(
            "may recommend what a customer bought in train (else, as "
            "in Elliot, it is masked); Repeat needs it"
        ),
    )
    sub.add_argument(
        "--cutoffs", default="5,12", metavar="N,N", help="list lengths (default 5,12)"
    )
    sub.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="of the models and of the intervals (default 0)",
    )
    sub.add_argument(
        "--lists",
        type=Path,
        metavar="lists.parquet",
        help=(
            "keep the lists: user_id, rank, item_id, and model where there are several"
        ),
    )
    sub.add_argument(
        "--top",
        type=int,
        metavar="N",
        help="their length, judged too (default: the largest cutoff)",
    )
    sub.add_argument("--out", type=Path, required=True, metavar="r.json")

    for group in (label, retrieve, search, serve):
        group.add(command)

    sub = command(
        "execute",
        _execute,
        "Execute one notebook of the book with papermill.",
        "notebooks/00_preflight.ipynb --profile smoke",
    )
    sub.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    sub.add_argument(
        "--profile",
        default="tiny",
        help=f"one of {', '.join(runs.profile_names())} (default tiny)",
    )
    sub.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=(
            "a parameter of the notebook, over the profile's; may be given several"
            " times"
        ),
    )

    sub = command(
        "keep",
        _keep,
        "Keep a run's numbers on real data in data/measured, where the book shows"
        " them.",
        "--profile sample",
    )
    sub.add_argument(
        "--profile",
        default="sample",
        help="a profile that has run on real data (default sample)",
    )

    sub = command(
        "summary",
        _summary,
        "Print the main numbers of a finished run.",
        "--profile tiny",
    )
    sub.add_argument(
        "--profile", default="tiny", help="a profile that has run (default tiny)"
    )
    return main


def main(argv: list[str] | None = None) -> int:
    """Run a command; 0 when it went well, 1 when what was checked or executed is
    broken, 2 on bad input.
    """
    from fashionlib.book.execute import NotebookError

    args = parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        return args.run(args) or 0
    except NotebookError as error:
        sys.stderr.write(f"fashionlib {args.command}: {' '.join(str(error).split())}\n")
        return 1
    except ModuleNotFoundError as error:
        extras = "app,captions,data,features,labels,recommend,scores,search,book"
        sys.stderr.write(
            f"fashionlib {args.command}: {error}; pip install 'fashionlib[{extras}]'\n"
        )
        return 2
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        sys.stderr.write(f"fashionlib {args.command}: {' '.join(str(error).split())}\n")
        return 2
