"""Start here: reads the settings, wires the parts together, and is the command `referral`.

`python app.py` alone serves the chat. Commands import the parts they need when they run, since torch alone
takes seconds to import and `referral ingest` has no use for it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from tqdm import tqdm

from index.errors import UnusableError
from ingest.article import write_jsonl
from ingest.finding import Source
from ingest.sources import Ingested, read_sources

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from index.retriever import Retriever

cli = typer.Typer(
    help="Referral answers questions from a blog's own articles: quoted, cited, and safe.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
)
store_cli = typer.Typer(help="Look after the store.", no_args_is_help=True)
cli.add_typer(store_cli, name="store")

StoreOption = Annotated[
    Path, typer.Option("--store", help="The folder of the index.", envvar="REFERRAL_STORE")
]
Sources = Annotated[list[Path], typer.Argument(help="Files and folders.", metavar="SOURCE...")]
DEFAULT_STORE = Path("store")


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set from outside, read once.

    Attributes:
        model: REFERRAL_MODEL: the embedding model: `packaged`, a folder, or a hub name.
        country: REFERRAL_COUNTRY: two letters, by which emergency numbers are chosen; empty for none.
    """

    model: str = "packaged"
    country: str = ""


def settings(environment: dict[str, str] | os._Environ[str] = os.environ) -> Settings:
    """The settings of the environment.

    Raises:
        typer.BadParameter: There is a REFERRAL_ variable that nothing reads: most likely a slip of the pen.
    """
    known = {"REFERRAL_MODEL": "model", "REFERRAL_COUNTRY": "country"}
    others = {"REFERRAL_STORE", "REFERRAL_FLOAT32"}
    unknown = sorted(
        key for key in environment if key.startswith("REFERRAL_") and key not in {*known, *others}
    )
    if unknown:
        raise typer.BadParameter(
            f"{unknown[0]} is set, but there is no such setting. "
            f"There are: {', '.join(sorted({*known, *others}))}."
        )
    return Settings(**{name: environment[key] for key, name in known.items() if environment.get(key)})


