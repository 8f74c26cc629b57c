"""Start here: reads the settings, wires the parts together, and is the command `referral`.

`python app.py` alone serves the chat. Commands import the parts they need when they run, since torch alone
takes seconds to import and `referral ingest` has no use for it.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from tqdm import tqdm

from index.errors import UnusableError
from ingest.article import Article, write_jsonl
from ingest.finding import Source
from ingest.problem import Problem
from ingest.sources import Ingested, is_address, read_sources

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.language_model import LanguageModel
    from assistant.pages.server import Options
    from assistant.safety.check import SafetyCheck
    from index.bridge import BridgeStore
    from index.encoder import Encoder
    from index.filters import Filter
    from index.gate import Gate, Golden, Shown
    from index.generation import Generation
    from index.reranker import Reranker
    from index.retriever import Retriever
    from index.runs import Run as Record
    from index.seen import Seen
    from index.store import Plan
    from ingest.web.crawl import Crawler

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
Sources = Annotated[
    list[str],
    typer.Argument(
        help="Files, folders, exports, and addresses of feeds, sitemaps or pages.", metavar="SOURCE..."
    ),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option("--allow-host", help="A host that may be on an inner network; may be repeated."),
]
Pause = Annotated[float, typer.Option(min=0.0, help="Seconds between two requests to a host.")]
DEFAULT_STORE = Path("store")
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD")]


class Kind(Enum):
    """What is searched; the values are those of `Passage.kind`."""

    ARTICLE = "article"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set from outside, read once.

    Attributes:
        model: REFERRAL_MODEL: the embedding model: `packaged`, a folder, or a hub name.
        reranker: REFERRAL_RERANKER: a CrossEncoder that reads the best hits again: a folder or a hub name;
            empty for none.
        country: REFERRAL_COUNTRY: two letters, by which emergency numbers are chosen; empty for none.
        llm_url: REFERRAL_LLM_URL: the base URL of an OpenAI-compatible server; empty to quote.
        llm_model: REFERRAL_LLM_MODEL: the model's name there.
        llm_key_env: REFERRAL_LLM_KEY_ENV: the name of the environment variable that holds the key.
        llm_first_seconds: REFERRAL_LLM_FIRST_SECONDS: the longest wait for each next word.
        llm_total_seconds: REFERRAL_LLM_TOTAL_SECONDS: the longest wait for a whole answer.
        webhook_secret: REFERRAL_WEBHOOK_SECRET: what messages to `referral watch` are signed with.
        widget_origins: REFERRAL_WIDGET_ORIGINS: the sites that may show the widget, parted by spaces.
        asks_per_minute: REFERRAL_ASKS_PER_MINUTE: questions that one address may ask; 0 for any number.
    """

    model: str = "packaged"
    reranker: str = ""
    country: str = ""
    llm_url: str = ""
    llm_model: str = ""
    llm_key_env: str = ""
    llm_first_seconds: str = "10"
    llm_total_seconds: str = "30"
    webhook_secret: str = ""
    widget_origins: str = ""
    asks_per_minute: str = "120"


def settings(environment: dict[str, str] | os._Environ[str] = os.environ) -> Settings:
    """The settings of the environment.

    Raises:
        typer.BadParameter: There is a REFERRAL_ variable that nothing reads: most likely a slip of the pen.
    """
    known = {f"REFERRAL_{field.name.upper()}": field.name for field in fields(Settings)}
    others = {"REFERRAL_STORE", "REFERRAL_FLOAT32", environment.get("REFERRAL_LLM_KEY_ENV", "REFERRAL_STORE")}
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
    from index.bridge import BridgeStore
    from index.store import Store
    from ingest import sample

    chosen = settings()
    is_new = not Store(store).exists()
    if is_new:
        typer.echo(f"There is no store in {store} yet: indexing the sample blog, once.", err=True)
    parts = _parts(chosen)
    if is_new:
        # The questions first: whoever stops it here gets both at the next start.
        kept = BridgeStore.within(store)
        kept.adopt(sample.QUESTIONS)
        kept.embed(parts.encoder)
        _index(_read([sample.FOLDER]), store, chosen, Run([sample.FOLDER], "serve"))
    assistant = parts.assistant(Store(store).open(parts.encoder.identity, verify=True))
    looked_at = Store(store).current_name()

    def renew(served: str) -> Assistant | None:
        nonlocal looked_at
        name = Store(store).current_name()
        if name in {served, looked_at}:  # a damaged one is told once, not at every look
            return None
        looked_at = name
        generation = Store(store).open(parts.encoder.identity, verify=True)
        return None if generation.name == served else parts.assistant(generation)

    run(assistant, host=host, port=port, options=_options(chosen), renew=renew)


