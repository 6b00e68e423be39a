# The book's order of work: one rule per notebook, each a call of `fashionlib execute`, then the HTML.
# A notebook runs again when its code cells, its parameters, a fashionlib module that it imports, or an upstream artefact changes.
# Run through the Makefile, or: snakemake --cores 2 --config profile=tiny
# On a cluster: book/cluster.md
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from fashionlib.book import costs, execute, plan, preflight, runs

PROFILE = config.get("profile", "tiny")
DATA = config.get("data", "")
LONGER = config.get("longer", "")  # another such folder, of a longer time
RUN = f"_run/{PROFILE}"
HTML = str(Path(config.get("html", "."), "_build/html"))
ACCELERATED = PROFILE in ("colab", "paper")
LAID_OUT = {given: [f"{given}/{name}" for name in ("articles.csv", "transactions_train.csv")] for given in (DATA, LONGER) if given}
if PROFILE not in runs.profile_names():
    raise WorkflowError(f"unknown profile {PROFILE!r}; known: {', '.join(runs.profile_names())}")
if PROFILE == "sample" and not DATA:
    raise WorkflowError("profile sample needs data: make book PROFILE=sample DATA=path/to/hm, a folder in H&M's layout")
if missing := [path for tables in LAID_OUT.values() for path in tables if not Path(path).is_file()]:
    raise WorkflowError(f"no {missing[0]}; DATA and LONGER must be folders in H&M's layout, see book/your_shop.md")
PRINTED = [str(path) for path in sorted(Path("data").rglob("*")) if path.suffix in (".csv", ".json")
           and path.parts[1] in ("published", "pools", "tagging")]
# A run on the sample doesn't wait for its own kept numbers.
KEPT = [str(path) for path in sorted(Path("data/measured").glob("*/*.json"))] if PROFILE != "sample" else []

NOTEBOOKS = plan.notebooks(Path("notebooks"))  # read from their own calls of run.need, run.save …
BUDGETS = costs.budgets(PROFILE)["notebooks"]
# What the longest chain of notebooks waits for runs first.
SECONDS = {name: budget["processor_seconds"] for name, budget in BUDGETS.items()}
PATHS = plan.longest_paths(NOTEBOOKS, SECONDS)


onstart:
    if workflow.local_exec:  # not on a cluster, whose machines are others
        waiting = {job.name.removeprefix("notebook_") for job in workflow.dag.needrun_jobs()}
        if here := waiting & BUDGETS.keys():
            try:
                preflight.check_memory(PROFILE, workflow.cores, here)
            except MemoryError as error:
                raise WorkflowError(str(error))
            said = preflight.takes(PROFILE, workflow.cores, costs.gflops(), here)
            print(f"{len(here)} notebooks at profile {PROFILE}: {said}", file=sys.stderr)


rule html:
    input:
        executed=[f"{RUN}/notebooks/{name}.ipynb" for name in NOTEBOOKS],
        results=[f"{RUN}/{made}" for work in NOTEBOOKS.values() for made in work.makes if made.startswith("results/")],
        pages=[str(p) for p in sorted(Path("book").rglob("*")) if p.is_file() and "__pycache__" not in p.parts],
        prose=[f"notebooks/{name}.ipynb" for name in NOTEBOOKS],
        config=["_config.yml", "_toc.yml"],
        kept=[str(p) for p in sorted(Path("data").rglob("*")) if p.is_file()],
    output:
        f"{HTML}/index.html",
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        out=config.get("html", "."),
        profile=PROFILE,
    shell:
        "fashionlib site --profile {params.profile} --out {params.out}"


for nb, work in NOTEBOOKS.items():
    # The first notebook lays out the data; those that compare two catalogues' purchases read the second.
    folders = {"data": "" if work.needs else DATA, "longer": LONGER if work.longer else ""}

    rule:
        name:
            f"notebook_{nb}"
        input:
            [path for folder in folders.values() if folder for path in LAID_OUT[folder]],
            [f"{RUN}/{path}" for path in work.needs],
            [f"{RUN}/notebooks/{earlier}.ipynb" for earlier in work.after],
            [*PRINTED, *KEPT] if work.compares else [],
        output:
            f"{RUN}/notebooks/{nb}.ipynb",
            [f"{RUN}/{path}" for path in work.makes],
            [directory(f"{RUN}/{path}") for path in work.folders],
        params:
            depends_on=execute.dependencies(Path(f"notebooks/{nb}.ipynb"), PROFILE),
            notebook=f"notebooks/{nb}.ipynb",
            profile=PROFILE,
            given=shlex.join(word for name, folder in folders.items() if folder for word in ("-p", f"{name}={folder}")),
        priority:
            round(PATHS[nb])
        resources:
            gpu=int(ACCELERATED and work.accelerated),
            **costs.reservation(BUDGETS.get(nb)),
        shell:
            "fashionlib execute {params.notebook} --profile {params.profile} {params.given}"
