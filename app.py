"""Start here: reads the settings, wires the parts together, and is the command `referral`.

`python app.py` alone serves the chat. Commands import the parts they need when they run, since torch alone
takes seconds to import and `referral ingest` has no use for it.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from tqdm import tqdm

from assistant.accounts.roles import Role
from index.errors import UnusableError
from ingest.article import Article, write_jsonl
from ingest.finding import Source
from ingest.problem import Problem, UnreadableError
from ingest.sources import Ingested, is_address, read_sources, whole_address

if TYPE_CHECKING:
    from assistant.accounts.accounts import Accounts
    from assistant.accounts.openid import Provider
    from assistant.assistant import Assistant
    from assistant.language_model import LanguageModel
    from assistant.maintainers.works import Preview, Works
    from assistant.pages.server import Options
    from assistant.safety.check import SafetyCheck
    from assistant.state.database import Database
    from index.bridge import BridgeStore
    from index.encoder import Encoder
    from index.filters import Filter
    from index.gate import Gate, Golden, Shown
    from index.generation import Generation
    from index.reranker import Reranker
    from index.retriever import Retriever
    from index.runs import Run as Record
    from index.store import Plan
    from index.updating import LastGood, Order, Reading, Step, Tools, Watcher
    from ingest.explain import Explanation
    from ingest.web.crawl import Crawler

cli = typer.Typer(
    help="Referral answers questions from a blog's own articles: quoted, cited, and safe.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
)
store_cli = typer.Typer(help="Look after the store.", no_args_is_help=True)
cli.add_typer(store_cli, name="store")
account_cli = typer.Typer(help="Who may sign in, and what they may do.", no_args_is_help=True)
cli.add_typer(account_cli, name="account")

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
        database: REFERRAL_DATABASE: the URL of the database; empty for referral.db beside the store.
        oidc_issuer: REFERRAL_OIDC_ISSUER: a provider of OpenID Connect to sign in by; empty for none.
        oidc_client_id: REFERRAL_OIDC_CLIENT_ID: what the provider calls this server.
        oidc_secret_env: REFERRAL_OIDC_SECRET_ENV: the name of the environment variable that holds its secret.
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
    database: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_secret_env: str = ""


def settings(environment: dict[str, str] | os._Environ[str] = os.environ) -> Settings:
    """The settings of the environment.

    Raises:
        typer.BadParameter: There is a REFERRAL_ variable that nothing reads: most likely a slip of the pen.
    """
    known = {f"REFERRAL_{field.name.upper()}": field.name for field in fields(Settings)}
    named = (
        environment.get(f"REFERRAL_{name}", "REFERRAL_STORE") for name in ("LLM_KEY_ENV", "OIDC_SECRET_ENV")
    )
    others = {"REFERRAL_STORE", "REFERRAL_FLOAT32", *named}
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
    allow_host: AllowHost = None,
    pause: Pause = 1.0,
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
        order = _order([sample.FOLDER], "serve")
        with closing(Terminal()) as terminal:
            _run(store, chosen, [sample.FOLDER], order, terminal)
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

    with closing(_database(store, chosen)) as state:
        works = wire_works(store, chosen, Web(store / "web.sqlite", tuple(allow_host or ()), pause), parts)
        options = _options(chosen)
        run(assistant, host=host, port=port, options=options, renew=renew, state=state, works=works)


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
    web = Web(to.with_name(f".{to.name}.web"), tuple(allow_host or ()), pause)
    with closing(Terminal()) as terminal:
        ingested = _read(sources, web, terminal)
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
    from index.updating import BrakeError

    order = replace(
        _order(sources, "command"),
        dry_run=dry_run,
        allow_removals=allow_removals,
        accept_fall=accept_fall,
        anew=anew,
    )
    options = RunOptions(
        Web(store / "web.sqlite", tuple(allow_host or ()), pause), margin, frozenset(accept or ())
    )
    try:
        with closing(Terminal(details=dry_run)) as terminal:
            done = _run(store, settings(), sources, order, terminal, options)
    except BrakeError as error:
        raise typer.BadParameter(str(error)) from error
    if done.outcome == "failed":
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
    from index.watching import Watch

    chosen = settings()
    if webhook_port and not chosen.webhook_secret:
        raise typer.BadParameter("Messages need a secret to be signed with: set REFERRAL_WEBHOOK_SECRET.")
    options = RunOptions(Web(store / "web.sqlite", tuple(allow_host or ()), pause), margin)

    def run(why: str) -> str:
        with closing(Terminal()) as terminal:
            return _run(
                store, chosen, sources, replace(_order(sources, why), hold=True), terminal, options
            ).outcome

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
    from index.packaged import short_checksum
    from index.store import Store

    chosen = Store(store)
    manifest = chosen.manifest()
    counts = manifest.counts
    typer.echo(f"generation  {chosen.current_name()}")
    typer.echo(f"built       {manifest.created}")
    checksum = short_checksum(manifest.model_checksum)
    typer.echo(f"model       {manifest.model} ({checksum}, {manifest.dimension} dimensions)")
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


Named = Annotated[str, typer.Argument(help="The name of the account.", metavar="NAME")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]
Email = Annotated[str, typer.Option(help="The e-mail address by which an OpenID provider knows the person.")]
Subject = Annotated[
    str, typer.Option(help="The provider's lasting name for the person, its claim `sub`.", metavar="SUB")
]


@account_cli.command("add")
def add_account(  # noqa: PLR0913, PLR0917 (each is an option of the command)
    name: Named,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    store: StoreOption = DEFAULT_STORE,
    password_stdin: PasswordStdin = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="For somebody who signs in by OpenID Connect alone.")
    ] = False,
    email: Email = "",
    subject: Subject = "",
) -> None:
    """Make an account; asks for its password on the terminal."""
    with _accounts(store) as accounts:
        password = None if no_password else _password(stdin=password_stdin)
        accounts.add(name, role, password, email, _subject(subject))
    typer.echo(f"{name} may sign in at /login as {role.value}.")


@account_cli.command("list")
def list_accounts(store: StoreOption = DEFAULT_STORE) -> None:
    """Everybody who has an account."""
    with _accounts(store) as accounts:
        everybody = accounts.all()
    for one in everybody:
        marks = [word for word, holds in (("disabled", one.disabled), ("locked", one.locked)) if holds]
        how = [*(["password"] if one.has_password else []), *filter(None, (one.email, one.subject))]
        typer.echo(f"{one.name:<24} {one.role.value:<10} {', '.join(how)}  {' '.join(marks)}".rstrip())
    if not everybody:
        typer.echo("There are no accounts yet: referral account add NAME --role staff", err=True)


@account_cli.command("set-password")
def set_password(
    name: Named, store: StoreOption = DEFAULT_STORE, password_stdin: PasswordStdin = False
) -> None:
    """Give somebody another password, which signs them out everywhere."""
    with _accounts(store) as accounts:
        accounts.set_password(name, _password(stdin=password_stdin))


@account_cli.command("set-role")
def set_role(
    name: Named,
    role: Annotated[Role, typer.Argument(help="The new role.")],
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Give somebody another role, which signs them out everywhere."""
    with _accounts(store) as accounts:
        accounts.set_role(name, role)