@cli.command()
def ingest(
    sources: Sources,
    to: Annotated[Path | None, typer.Option("--to", help="The Article JSONL to write.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what is kept of a page and what is dropped, and why.")
    ] = False,
    allow_host: AllowHost = None,
    pause: Pause = 1.0,
) -> None:
    """Read articles from files, folders, exports and addresses of the web into one Article JSONL."""
    if explain:
        _explain(sources, Web(None, tuple(allow_host or ()), pause))
        return
    if to is None:
        raise typer.BadParameter("Give --to articles.jsonl, or --explain to see what would be kept.")
    ingested = _read(sources, Web(to.with_name(f".{to.name}.web"), tuple(allow_host or ()), pause))
    if ingested.articles:
        write_jsonl(ingested.articles, to)
        typer.echo(f"{len(ingested.articles)} articles written to {to}.", err=True)
    _stop_on_problems(ingested)


@cli.command()
def index(  # noqa: PLR0913, PLR0917 (each is an option of the command)
    sources: Sources,
    store: StoreOption = DEFAULT_STORE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would change.")] = False,
    allow_removals: Annotated[
        bool, typer.Option("--allow-removals", help="Go on even if many articles would be removed.")
    ] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            help="The id of an article that is held back and is right; may be repeated; 'all' for all."
        ),
    ] = None,
    accept_fall: Annotated[
        bool, typer.Option("--accept-fall", help="Serve it even if golden questions fall.")
    ] = False,
    margin: Annotated[
        float, typer.Option(min=0, max=1, help="By what share of the golden questions it may be worse.")
    ] = 0.05,
    anew: Annotated[
        bool, typer.Option("--anew", help="Serve these sources alone, and do not look at what is served.")
    ] = False,
    allow_host: AllowHost = None,
    pause: Pause = 1.0,
) -> None:
    """Bring the store up to date with its sources."""
    options = Run(
        sources,
        "command",
        dry_run=dry_run,
        allow_removals=allow_removals,
        accept_fall=accept_fall,
        margin=margin,
        anew=anew,
        accepted=frozenset(accept or ()),
        web=Web(store / "web.sqlite", tuple(allow_host or ()), pause),
    )
    if _run(store, settings(), options).outcome == "failed":
        raise typer.Exit(1)


@cli.command()
def watch(  # noqa: PLR0913, PLR0917 (each is an option of the command)
    sources: Sources,
    store: StoreOption = DEFAULT_STORE,
    every: Annotated[float, typer.Option(min=0, help="Minutes between two runs; 0 for none.")] = 15,
    cron: Annotated[str, typer.Option(help="A crontab's five fields instead, by UTC.")] = "",
    once: Annotated[
        bool, typer.Option("--once", help="One run, and an exit code that tells how it went: for cron.")
    ] = False,
    webhook_port: Annotated[int, typer.Option(help="Port for signed messages; 0 for none.")] = 0,
    webhook_host: Annotated[str, typer.Option(help="Address for signed messages.")] = "127.0.0.1",
    margin: Annotated[
        float, typer.Option(min=0, max=1, help="By what share of the golden questions it may be worse.")
    ] = 0.05,
    allow_host: AllowHost = None,
    pause: Pause = 1.0,
) -> None:
    """Read the sources again and again, and serve what has changed; a failed run changes nothing.

    A message to /webhook, signed with REFERRAL_WEBHOOK_SECRET as Shopify signs its own, sets off a run too.
    """
    from index.errors import StoreError
    from index.watching import Watch

    chosen = settings()
    if webhook_port and not chosen.webhook_secret:
        raise typer.BadParameter("Messages need a secret to be signed with: set REFERRAL_WEBHOOK_SECRET.")
    web = Web(store / "web.sqlite", tuple(allow_host or ()), pause)

    def run(why: str) -> str:
        try:
            return _run(store, chosen, Run(sources, why, hold=True, margin=margin, web=web)).outcome
        except typer.BadParameter as error:
            raise StoreError(error.message) from error

    watching = Watch(run, every=0 if once else every, cron="" if once else cron)
    if once:
        if not watching.once("once"):
            raise typer.Exit(1)
        return
    if not (every or cron or webhook_port):
        raise typer.BadParameter("Nothing would ever set off a run: give --every, --cron or --webhook-port.")
    watching.start()
    try:
        if webhook_port:
            import uvicorn

            from assistant.pages.server import LOGGING, listen
            from assistant.pages.webhook import create_webhook

            app = create_webhook(chosen.webhook_secret, watching.call, watching.metrics)
            with listen(webhook_host, webhook_port) as listening:
                config = uvicorn.Config(app, log_config=LOGGING, access_log=False)
                uvicorn.Server(config).run(sockets=[listening])
        else:
            threading.Event().wait()
    except KeyboardInterrupt:
        typer.echo("Stopped; a run that is under way is finished first.", err=True)
    finally:
        watching.stop()