@cli.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Serve the chat when no command is given."""
    settings()  # a slip in a setting's name is told whatever the command
    if context.invoked_subcommand is None:
        context.invoke(serve, store=Path(os.environ.get("REFERRAL_STORE", DEFAULT_STORE)))


@cli.command()
def serve(
    store: StoreOption = DEFAULT_STORE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 7860,
) -> None:
    """Serve the chat; build the store of the sample blog first if there is none."""
    from assistant.pages.server import run
    from index.store import Store
    from ingest import sample

    chosen = settings()
    if not Store(store).exists():
        typer.echo(f"There is no store in {store} yet: indexing the sample blog, once.", err=True)
        _index(_read([sample.FOLDER]), [sample.FOLDER], store, chosen)
    run(wire(store, chosen), host=host, port=port)


@cli.command()
def ingest(
    sources: Sources,
    to: Annotated[Path, typer.Option("--to", help="The Article JSONL to write.")],
) -> None:
    """Read articles from files and folders into one Article JSONL."""
    ingested = _read(sources)
    if ingested.articles:
        write_jsonl(ingested.articles, to)
        typer.echo(f"{len(ingested.articles)} articles written to {to}.", err=True)
    _stop_on_problems(ingested)


@cli.command()
def index(
    sources: Sources,
    store: StoreOption = DEFAULT_STORE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would change.")] = False,
    allow_removals: Annotated[
        bool, typer.Option("--allow-removals", help="Go on even if many articles would be removed.")
    ] = False,
) -> None:
    """Bring the store up to date with its sources."""
    ingested = _read(sources)
    _index(ingested, sources, store, settings(), dry_run=dry_run, allow_removals=allow_removals)
    _stop_on_problems(ingested)


@cli.command()
def search(
    query: Annotated[str | None, typer.Argument(help="What to search for.")] = None,
    store: StoreOption = DEFAULT_STORE,
    top: Annotated[int, typer.Option(min=1, help="How many passages to show.")] = 10,
    queries: Annotated[Path | None, typer.Option("--in", help="Queries as JSONL with _id and text.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The TREC run to write.")] = None,
    depth: Annotated[int, typer.Option(min=1, help="Articles a query in the run.")] = 100,
) -> None:
    """Search passages: one query to the terminal, or a file of queries to a TREC run."""
    retriever = _retriever(store, settings())
    if queries and out:
        _search_batch(retriever, queries, out, depth)
    elif query is not None:
        _search_one(retriever, query, top)
    else:
        raise typer.BadParameter("Give a query, or --in queries.jsonl with --out run.trec.")


@cli.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="The question.")] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    questions: Annotated[Path | None, typer.Option("--in", help="Questions as JSONL.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The answers to write, as JSONL.")] = None,
) -> None:
    """Ask one question, or a file of them."""
    from assistant.answer import to_json
    from assistant.pages.plain import as_text

    assistant = wire(store, settings())
    if questions and out:
        _ask_batch(assistant, questions, out)
    elif question is None:
        raise typer.BadParameter("Give a question, or --in questions.jsonl with --out answers.jsonl.")
    else:
        answer = assistant.ask(question)
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False, indent=2) if as_json else as_text(answer))


@store_cli.command()
def info(store: StoreOption = DEFAULT_STORE) -> None:
    """What is served, and what it was built with."""
    from index.store import Store

    generation = Store(store).open()
    manifest = generation.manifest
    counts = manifest.counts
    typer.echo(f"generation  {generation.name}")
    typer.echo(f"built       {manifest.created}")
    typer.echo(
        f"model       {manifest.model} ({manifest.model_checksum[:12]}, {manifest.dimension} dimensions)"
    )
    typer.echo(f"articles    {counts.articles}")
    typer.echo(f"passages    {counts.passages} (of them {counts.comment_passages} of readers' comments)")
    typer.echo(f"sentences   {counts.sentences}")
    typer.echo(f"size        {sum(record.size for record in manifest.files.values()) / 1e6:.1f} MB")


@store_cli.command()
def check(store: StoreOption = DEFAULT_STORE) -> None:
    """Check every file, span and count of the served generation."""
    from index.store import Store

    faults = Store(store).check()
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        typer.echo(
            "Run `referral store rollback` to serve the generation before it, or index again.", err=True
        )
        raise typer.Exit(1)
    typer.echo("All is well.")


@store_cli.command()
def generations(store: StoreOption = DEFAULT_STORE) -> None:
    """The generations that are kept, oldest first; the served one is marked."""
    from index.store import Store

    chosen = Store(store)
    current = chosen.current_name()
    for name in chosen.names():
        typer.echo(f"{'*' if name == current else ' '} {name}")


@store_cli.command()
def rollback(store: StoreOption = DEFAULT_STORE) -> None:
    """Serve the generation before the current one again."""
    from index.store import Store

    typer.echo(f"Now served: {Store(store).rollback()}")


@cli.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Which benches; all by default.")] = None,
    data: Annotated[Path, typer.Option(help="The folder of evaluation data.")] = Path("../shared/data"),
    out: Annotated[Path, typer.Option(help="Where the JSON goes.")] = Path("bench-results"),
) -> None:
    """Measure quality and speed; works from a checkout."""
    sys.path.insert(0, str(Path(__file__).parent))
    from tests.bench.run import run_benches

    run_benches(names or [], data, out)


def wire(store: Path, chosen: Settings) -> Assistant:
    """The whole assistant over the served generation of a store."""
    from assistant.assistant import Assistant
    from assistant.safety.check import SafetyCheck
    from index.query import QueryMaker

    retriever = _retriever(store, chosen)
    queries = QueryMaker.of(retriever.generation, retriever.encoder)
    return Assistant(retriever, SafetyCheck(), queries, country=chosen.country)


def _retriever(store: Path, chosen: Settings) -> Retriever:
    from index.encoder import Encoder
    from index.retriever import Retriever
    from index.store import Store

    Store(store).current_name()  # no store: say so before the model is loaded
    encoder = Encoder(chosen.model)
    return Retriever(Store(store).open(encoder.identity), encoder)


def _read(sources: Sequence[Path]) -> Ingested:
    with tqdm(unit=" files", desc="reading", disable=None, leave=False) as bar:

        def shown(files: Sequence[Source]) -> Iterator[Source]:
            bar.total = len(files)
            for file in files:
                yield file
                bar.update()

        return read_sources(sources, progress=shown)


def _stop_on_problems(ingested: Ingested) -> None:
    """Tell at the very end what could not be read, and let the exit code say so."""
    for note in ingested.notes:
        typer.echo(note, err=True)
    if ingested.problems:
        typer.echo(f"\n{len(ingested.problems)} could not be read:", err=True)
        for problem in ingested.problems:
            typer.echo(f"  {problem}", err=True)
        raise typer.Exit(1)


# Indexing goes on without asking while at most this share of the served articles would be removed.
_REMOVAL_BRAKE = 0.2


def _index(
    ingested: Ingested,
    sources: Sequence[Path],
    folder: Path,
    chosen: Settings,
    *,
    dry_run: bool = False,
    allow_removals: bool = False,
) -> None:
    from index.encoder import Encoder
    from index.generation import Sourced
    from index.store import Store

    store = Store(folder)
    given = [
        Sourced(article, _origin(Path(file)))
        for article, file in zip(ingested.articles, ingested.files, strict=True)
    ]
    plan, corpus = store.plan(given, _covered(sources, ingested))
    typer.echo(
        f"{len(plan.added)} added, {len(plan.changed)} changed, {len(plan.removed)} removed, "
        f"{plan.unchanged} unchanged.",
        err=True,
    )
    if dry_run:
        for word, ids in (("add", plan.added), ("change", plan.changed), ("remove", plan.removed)):
            for one in ids:
                typer.echo(f"{word}  {one}")
        return
    served = plan.unchanged + len(plan.changed) + len(plan.removed)
    if len(plan.removed) > _REMOVAL_BRAKE * served and not allow_removals:
        raise typer.BadParameter(
            f"This would remove {len(plan.removed)} of {served} served articles, so nothing was done. "
            "Look at them with --dry-run; if they are to go, run it again with --allow-removals."
        )
    with tqdm(unit=" passages", desc="indexing", disable=None, leave=False) as bar:

        def shown(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        built = store.write(corpus, Encoder(chosen.model), shown)
    if built is None:
        typer.echo("Nothing changed; the store is as it was.", err=True)
    else:
        typer.echo(
            f"Served now: {built.manifest.counts.articles} articles, "
            f"{built.manifest.counts.passages} passages ({built.embedded} embedded, {built.reused} reused).",
            err=True,
        )


# All Article JSONL is one source: an export states everything there is, whatever its file is called.
_EXPORT = "export"


def _origin(file: Path) -> str:
    return _EXPORT if file.suffix.lower() in {".jsonl", ".ndjson", ".json"} else str(file.resolve())


def _covered(sources: Sequence[Path], ingested: Ingested) -> Callable[[str], bool]:
    """Whether an article of this origin would have been read again from these sources, were it still there.

    A file that could not be read is no proof that its article is gone.
    """
    roots = [source.resolve() for source in sources]
    unread = {str(Path(problem.source).resolve()) for problem in ingested.problems}
    origins = {_origin(Path(file)) for file in ingested.files}
    export_failed = any(_origin(Path(problem.source)) == _EXPORT for problem in ingested.problems)

    def covered(origin: str) -> bool:
        if origin == _EXPORT:
            return _EXPORT in origins and not export_failed
        return origin not in unread and any(Path(origin).is_relative_to(root) for root in roots)

    return covered


def _search_one(retriever: Retriever, query: str, top: int) -> None:
    from index.query import QueryMaker

    queries = QueryMaker.of(retriever.generation, retriever.encoder)
    for hit in retriever.retrieve(queries.make(query), top).hits:
        title = retriever.generation.article(int(retriever.generation.passage_articles[hit.row])).title
        scores = " ".join(f"{name} {score:.3f}" for name, score in hit.scores.items())
        typer.echo(f"{hit.rank:>3}  {hit.score:.3f}  {hit.passage.id}  ({scores})")
        typer.echo(f"     {title}{' / ' + hit.passage.heading if hit.passage.heading else ''}")
        typer.echo(f"     {' '.join(hit.passage.text.split())[:200]}")


def _search_batch(retriever: Retriever, queries: Path, out: Path, depth: int) -> None:
    from index.query import QueryMaker

    maker = QueryMaker.of(retriever.generation, retriever.encoder)
    with out.open("w", encoding="utf-8") as run:
        for record in _records(queries, ("_id", "text")):
            for hit in retriever.retrieve_articles(maker.make(record["text"]), depth):
                run.write(
                    f"{record['_id']} Q0 {hit.passage.article_id} {hit.rank} {hit.score:.6f} referral\n"
                )
            run.flush()


def _ask_batch(assistant: Assistant, questions: Path, out: Path) -> None:
    from assistant.answer import to_json

    with out.open("w", encoding="utf-8") as answers:
        for record in _records(questions, ("question",)):
            answer = assistant.ask(
                record["question"], record.get("history") or (), id=str(record.get("id", record["line"]))
            )
            answers.write(json.dumps(to_json(answer), ensure_ascii=False) + "\n")
            answers.flush()


def _records(path: Path, needed: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file with progress; each gets its `line`.

    Raises:
        typer.BadParameter: The file is not there, or a line of it is not what is needed; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(tqdm(lines, disable=None, leave=False), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise typer.BadParameter(f"{path}, line {number} is not JSON: {error.msg}.") from error
        missing = [name for name in needed if not isinstance(record, dict) or record.get(name) is None]
        if missing:
            raise typer.BadParameter(f"{path}, line {number} has no {missing[0]!r}.")
        yield {**record, "line": number}


def main() -> None:
    """Run the command; an error that has a next step is told in one line, without a traceback."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "faiss.loader", "sentence_transformers", "bm25s"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        cli()
    except UnusableError as error:
        typer.echo(f"referral: {error}", err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