@account_cli.command("set-identity")
def set_identity(
    name: Named, store: StoreOption = DEFAULT_STORE, email: Email = "", subject: Subject = ""
) -> None:
    """Tell by what an OpenID provider knows somebody; what is left out is forgotten."""
    with _accounts(store) as accounts:
        accounts.set_identity(name, email, _subject(subject))


@account_cli.command()
def disable(name: Named, store: StoreOption = DEFAULT_STORE) -> None:
    """Keep somebody out, from this moment on."""
    with _accounts(store) as accounts:
        accounts.disable(name)


@account_cli.command()
def enable(name: Named, store: StoreOption = DEFAULT_STORE) -> None:
    """Let somebody in again who was kept out."""
    with _accounts(store) as accounts:
        accounts.enable(name)


@account_cli.command()
def unlock(name: Named, store: StoreOption = DEFAULT_STORE) -> None:
    """Forget failed tries to sign in, so that nobody has to wait."""
    with _accounts(store) as accounts:
        accounts.unlock(name)


@account_cli.command("audit")
def show_audit(
    store: StoreOption = DEFAULT_STORE,
    last: Annotated[int, typer.Option(min=1, help="How many lines.")] = 50,
) -> None:
    """Who did what, oldest first."""
    with _accounts(store) as accounts:
        lines = accounts.audit(last)
    for line in reversed(lines):
        typer.echo(f"{line.at:%Y-%m-%d %H:%M:%S}  {line.name:<20}  {line.action:<22}  {line.about}".rstrip())