@cli.command()
def search(  # noqa: PLR0913, PLR0917 (each is an option of the command)
    query: Annotated[str | None, typer.Argument(help="What to search for.")] = None,
    store: StoreOption = DEFAULT_STORE,
    top: Annotated[int, typer.Option(min=1, help="How many passages to show.")] = 10,
    queries: Annotated[Path | None, typer.Option("--in", help="Queries as JSONL with _id and text.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The TREC run to write.")] = None,
    depth: Annotated[int, typer.Option(min=1, help="Articles a query in the run.")] = 100,
    tag: Annotated[list[str] | None, typer.Option(help="Only articles with one of these tags.")] = None,
    author: Annotated[list[str] | None, typer.Option(help="Only articles by one of these.")] = None,
    since: Day = None,
    until: Day = None,
    updated_since: Day = None,
    updated_until: Day = None,
    kind: Annotated[Kind, typer.Option(help="Articles, or their readers' comments.")] = Kind.ARTICLE,
) -> None:
    """Search passages: one query to the terminal, or a file of queries to a TREC run.

    --since and --until are days of publication, both included. What an option leaves out is never found,
    however far the search goes.
    """
    from index.filters import Filter, Period

    within = Filter(
        tags=tuple(tag or ()),
        authors=tuple(author or ()),
        published=Period(since and since.date(), until and until.date()),
        updated=Period(updated_since and updated_since.date(), updated_until and updated_until.date()),
        kind=kind.value,
    )
    retriever = _retriever(store, settings())
    if queries and out:
        _search_batch(retriever, queries, out, depth, within)
    elif query is not None:
        _search_one(retriever, query, top, within)
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

    chosen = Store(store)
    manifest = chosen.manifest()
    counts = manifest.counts
    typer.echo(f"generation  {chosen.current_name()}")
    typer.echo(f"built       {manifest.created}")
    typer.echo(
        f"model       {manifest.model} ({manifest.model_checksum[:12]}, {manifest.dimension} dimensions)"
    )
    typer.echo(f"articles    {counts.articles}")
    typer.echo(f"passages    {counts.passages} (of them {counts.comment_passages} of readers' comments)")
    typer.echo(f"sentences   {counts.sentences}")
    typer.echo(f"size        {sum(record.size for record in manifest.files.values()) / 1e6:.1f} MB")


@store_cli.command()
def check(
    store: StoreOption = DEFAULT_STORE,
    repair: Annotated[
        bool, typer.Option("--repair", help="Serve the last sound generation, remove what is damaged.")
    ] = False,
) -> None:
    """Check every file, span and count of the served generation."""
    from index.store import Store

    if repair:
        for done in Store(store).repair():
            typer.echo(done)
    faults = Store(store).check()
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        typer.echo("Run `referral store check --repair`, or index again.", err=True)
        raise typer.Exit(1)
    typer.echo("All is well.")


@store_cli.command()
def generations(store: StoreOption = DEFAULT_STORE) -> None:
    """The generations that are kept, oldest first, with their scores; the served one is marked."""
    from index.store import Store

    chosen = Store(store)
    current = chosen.current_name()
    for name in chosen.names():
        score = chosen.score(name)
        told = score.told if score else "no golden questions asked"
        typer.echo(f"{'*' if name == current else ' '} {name}  {told}")


@store_cli.command()
def runs(
    store: StoreOption = DEFAULT_STORE,
    last: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
) -> None:
    """What the last indexing runs did, oldest first."""
    from index.runs import runs as recorded

    for one in recorded(store, last):
        changes = f"+{one.added} ~{one.changed} -{one.removed}"
        gate = f"  gate: {one.gate.told}" if one.gate else ""
        typer.echo(
            f"{one.started}  {one.seconds:6.1f} s  {one.outcome:<9}  {changes:<14}  {one.embedded} embedded  "
            f"{one.trigger}: {' '.join(one.sources)}{gate}"
        )
        for error in one.errors:
            typer.echo(f"    {error}")


@store_cli.command()
def bridge(
    store: StoreOption = DEFAULT_STORE,
    write: Annotated[
        bool, typer.Option("--write", help="Have the language model write those that are missing.")
    ] = False,
) -> None:
    """The questions by which passages are also found: shown to maintainers, never to visitors."""
    from index.bridge import BridgeStore
    from index.store import Store

    generation = Store(store).open()
    kept = BridgeStore.of(generation)
    if write:
        _write_bridge(kept, generation, settings())
    for bridged in kept.shown(generation):
        typer.echo(bridged.passage.id)
        for question in bridged.questions:
            typer.echo(f"  {question}")


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
    size: Annotated[
        list[int] | None, typer.Option(min=1000, help="Passages, for the bench `scale`; may be repeated.")
    ] = None,
) -> None:
    """Measure quality and speed; works from a checkout."""
    sys.path.insert(0, str(Path(__file__).parent))
    from tests.bench.run import run_benches
    from tests.bench.scale import SIZES

    run_benches(names or [], data, out, size or SIZES)


@dataclass(frozen=True, slots=True)
class Parts:
    """What every generation's assistant is made with; loading it takes seconds."""

    encoder: Encoder
    reranker: Reranker | None
    safety: SafetyCheck
    writer: LanguageModel | None
    country: str

    def assistant(self, generation: Generation) -> Assistant:
        """The whole assistant over a generation."""
        from assistant.assistant import Assistant
        from index.bridge import BridgeStore
        from index.query import QueryMaker
        from index.retriever import Retriever

        bridge = BridgeStore.of(generation).open(generation)
        retriever = Retriever(generation, self.encoder, reranker=self.reranker, bridge=bridge)
        queries = QueryMaker.of(generation, self.encoder)
        return Assistant(retriever, self.safety, queries, country=self.country, writer=self.writer)


def wire(store: Path, chosen: Settings) -> Assistant:
    """The whole assistant over the served generation of a store."""
    from index.store import Store

    Store(store).current_name()  # no store: say so before the model is loaded
    parts = _parts(chosen)
    return parts.assistant(Store(store).open(parts.encoder.identity))


def _parts(chosen: Settings) -> Parts:
    from assistant.safety.check import SafetyCheck
    from index.encoder import Encoder
    from index.reranker import Reranker

    reranker = Reranker(chosen.reranker) if chosen.reranker else None
    return Parts(Encoder(chosen.model), reranker, SafetyCheck(), _writer(chosen), chosen.country)