@contextmanager
def _accounts(store: Path) -> Iterator[Accounts]:
    """The accounts of the settings' database."""
    from assistant.accounts.accounts import Accounts

    with closing(_database(store, settings())) as database:
        yield Accounts(database)


def _database(store: Path, chosen: Settings) -> Database:
    """The database of the settings, brought up to date."""
    from assistant.state.database import Database

    database = Database(chosen.database or f"sqlite:///{store.absolute().parent / 'referral.db'}")
    database.migrate()
    return database


def _password(*, stdin: bool) -> str:
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _subject(given: str) -> str:
    """A provider's name for a person beside the provider's own, since two providers may have the same one."""
    issuer = settings().oidc_issuer
    if given and not issuer:
        raise typer.BadParameter("--subject is a name at a provider: set REFERRAL_OIDC_ISSUER first.")
    return f"{issuer} {given}" if given else ""


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
        asks, origins = int(chosen.asks_per_minute), tuple(map(origin, chosen.widget_origins.split()))
    except ValueError as error:
        raise typer.BadParameter(
            "REFERRAL_ASKS_PER_MINUTE is a number, and REFERRAL_WIDGET_ORIGINS are origins parted by spaces: "
            f"{error}."
        ) from error
    return Options(asks, origins, _provider(chosen))


def _provider(chosen: Settings) -> Provider | None:
    """The provider of OpenID Connect; None when there is none.

    Raises:
        typer.BadParameter: The settings name half of one.
    """
    from assistant.accounts.openid import OpenId, Provider

    if not (chosen.oidc_issuer or chosen.oidc_client_id or chosen.oidc_secret_env):
        return None
    if not (chosen.oidc_issuer and chosen.oidc_client_id and chosen.oidc_secret_env):
        raise typer.BadParameter(
            "OpenID Connect needs all of REFERRAL_OIDC_ISSUER, REFERRAL_OIDC_CLIENT_ID "
            "and REFERRAL_OIDC_SECRET_ENV."
        )
    secret = os.environ.get(chosen.oidc_secret_env, "")
    if not secret:
        raise typer.BadParameter(
            f"REFERRAL_OIDC_SECRET_ENV names {chosen.oidc_secret_env}, and there is no such environment "
            "variable. Set it to the secret that the provider gave to this server."
        )
    provider = Provider(chosen.oidc_issuer, chosen.oidc_client_id, secret)
    try:
        OpenId(provider)
    except ValueError as error:
        raise typer.BadParameter(f"REFERRAL_OIDC_ISSUER cannot be used: {error}.") from error
    return provider


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
        hasty: Somebody waits for one page: it is asked for once, and not for long.
    """

    cache: Path | None
    allow: tuple[str, ...] = ()
    pause: float = 1.0
    hasty: bool = False


def _untold(_done: int, _total: int) -> None:
    """Nobody watches."""


def _nothing_served(_id: str) -> None:
    """There is nothing to compare with."""


def _read(
    sources: Sequence[str | Path],
    web: Web | None,
    watcher: Watcher,
    *,
    last_good: LastGood = _nothing_served,
    accepted: frozenset[str] = frozenset(),
) -> Ingested:
    def shown(files: Sequence[Source]) -> Iterator[Source]:
        for done, file in enumerate(files):
            watcher.progress("reading", done, len(files))
            yield file

    with _crawler(sources, web, partial(watcher.progress, "reading"), last_good) as crawler:
        return read_sources(sources, progress=shown, crawler=crawler, last_good=last_good, accepted=accepted)


def _explain(sources: Sequence[str], web: Web) -> None:
    """Print what became of each line of each page; a page that can not be read is a Problem as ever."""
    from ingest.explain import as_text, explain_source

    width = shutil.get_terminal_size((120, 24)).columns
    failed = False
    with _crawler(sources, web, _untold, _nothing_served) as crawler:
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
    if web.hasty:
        manners = replace(manners, delay=0, tries=1, timeout=10, longest=20, most_bytes=5_000_000)
    with closing(Cache(web.cache)) as cache, closing(Fetcher(cache, manners, allow=web.allow)) as fetcher:
        yield Crawler(fetcher, is_served=is_served, told=told)


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


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run reads and is judged.

    Attributes:
        web: How addresses are read; None for not at all.
        margin: By what share of the golden questions a new generation may be worse.
        accepted: Ids of articles that are never held back.
        parts: What golden questions are asked with, when it is loaded already.
    """

    web: Web | None = None
    margin: float = 0.05
    accepted: frozenset[str] = frozenset()
    parts: Parts | None = None


class Terminal:
    """Shows a run in the terminal: what is said, and a bar while it works.

    Args:
        details: Whether the plan is told article by article.
    """

    def __init__(self, *, details: bool = False) -> None:
        self._details = details
        self._step = ""
        self._bar: tqdm[Any] | None = None

    def say(self, line: str) -> None:
        """Tell it below the bar."""
        self.close()
        typer.echo(line, err=True)

    def progress(self, step: Step, done: int, total: int) -> None:
        """Move the bar."""
        if self._bar is None or step != self._step:
            self.close()
            self._step, self._bar = step, tqdm(desc=step, disable=None, leave=False)
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def planned(self, plan: Plan) -> None:
        """Tell what would change: in one line, and in detail article by article."""
        self.say(
            f"{len(plan.added)} added, {len(plan.changed)} changed, {len(plan.removed)} removed, "
            f"{plan.unchanged} unchanged."
        )
        if self._details:
            for word, ids in (("add", plan.added), ("change", plan.changed), ("remove", plan.removed)):
                for one in ids:
                    typer.echo(f"{word}  {one}  {plan.sizes[one]} characters")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _order(sources: Sequence[str | Path], trigger: str) -> Order:
    """An order over sources, which the record names wholly: somebody may read them again from elsewhere."""
    from index.updating import Order

    named = tuple(str(one) if is_address(one) else str(Path(one).absolute()) for one in sources)
    return Order(named, trigger)


def _run(
    folder: Path,
    chosen: Settings,
    sources: Sequence[str | Path],
    order: Order,
    watcher: Watcher,
    options: RunOptions = RunOptions(),
) -> Record:
    """One run of indexing over some sources.

    Raises:
        UnusableError: It failed, or was stopped; it is recorded, and changed nothing.
    """
    from index.updating import run

    def read(last_good: LastGood) -> Reading:
        ingested = _read(sources, options.web, watcher, last_good=last_good, accepted=options.accepted)
        return _reading(ingested, sources, order)

    digest = "" if order.dry_run or order.anew or options.accepted else _digest(folder, chosen, sources)
    return run(
        folder, order, read, replace(_tools(folder, chosen, order, watcher, options), digest=digest), watcher
    )


def _tools(folder: Path, chosen: Settings, order: Order, watcher: Watcher, options: RunOptions) -> Tools:
    from index.lazy_encoder import LazyEncoder
    from index.updating import Tools

    strict = not order.accept_fall
    return Tools(
        partial(LazyEncoder, chosen.model),
        lambda: _gate(folder, chosen, watcher, options, strict=strict),
    )


def _reading(ingested: Ingested, sources: Sequence[str | Path], order: Order) -> Reading:
    """What was read, in the index's words."""
    from index.decisions import Held, Noticed
    from index.generation import Sourced
    from index.runs import SourceRead
    from index.updating import Reading
    from ingest.tally import tally

    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Reading(
        [Sourced(one, origin.key) for one, origin in zip(ingested.articles, ingested.origins, strict=True)],
        ingested.covers,
        remarks=tuple(_remarks(ingested)),
        errors=tuple(map(str, ingested.problems)),
        held=tuple(
            Held.of(one.article, one.place, one.key, one.reasons, now) for one in ingested.quarantined
        ),
        noticed=tuple(
            Noticed(id=one.id, place=one.place, warnings=one.warnings) for one in ingested.warnings
        ),
        sources=tuple(
            SourceRead(source=name, articles=one.articles, held=one.held, problems=one.problems)
            for name, one in zip(order.sources, tally(ingested, sources), strict=True)
        ),
    )