def _write_bridge(kept: BridgeStore, generation: Generation, chosen: Settings) -> None:
    """Have questions written for the passages that have none, and make all of them searchable.

    Raises:
        typer.BadParameter: There is no language model to write them.
    """
    from assistant.language_model import ModelFailedError
    from index.encoder import Encoder

    writer = _writer(chosen)
    if writer is None:
        raise typer.BadParameter(
            "Questions are written by a language model. Set REFERRAL_LLM_URL and REFERRAL_LLM_MODEL."
        )
    with tqdm(unit=" passages", desc="writing questions", disable=None, leave=False) as bar:

        def shown(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        try:
            kept.write(generation, writer, shown)
        except ModelFailedError as error:
            typer.echo(
                f"The language model failed ({error}). What was written is kept; run this again to go on.",
                err=True,
            )
            raise typer.Exit(1) from error
    kept.embed(Encoder(chosen.model))


def _options(chosen: Settings) -> Options:
    """What the server allows.

    Raises:
        typer.BadParameter: A setting is not what it must be.
    """
    from assistant.pages.server import Options
    from assistant.pages.widget import origin

    try:
        return Options(int(chosen.asks_per_minute), tuple(map(origin, chosen.widget_origins.split())))
    except ValueError as error:
        raise typer.BadParameter(
            "REFERRAL_ASKS_PER_MINUTE is a number, and REFERRAL_WIDGET_ORIGINS are origins parted by spaces: "
            f"{error}."
        ) from error


def _writer(chosen: Settings) -> LanguageModel | None:
    """The language model of the settings; None when there is none.

    Raises:
        typer.BadParameter: The settings name half of one.
    """
    if not chosen.llm_url and not chosen.llm_model:
        return None
    from assistant.language_model import LanguageModel, ModelSettings
    from assistant.support.model import Judge
    from index.lexicon import Lexicon

    if not (chosen.llm_url and chosen.llm_model):
        raise typer.BadParameter("A language model needs both REFERRAL_LLM_URL and REFERRAL_LLM_MODEL.")
    key = os.environ.get(chosen.llm_key_env, "") if chosen.llm_key_env else ""
    if chosen.llm_key_env and not key:
        raise typer.BadParameter(
            f"REFERRAL_LLM_KEY_ENV names {chosen.llm_key_env}, and there is no such environment variable. "
            "Set it to the key, or leave REFERRAL_LLM_KEY_ENV out for a server that asks for none."
        )
    try:
        first, total = float(chosen.llm_first_seconds), float(chosen.llm_total_seconds)
    except ValueError as error:
        raise typer.BadParameter(
            "REFERRAL_LLM_FIRST_SECONDS and REFERRAL_LLM_TOTAL_SECONDS are numbers of seconds."
        ) from error
    limits = ModelSettings(chosen.llm_url, chosen.llm_model, key, first, total)
    return LanguageModel(limits, Judge(Lexicon.load()))


def _retriever(store: Path, chosen: Settings) -> Retriever:
    from index.bridge import BridgeStore
    from index.encoder import Encoder
    from index.reranker import Reranker
    from index.retriever import Retriever
    from index.store import Store

    Store(store).current_name()  # no store: say so before the model is loaded
    encoder = Encoder(chosen.model)
    reranker = Reranker(chosen.reranker) if chosen.reranker else None
    generation = Store(store).open(encoder.identity)
    bridge = BridgeStore.of(generation).open(generation)
    return Retriever(generation, encoder, reranker=reranker, bridge=bridge)


@dataclass(frozen=True, slots=True)
class Web:
    """How addresses of the web are read.

    Attributes:
        cache: The file in which pages are kept between runs; None for none.
        allow: Hosts that may be on an inner network.
        pause: Seconds between two requests.
    """

    cache: Path | None
    allow: tuple[str, ...] = ()
    pause: float = 1.0


def _read(
    sources: Sequence[str | Path],
    web: Web | None = None,
    *,
    served: Path | None = None,
    accepted: frozenset[str] = frozenset(),
) -> Ingested:
    with tqdm(unit=" files", desc="reading", disable=None, leave=False) as bar:

        def shown(files: Sequence[Source]) -> Iterator[Source]:
            bar.total = len(files)
            for file in files:
                yield file
                bar.update()

        def told(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        last_good = _last_good(served)
        with _crawler(sources, web, told, last_good) as crawler:
            return read_sources(
                sources, progress=shown, crawler=crawler, last_good=last_good, accepted=accepted
            )


def _explain(sources: Sequence[str], web: Web) -> None:
    """Print what became of each line of each page; a page that can not be read is a Problem as ever."""
    from ingest.explain import as_text, explain_source

    width = shutil.get_terminal_size((120, 24)).columns
    failed = False
    with _crawler(sources, web, lambda _done, _total: None, lambda _id: None) as crawler:
        for explained in explain_source(sources, crawler.fetch if crawler else None):
            failed = failed or isinstance(explained, Problem)
            typer.echo(str(explained) if isinstance(explained, Problem) else as_text(explained, width))
            typer.echo()
    if failed:
        raise typer.Exit(1)


@contextmanager
def _crawler(
    sources: Sequence[str | Path],
    web: Web | None,
    told: Callable[[int, int], None],
    last_good: Callable[[str], Article | None],
) -> Iterator[Crawler | None]:
    """Reads addresses, when there are any."""
    if web is None or not any(map(is_address, sources)):
        yield None
        return
    from ingest.web.cache import Cache
    from ingest.web.crawl import Crawler
    from ingest.web.fetch import Fetcher, Manners

    def is_served(article: Article) -> bool:
        old = last_good(article.id)
        return old is not None and (old.title, old.text) == (article.title, article.text)

    manners = Manners(delay=web.pause)
    with closing(Cache(web.cache)) as cache, closing(Fetcher(cache, manners, allow=web.allow)) as fetcher:
        yield Crawler(fetcher, is_served=is_served, told=told)


def _last_good(served: Path | None) -> Callable[[str], Article | None]:
    """The articles that a store serves now, by their ids."""
    if served is None:
        return lambda _id: None
    from index.errors import GenerationError
    from index.store import Store

    if not Store(served).exists():
        return lambda _id: None
    try:
        generation = Store(served).open()
    except GenerationError:
        return lambda _id: None  # it is built anew; there is nothing to compare with
    rows = {one: row for row, one in enumerate(generation.ids)}
    return lambda one: generation.article(rows[one]) if one in rows else None


def _stop_on_problems(ingested: Ingested) -> None:
    """Tell at the very end what could not be read, and let the exit code say so."""
    for line in _remarks(ingested):
        typer.echo(line, err=True)
    if ingested.problems:
        raise typer.Exit(1)


def _remarks(ingested: Ingested) -> list[str]:
    """What a person should know of what was read, line by line."""
    lines = [*ingested.notes, *(f"{one.place}: {'; '.join(one.warnings)}." for one in ingested.warnings)]
    lines += [
        f"{held.place}: was held back, and what is served stays: the article {'; '.join(held.reasons)}. "
        f"Look at it with `referral ingest --explain`; if it is right, add --accept {held.article.id}."
        for held in ingested.quarantined
    ]
    if ingested.problems:
        lines += [f"{len(ingested.problems)} could not be read:", *(f"  {one}" for one in ingested.problems)]
    return lines


# Indexing goes on without asking while at most this share of the served articles would be removed or emptied.
_REMOVAL_BRAKE = 0.2


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of indexing reads, and what it may do.

    Attributes:
        sources: Files, folders and addresses.
        trigger: What set it off.
        dry_run: Only print what would change.
        allow_removals: Go on even if many articles would be removed.
        accept_fall: Serve it even if golden questions fall.
        margin: By what share of the golden questions it may be worse.
        anew: Do not look at what is served.
        accepted: Ids of articles that are never held back.
        web: How addresses are read.
        hold: Do not serve again what was rolled away from.
    """

    sources: Sequence[str | Path]
    trigger: str
    hold: bool = False
    dry_run: bool = False
    allow_removals: bool = False
    accept_fall: bool = False
    margin: float = 0.05
    anew: bool = False
    accepted: frozenset[str] = frozenset()
    web: Web | None = None


def _run(folder: Path, chosen: Settings, run: Run) -> Record:
    """Read, index, and record what was done; a failure is recorded too, and changes nothing.

    Raises:
        UnusableError: The run failed.
    """
    from index import runs, seen

    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    told = tuple(str(source) for source in run.sources)

    def recorded(record: Record) -> Record:
        finished = record.model_copy(update={"seconds": round(time.perf_counter() - clock, 3)})
        if not run.dry_run:
            runs.record(folder, finished)
        return finished

    empty = runs.Run(started=started, seconds=0, sources=told, trigger=run.trigger, outcome="unchanged")
    digest = _digest(chosen, run)
    if digest and (before := seen.recall(folder)) and _still_served(folder, before, digest):
        for line in before.told:
            typer.echo(line, err=True)
        typer.echo(f"{before.articles} unchanged. Nothing changed; the store is as it was.", err=True)
        outcome = "failed" if before.failed else "unchanged"
        return recorded(empty.model_copy(update={"outcome": outcome, "generation": before.generation}))
    failure = "stopped before it was done"
    try:
        ingested = _read(run.sources, run.web, served=None if run.anew else folder, accepted=run.accepted)
        record, articles = _index(ingested, folder, chosen, run)
        failure = ""
    except (UnusableError, typer.BadParameter) as error:
        failure = str(error)
        raise
    finally:
        if failure:
            with suppress(OSError):  # the disk may be full, and that is what is told
                recorded(empty.model_copy(update={"outcome": "failed", "errors": (failure,)}))
    remarks = _remarks(ingested)
    for line in remarks:
        typer.echo(line, err=True)
    if digest and record.outcome in {"served", "unchanged"}:
        failed = bool(ingested.problems)
        seen.remember(
            folder,
            seen.Seen(
                generation=record.generation,
                digest=digest,
                articles=articles,
                told=tuple(remarks),
                failed=failed,
            ),
        )
    update = {"started": started, "sources": told, "trigger": run.trigger}
    if ingested.problems:
        update |= {"outcome": "failed", "errors": tuple(str(one) for one in ingested.problems)}
    return recorded(record.model_copy(update=update))


def _digest(chosen: Settings, run: Run) -> str:
    """Of everything that decides what a run would do; empty when that cannot be told without reading."""
    from index.generation import FORMAT
    from index.passage import SPLITTER
    from index.seen import sources_digest

    if run.dry_run or run.anew or run.accepted or any(map(is_address, run.sources)):
        return ""
    readers = max(path.stat().st_mtime_ns for path in (Path(__file__).parent / "ingest").rglob("*.py"))
    try:
        return sources_digest(map(Path, run.sources), f"{chosen.model} {FORMAT} {SPLITTER} {readers}")
    except OSError:  # reading will tell what cannot be read
        return ""


def _still_served(folder: Path, before: Seen, digest: str) -> bool:
    """Whether the last run read the same, and what it left is whole and served."""
    from index.store import Store

    if before.digest != digest or Store(folder).known() is None:
        return False
    return Store(folder).current_name() == before.generation


def _index(ingested: Ingested, folder: Path, chosen: Settings, run: Run) -> tuple[Record, int]:
    """Bring the store up to date with what was read; what was done, and how many articles are served."""
    from index.generation import Sourced, fingerprint
    from index.lazy_encoder import LazyEncoder
    from index.runs import Run as Record
    from index.store import Store

    store = Store(folder)
    given = [
        Sourced(article, origin.key)
        for article, origin in zip(ingested.articles, ingested.origins, strict=True)
    ]
    planned_on = Store(folder / "nothing") if run.anew else store
    plan, corpus = planned_on.plan(given, ingested.covers)
    _tell(plan, details=run.dry_run)
    record = Record(
        started="",
        seconds=0,
        sources=(),
        trigger="",
        outcome="unchanged",
        generation=store.current_name() if store.exists() else "",
        added=len(plan.added),
        changed=len(plan.changed),
        removed=len(plan.removed),
    )
    if run.dry_run:
        return record, plan.unchanged
    _brake(plan, run)
    encoder = LazyEncoder(chosen.model, store.known())
    if run.hold and store.is_held(fingerprint(corpus, encoder.identity)):
        typer.echo(
            "These articles were rolled away from and are not served again until one of them changes, "
            "or until you run `referral index`.",
            err=True,
        )
        return record.model_copy(update={"outcome": "held"}), len(corpus)
    gate = _gate(folder, chosen, run)
    with tqdm(unit=" passages", desc="indexing", disable=None, leave=False) as bar:

        def shown(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        built = store.write(corpus, encoder, shown, gate)
    if built is None:
        typer.echo("Nothing changed; the store is as it was.", err=True)
        return record, len(corpus)
    counts, name = built.manifest.counts, store.current_name()
    typer.echo(
        f"Served now: {counts.articles} articles, {counts.passages} passages "
        f"({built.embedded} embedded, {built.reused} reused).",
        err=True,
    )
    score = store.score(name)
    typer.echo(score.told if score else "There are no golden questions, so no gate was passed.", err=True)
    for fall in score.fell if score else ():
        typer.echo(f"  fell: {fall.id}: {fall.question!r}: {fall.why}", err=True)
    update = {"outcome": "served", "generation": name, "embedded": built.embedded, "gate": score}
    return record.model_copy(update=update), len(corpus)


def _tell(plan: Plan, *, details: bool) -> None:
    """What would change: in one line, and in detail article by article."""
    typer.echo(
        f"{len(plan.added)} added, {len(plan.changed)} changed, {len(plan.removed)} removed, "
        f"{plan.unchanged} unchanged.",
        err=True,
    )
    if details:
        for word, ids in (("add", plan.added), ("change", plan.changed), ("remove", plan.removed)):
            for one in ids:
                typer.echo(f"{word}  {one}  {plan.sizes[one]} characters")


def _brake(plan: Plan, run: Run) -> None:
    """Stop a run that would take away much.

    Raises:
        typer.BadParameter: It would, and nobody said that it may.
    """
    if plan.lost_share > _REMOVAL_BRAKE and not run.allow_removals:
        served = plan.unchanged + len(plan.changed) + len(plan.removed)
        raise typer.BadParameter(
            f"This would remove {len(plan.removed)} of {served} served articles and empty "
            f"{len(plan.emptied)}, so nothing was done. Look at them with --dry-run; if that is right, "
            "run it again with --allow-removals."
        )


def _gate(folder: Path, chosen: Settings, run: Run) -> Gate | None:
    """The golden questions of a store, and the assistant that is asked them; None when there are none."""
    from index.gate import GOLDEN_FILE, Gate, Shown, read_golden

    golden = read_golden(folder / GOLDEN_FILE)
    if not golden:
        return None

    def asker(generation: Generation) -> Callable[[Golden], Shown]:
        assistant = parts().assistant(generation)

        def ask(one: Golden) -> Shown:
            answer = assistant.ask(one.question, one.history, id=one.id)
            articles = tuple(citation.article_id for citation in answer.citations)
            return Shown(answer.kind, articles, tuple(citation.quote for citation in answer.citations))

        return ask

    # A language model would answer the same question in other words each time: the quotes are compared.
    parts = cache(lambda: _parts(replace(chosen, llm_url="", llm_model="")))
    return Gate(golden, asker, run.margin, strict=not run.accept_fall)


def _search_one(retriever: Retriever, query: str, top: int, within: Filter) -> None:
    from index.query import QueryMaker

    queries = QueryMaker.of(retriever.generation, retriever.encoder)
    hits = retriever.retrieve(queries.make(query), top, within).hits
    if not hits:
        typer.echo("Nothing in the store is what these options ask for.", err=True)
    for hit in hits:
        title = retriever.generation.article(int(retriever.generation.passage_articles[hit.row])).title
        scores = " ".join(f"{name} {score:.3f}" for name, score in hit.scores.items())
        typer.echo(f"{hit.rank:>3}  {hit.score:.3f}  {hit.passage.id}  ({scores})")
        typer.echo(f"     {title}{' / ' + hit.passage.heading if hit.passage.heading else ''}")
        typer.echo(f"     {' '.join(hit.passage.text.split())[:200]}")


def _search_batch(retriever: Retriever, queries: Path, out: Path, depth: int, within: Filter) -> None:
    from index.query import QueryMaker

    maker = QueryMaker.of(retriever.generation, retriever.encoder)
    with out.open("w", encoding="utf-8") as run:
        for record in _records(queries, ("_id", "text")):
            for hit in retriever.retrieve_articles(maker.make(record["text"]), depth, within):
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
    for noisy in ("httpx", "faiss.loader", "sentence_transformers", "apscheduler"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        cli()
    except UnusableError as error:
        typer.echo(f"referral: {error}", err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