def _digest(folder: Path, chosen: Settings, sources: Sequence[str | Path]) -> str:
    """Of everything that decides what a run would do; empty when that cannot be told without reading."""
    from index.decisions import read_decisions
    from index.generation import FORMAT
    from index.passage import SPLITTER
    from index.seen import sources_digest

    if any(map(is_address, sources)):
        return ""
    readers = max(path.stat().st_mtime_ns for path in (Path(__file__).parent / "ingest").rglob("*.py"))
    removed = sorted(read_decisions(folder).removed)
    try:
        return sources_digest(map(Path, sources), f"{chosen.model} {FORMAT} {SPLITTER} {readers} {removed}")
    except OSError:  # reading will tell what cannot be read
        return ""


def _gate(
    folder: Path, chosen: Settings, watcher: Watcher, options: RunOptions, *, strict: bool
) -> Gate | None:
    """The golden questions of a store, and the assistant that is asked them; None when there are none."""
    from index.gate import GOLDEN_FILE, Gate, Shown, read_golden

    golden = read_golden(folder / GOLDEN_FILE)
    if not golden:
        return None

    def asker(generation: Generation) -> Callable[[Golden], Shown]:
        assistant = parts().assistant(generation)
        count = itertools.count()

        def ask(one: Golden) -> Shown:
            watcher.progress("asking", next(count), len(golden))
            answer = assistant.ask(one.question, one.history, id=one.id)
            articles = tuple(citation.article_id for citation in answer.citations)
            return Shown(answer.kind, articles, tuple(citation.quote for citation in answer.citations))

        return ask

    # A language model would answer the same question in other words each time: the quotes are compared.
    loaded = replace(options.parts, writer=None) if options.parts else None
    parts = cache(lambda: loaded or _parts(replace(chosen, llm_url="", llm_model="")))
    return Gate(golden, asker, options.margin, strict=strict)


def wire_works(folder: Path, chosen: Settings, web: Web, parts: Parts) -> Works:
    """What maintainers can have done from their pages."""
    from assistant.maintainers.works import PreviewError, Works
    from index import updating
    from ingest.decoding import decode
    from ingest.explain import explain_address, explain_bytes

    options = RunOptions(web, parts=parts)

    def preview(found: Explanation, raw: str) -> Preview:
        return _preview(found, raw, updating.last_good(folder))

    def look_at(address: str) -> Preview:
        try:
            with _crawler(
                [address], replace(web, cache=None, hasty=True), _untold, _nothing_served
            ) as crawler:
                if crawler is None:
                    raise PreviewError("An address begins with https:// or http://.")
                text = crawler.fetch(whole_address(address))
            return preview(explain_address(address, text), text)
        except UnreadableError as error:
            raise PreviewError(f"{address} {error.reason}. {error.next_step}") from error

    def look_into(name: str, data: bytes) -> Preview:
        try:
            return preview(explain_bytes(name, data), decode(data))
        except UnreadableError as error:
            raise PreviewError(f"{name} {error.reason}. {error.next_step}") from error

    def run(order: Order, watcher: Watcher) -> Record:
        return _run(folder, chosen, order.sources, order, watcher, options)

    def apply(reading: Reading, order: Order, watcher: Watcher) -> Record:
        tools = _tools(folder, chosen, order, watcher, options)
        return updating.run(folder, order, lambda _: reading, tools, watcher)

    return Works(folder, look_at, look_into, run, apply)


def _preview(found: Explanation, raw: str, last_good: LastGood) -> Preview:
    from assistant.maintainers.works import Line, Preview
    from ingest.verdict import faults

    article = found.article
    return Preview(
        found.name,
        raw,
        article,
        found.refusal,
        tuple(Line(one.text, one.kept_as, one.why) for one in found.lines),
        found.warnings,
        faults(article, last_good(article.id)) if article else (),
    )


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
    for noisy in ("httpx", "faiss.loader", "sentence_transformers", "apscheduler", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        cli()
    except UnusableError as error:
        typer.echo(f"referral: {error}", err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
