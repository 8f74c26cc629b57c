"""The maintainers' pages over plain HTTP: who may come in, what may be done, what is asked before that."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from filelock import FileLock
from httpx import Response
from typer.testing import CliRunner

import app
from assistant.accounts import routes as account_routes
from assistant.accounts.accounts import Accounts
from assistant.accounts.roles import Role
from assistant.maintainers.overview import health
from assistant.maintainers.previewing import LARGEST
from assistant.maintainers.routes import router
from assistant.maintainers.words import entries_of
from assistant.maintainers.works import Works
from assistant.pages.front import Front
from assistant.pages.office import Office
from assistant.safety.check import SafetyCheck
from assistant.state.database import Database
from index.decisions import read_decisions
from index.encoder import Encoder
from index.errors import StoreError
from index.lexicon import LEXICON_FILE
from index.runs import Run, SourceRead, runs
from index.store import Plan, Store
from index.updating import Order, Step, StoppedError, Watcher
from ingest.sources import read_sources
from ingest.tally import tally
from tests.blog_server import serving
from tests.signed_in import csrf, signed_in, visitor

MUSCLES = ("soleus", "psoas", "masseter", "deltoid", "ulnaris", "gluteus")
PAGE = (
    "<!doctype html><html><head><title>Knees</title></head><body><nav><a href='/x'>Cart and menu</a></nav>"
    "<article><h1>On knees</h1><p>The knee bends a hundred times an hour, and it does not mind.</p>"
    "<p>A muscle above it may well do so, and then it hurts at the front of the knee.</p></article>"
    "<script>alert('raw')</script></body></html>"
)


def text_of(name: str, paragraphs: int = 8) -> str:
    """More words than an article needs to be compared with what it was."""
    said = [
        f"The {name} refers pain to place {number} of the body, and {name} number {number} is felt there "
        f"when somebody presses it for a while and then lets go of it again."
        for number in range(paragraphs)
    ]
    return f"# Post on the {name}\n\n" + "\n\n".join(said) + "\n"


class Blog:
    """A folder of posts, and a store of them."""

    def __init__(self, source: Path, store: Path) -> None:
        self.source, self.store = source, store

    def publish(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.source / f"{name}.md").write_text(text, encoding="utf-8")

    def served(self, name: str) -> str:
        generation = Store(self.store).open()
        return generation.article(generation.article_row(name)).text


@dataclass
class Desk:
    """A maintainer at work."""

    blog: Blog
    client: TestClient
    office: Office
    works: Works

    def post(self, path: str, **fields: str | Sequence[str]) -> Response:
        token = csrf(self.client.get("/maintain/index").text)
        return self.client.post(f"/maintain{path}", data={"csrf": token, **fields})

    def page(self, path: str = "") -> str:
        answer = self.client.get(f"/maintain{path}")
        assert answer.status_code == 200
        return unescape(answer.text)

    def ended(self) -> str:
        """The box of the job, once it has ended."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            box = self.page("/index/job")
            if 'data-state="running"' not in box:
                return box
        raise AssertionError("the job does not end")

    def do(self, path: str, **fields: str | Sequence[str]) -> str:
        answer = self.post(path, **fields)
        assert (answer.status_code, answer.headers.get("location", "")[:15]) == (303, "/maintain/index"), (
            answer.text
        )
        return self.ended()

    def run(self, do: str = "run") -> str:
        return self.do("/index", do=do, source=[str(self.blog.source)])

    def again(self, leave: str) -> str:
        found = re.search(r'name="job" value="(\d+)"', self.page("/index"))
        assert found
        return self.do("/index/again", job=found[1], leave=leave)


@pytest.fixture(scope="module")
def parts(tiny_encoder: Encoder) -> app.Parts:
    return app.Parts(tiny_encoder, None, SafetyCheck(), None, "")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Blog:
    """Six posts, indexed by the command."""
    folder = tmp_path_factory.mktemp("blog")
    (folder / "posts").mkdir()
    blog = Blog(folder / "posts", folder / "store")
    blog.publish(**{name: text_of(name) for name in MUSCLES})
    command = ["index", str(blog.source), "--store", str(blog.store)]
    indexed = CliRunner().invoke(app.cli, command, env={"REFERRAL_MODEL": str(tiny_model)})
    assert indexed.exit_code == 0, indexed.output
    return blog


@pytest.fixture(scope="module")
def front(first: Blog, parts: app.Parts) -> Front:
    return Front(parts.assistant(Store(first.store).open()))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database without accounts."""
    path = tmp_path_factory.mktemp("database") / "referral.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture
def blog(first: Blog, tmp_path: Path) -> Blog:
    """The same posts and the same store again, whatever a test has done to them."""
    shutil.rmtree(first.source)
    first.source.mkdir()
    first.publish(**{name: text_of(name) for name in MUSCLES})
    shutil.copytree(first.store, tmp_path / "store")
    return Blog(first.source, tmp_path / "store")


@pytest.fixture
def open_desk(
    blog: Blog, parts: app.Parts, front: Front, migrated: Path, tiny_model: Path, tmp_path: Path
) -> Iterator[Callable[..., Desk]]:
    opened: list[Desk] = []

    def made(allow: tuple[str, ...] = (), changed: Callable[[Works], Works] = lambda works: works) -> Desk:
        chosen = app.Settings(model=str(tiny_model))
        works = changed(app.wire_works(blog.store, chosen, app.Web(None, allow, 0), parts))
        database = Database(f"sqlite:///{shutil.copy(migrated, tmp_path)}")
        office = Office.of(front, database)
        site = FastAPI()
        account_routes.install(site, office)
        site.include_router(account_routes.router(office, None))
        site.include_router(router(office, works))
        opened.append(Desk(blog, signed_in(site, database, Role.MAINTAINER), office, works))
        return opened[-1]

    yield made
    for one in opened:
        one.client.close()
        one.office.database.close()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


# ---------------------------------------------------------------- the door


def test_every_page_and_action_has_the_maintainers_door(desk: Desk) -> None:
    site = desk.client.app
    assert isinstance(site, FastAPI)
    routes = [one for one in router(desk.office, desk.works).routes if isinstance(one, APIRoute)]
    paths = [(method, one.path) for one in routes for method in one.methods]
    assert len(paths) >= 18
    staff, nobody = signed_in(site, desk.office.database, Role.STAFF), visitor(site)
    for method, path in paths:
        assert nobody.request(method, path).headers["location"].startswith("/login?next="), path
        assert staff.request(method, path).status_code == 403, path
        if method == "POST":  # a form of another site
            assert desk.client.post(path, data={"csrf": "0"}).status_code == 403, path
    staff.close()
    nobody.close()


def test_what_is_done_leaves_a_line_in_the_audit(desk: Desk) -> None:
    desk.run("plan")
    assert desk.post("/removal", id="no-such-post").status_code == 409
    desk.do("/removal", id="psoas")
    lines = [(one.name, one.action, one.about) for one in Accounts(desk.office.database).audit(10)]
    assert ("maintainer", "dry run", str(desk.blog.source)) in lines
    assert ("maintainer", "article taken out", "psoas") in lines
    assert not [line for line in lines if "no-such-post" in line]


# ---------------------------------------------------------------- what is served, and from where


def test_one_page_says_what_is_served_from_where_and_whether_to_decide(desk: Desk) -> None:
    page = desk.page()
    assert "Nothing. All is as it should be." in page
    assert Store(desk.blog.store).current_name() in page
    assert str(desk.blog.source) in page
    (desk.blog.source / "broken.md").write_text("", encoding="utf-8")
    desk.run()
    page = desk.page()
    assert "1 of the sources could not be read wholly" in page
    assert "broken.md: is empty" in page


def test_the_health_of_a_source_outlives_runs_that_do_not_read_it() -> None:
    def run(day: int, *read: SourceRead, sources: tuple[str, ...]) -> Run:
        started = f"2026-01-0{day}T00:00:00+00:00"
        return Run(started=started, seconds=1, sources=sources, trigger="x", outcome="served", read=read)

    bad = SourceRead(source="a", articles=3, problems=("a/x.md: is empty",))
    good = SourceRead(source="a", articles=4, held=1)
    record = [run(1, bad, sources=("a",)), run(2, good, sources=("a",)), run(3, sources=("a", "b"))]
    (first, second) = health([*record, run(4, sources=("b",))])
    assert (first.name, first.articles, first.is_current) == ("b", None, True)
    assert (second.name, second.articles, second.held, second.problems) == ("a", 4, 1, ())
    assert (second.last_read[:10], second.failed[:10]) == ("2026-01-03", "2026-01-01")
    assert second.last_error == "a/x.md: is empty"
    assert not second.is_current


def test_each_source_answers_for_its_own(tmp_path: Path) -> None:
    for name, text in (("a/one.md", "# One\n\nWords."), ("a/two.md", ""), ("b.md", "# Two\n\nMore words.")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    sources = [tmp_path / "a", tmp_path / "b.md", "https://x.example/feed"]
    found = tally(read_sources(sources), sources)
    assert [(one.articles, len(one.problems)) for one in found] == [(1, 1), (1, 0), (0, 1)]


# ---------------------------------------------------------------- runs


def test_a_dry_run_a_run_going_back_and_going_forward(desk: Desk) -> None:
    blog, store = desk.blog, Store(desk.blog.store)
    before = store.current_name()
    blog.publish(trapezius=text_of("trapezius"), psoas=text_of("psoas", 9))
    planned = desk.run("plan")
    assert "What a run would do" in planned
    assert re.search(
        r"<td>added</td><td><code>trapezius</code></td><td class=\"number\">[\d,]+</td>", planned
    )
    assert store.current_name() == before
    assert len(runs(blog.store)) == 1
    assert "A new generation is served" in desk.again("run")
    after = store.current_name()
    assert len(store.open().ids) == 7
    assert "1 added, 1 changed, 0 removed" in desk.page("/runs")
    assert runs(blog.store)[-1].trigger == "page of maintainer"

    assert "Go back to it" in desk.page("/generations")
    assert desk.post("/generations", name=before, current=after).status_code == 303
    assert store.current_name() == before
    assert store.is_held(store.manifest(after).fingerprint)
    assert desk.post("/generations", name=before, current=after).status_code == 409  # seen too long ago
    assert "Go forward to it" in desk.page("/generations")
    assert desk.post("/generations", name=after, current=before).status_code == 303
    assert store.current_name() == after
    assert not store.is_held(store.manifest(after).fingerprint)


@pytest.mark.parametrize("name", ["", "../generations", "nothing"])
def test_only_a_generation_that_is_kept_can_be_served(desk: Desk, name: str) -> None:
    current = Store(desk.blog.store).current_name()
    assert desk.post("/generations", name=name or current, current=current).status_code == 409
    assert Store(desk.blog.store).current_name() == current


def test_a_damaged_generation_is_not_served_and_is_repaired(desk: Desk) -> None:
    store = Store(desk.blog.store)
    before = store.current_name()
    desk.blog.publish(psoas=text_of("psoas", 9))
    desk.run()
    after = store.current_name()
    damaged = desk.blog.store / "generations" / before / "facets.json"
    damaged.write_bytes(bytes(reversed(damaged.read_bytes())))
    refused = desk.post("/generations", name=before, current=after)
    assert refused.status_code == 409
    assert "facets.json is not as it was written" in refused.text
    assert desk.post("/generations/check").status_code == 303
    assert "All is well." in desk.ended()
    assert desk.post("/generations/repair").status_code == 303
    assert f"{before} was damaged and is removed" in desk.ended()
    assert store.names() == [after]


def test_the_brake_asks_and_leave_is_for_just_what_was_shown(desk: Desk) -> None:
    blog = desk.blog
    for name in ("soleus", "psoas"):
        (blog.source / f"{name}.md").unlink()
    asked = desk.run()
    assert "May this many articles go?" in asked
    assert "remove 2 of 6 served articles" in asked
    (blog.source / "deltoid.md").unlink()  # meanwhile the source loses another
    assert "remove 3 of 6" in desk.again("lose")
    assert len(Store(blog.store).open().ids) == 6
    assert "A new generation is served" in desk.again("lose")
    assert len(Store(blog.store).open().ids) == 3


def test_leave_is_given_once_and_only_for_what_was_asked(desk: Desk) -> None:
    desk.run("plan")
    assert desk.post("/index/again", job="1", leave="fall").status_code == 409
    assert desk.post("/index/again", job="7", leave="run").status_code == 409


def test_the_gate_shows_what_fell_and_a_person_may_go_on(desk: Desk) -> None:
    blog = desk.blog
    question = {"id": "jaw", "question": "Where does the masseter refer pain?", "article": "masseter"}
    golden = {**question, "kinds": ["answer", "related"]}
    (blog.store / "golden.jsonl").write_text(json.dumps(golden) + "\n", encoding="utf-8")
    blog.publish(soleus=text_of("soleus", 9))
    assert "Golden questions answered well: 1 of 1" in desk.run()
    good = Store(blog.store).current_name()
    blog.publish(
        masseter="# Nothing\n\n" + "Here is nothing about it any more, by some accident of ours. " * 20
    )
    refused = desk.run()
    assert "The gate refused it" in refused
    assert "<q>Where does the masseter refer pain?</q> <small>jaw</small>" in refused
    assert Store(blog.store).current_name() == good
    assert runs(blog.store)[-1].gate is not None
    assert "A new generation is served" in desk.again("fall")
    assert "0 of 1" in desk.page("/generations")


def test_one_thing_at_a_time_and_it_can_be_stopped(open_desk: Callable[..., Desk]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def waiting(works: Works) -> Works:
        def run(order: Order, watcher: Watcher) -> Run:
            begun.set()
            assert go_on.wait(30)
            return works.run(order, watcher)

        return replace(works, run=run)

    desk = open_desk(changed=waiting)
    before = Store(desk.blog.store).current_name()
    desk.blog.publish(psoas=text_of("psoas", 9))
    source = [str(desk.blog.source)]
    assert desk.post("/index", do="run", source=source).status_code == 303
    assert begun.wait(30)
    assert "Now: a run" in desk.page("/index")
    assert "started by maintainer" in desk.page()
    busy = desk.post("/index", do="plan", source=source)
    assert busy.status_code == 409
    assert "has already started something: a run" in busy.text
    assert desk.post("/index/stop").status_code == 303
    assert "Stopping" in desk.page("/index")
    go_on.set()
    assert "It was stopped, and all is as it was." in desk.ended()
    assert Store(desk.blog.store).current_name() == before


class Stopping:
    """Stops a run at one of its steps."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def say(self, line: str) -> None:
        pass

    def planned(self, plan: Plan) -> None:
        pass

    def progress(self, step: Step, done: int, total: int) -> None:
        if step == self._step:
            raise StoppedError("enough")


@pytest.mark.parametrize("step", ["reading", "indexing", "asking"])
def test_a_run_that_is_stopped_at_any_step_changes_nothing(desk: Desk, step: Step) -> None:
    blog = desk.blog
    golden = {"question": "Where does the masseter refer pain?", "kinds": ["answer", "related"]}
    (blog.store / "golden.jsonl").write_text(json.dumps(golden) + "\n", encoding="utf-8")
    blog.publish(psoas=text_of("psoas", 9), masseter=text_of("masseter", 2))
    before = sorted(path.name for path in (blog.store / "generations").iterdir())
    with pytest.raises(StoppedError):
        desk.works.run(Order((str(blog.source),), "test"), Stopping(step))
    assert sorted(path.name for path in (blog.store / "generations").iterdir()) == before
    assert not (blog.store / "decisions.json").exists()
    assert runs(blog.store)[-1].errors == ("enough",)


def test_another_writer_is_told_as_such(desk: Desk) -> None:
    desk.blog.publish(psoas=text_of("psoas", 9))
    with FileLock(desk.blog.store / ".lock"):
        assert "Another command is writing" in desk.run()
        names = Store(desk.blog.store).names()
        refused = desk.post("/generations", name="x", current=names[-1])
        assert refused.status_code == 409
    assert "A new generation is served" in desk.run()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"source": "/etc"},
        {"address": "file:///etc/passwd"},
        {"address": "/etc/passwd"},
        {"address": "https://"},
    ],
)
def test_a_page_names_no_files_of_the_machine(desk: Desk, fields: dict[str, str]) -> None:
    assert desk.post("/index", do="plan", **fields).status_code == 409
    assert desk.page("/index/job").strip() == ""


def test_a_new_address_is_read_through_the_guard(open_desk: Callable[..., Desk]) -> None:
    with serving({"/blogs/news/knees": PAGE}) as host:
        address = f"{host.url}/blogs/news/knees"
        refused = open_desk().do("/index", do="run", address=address)
        assert "no address of the open internet" in refused
        assert host.asked == []


# ---------------------------------------------------------------- decisions


def shortened(desk: Desk) -> None:
    """Have an article held back."""
    desk.blog.publish(psoas=text_of("psoas", 2))
    assert "was held back" in desk.run()


def decide(desk: Desk, do: str) -> Response:
    held = read_decisions(desk.blog.store).held["psoas"]
    return desk.post("/quarantine", id="psoas", since=held.since, do=do)


def test_what_is_held_back_is_shown_beside_what_is_served(desk: Desk) -> None:
    shortened(desk)
    assert "1 article is held back until you decide." in desk.page()
    page = desk.page("/quarantine")
    assert "The article has only" in page
    assert page.count("<del>") == 6
    assert "place 7 of the body" in desk.blog.served("psoas")


def test_accepting_serves_what_was_looked_at_whatever_the_source_says_by_now(desk: Desk) -> None:
    shortened(desk)
    desk.blog.publish(psoas=text_of("psoas", 1))
    assert decide(desk, "accept").status_code == 303
    assert "A new generation is served" in desk.ended()
    assert "place 1 of the body" in desk.blog.served("psoas")
    assert "place 2 of the body" not in desk.blog.served("psoas")
    assert read_decisions(desk.blog.store).held == {}


def test_keeping_is_remembered_until_the_source_changes(desk: Desk) -> None:
    shortened(desk)
    assert decide(desk, "keep").headers["location"] == "/maintain/quarantine?said=kept"
    desk.blog.publish(soleus=text_of("soleus", 9))
    desk.run()
    assert read_decisions(desk.blog.store).open == []
    assert "The last good version is kept" in desk.page("/quarantine")
    desk.blog.publish(psoas=text_of("psoas", 1))
    desk.run()
    assert [one.id for one in read_decisions(desk.blog.store).open] == ["psoas"]
    desk.blog.publish(psoas=text_of("psoas"))  # and once it is whole again there is nothing to decide
    desk.run()
    assert read_decisions(desk.blog.store).held == {}


def test_a_decision_on_what_has_changed_meanwhile_is_refused(desk: Desk) -> None:
    shortened(desk)
    answer = desk.post("/quarantine", id="psoas", since="2020-01-01T00:00:00+00:00", do="accept")
    assert answer.status_code == 409
    assert "has changed since you looked at it" in answer.text


def test_what_is_taken_out_stays_out_until_it_is_let_in_again(desk: Desk) -> None:
    shortened(desk)
    assert decide(desk, "remove").status_code == 303
    assert "A new generation is served" in desk.ended()
    assert "psoas" not in Store(desk.blog.store).open().ids
    desk.blog.publish(psoas=text_of("psoas"))
    assert "is left out, since somebody took it out" in desk.run()
    assert "psoas" not in Store(desk.blog.store).open().ids
    assert desk.post("/restoral", id="psoas").status_code == 303
    desk.run()
    assert "psoas" in Store(desk.blog.store).open().ids


def test_a_warning_is_taken_off_the_list_by_a_person(desk: Desk) -> None:
    desk.blog.publish(short="# A short one\n\nThe knee bends.\n")
    desk.run()
    assert "1 served article has a warning" in desk.page()
    assert "The article is very short" in desk.page("/quarantine")
    assert desk.post("/warnings", id="short").status_code == 303
    desk.run()
    assert "No warnings." in desk.page("/quarantine")


def test_decisions_that_cannot_be_read_stop_a_run(desk: Desk) -> None:
    (desk.blog.store / "decisions.json").write_text("{", encoding="utf-8")
    desk.blog.publish(psoas=text_of("psoas", 9))
    assert "cannot be read" in desk.run()
    assert "cannot be read" in desk.page()
    with pytest.raises(StoreError):
        read_decisions(desk.blog.store)


# ---------------------------------------------------------------- previews


def test_a_preview_asks_no_inner_machine(desk: Desk) -> None:
    with serving({"/": PAGE}) as host:
        for address in (host.url, "http://169.254.169.254/latest/meta-data", "http://[::1]/"):
            refused = desk.post("/preview", address=address)
            assert refused.status_code == 422
            assert "no address of the open internet" in refused.text
        assert host.asked == []
    assert desk.post("/preview", address="file:///etc/passwd").status_code == 422


def test_a_preview_shows_what_was_dropped_and_why_and_runs_nothing(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(allow=("127.0.0.1",))
    with serving({"/knees": PAGE, "/feed.atom": "<?xml version='1.0'?><feed/>"}) as host:
        answer = desk.post("/preview", address=f"{host.url}/knees")
        assert answer.status_code == 200
        assert "Cart and menu</td><td>dropped: in &lt;nav&gt;" in answer.text
        assert "The knee bends a hundred times an hour" in answer.text
        assert "alert(&#39;raw&#39;)" in answer.text
        assert "alert('raw')" not in answer.text
        assert "is a feed or a sitemap" in desk.post("/preview", address=f"{host.url}/feed.atom").text
    assert not (desk.blog.store / "web.sqlite").exists()


@pytest.mark.parametrize(
    ("name", "data", "shown"),
    [
        ("../../knees.html", PAGE, "On knees"),
        ("knees.md", "# On knees\n\nThe knee bends, and it does not mind.", "The knee bends"),
        ("two.jsonl", '{"title": "A", "text": "x"}\n{"title": "B", "text": "y"}', "<td>B</td>"),
        ("posts.csv", "ID,Title,Body HTML,Handle\n1,Knees,<p>They bend.</p>,knees\n", "They bend."),
        ("empty.html", "", "is empty"),
    ],
)
def test_a_file_is_previewed_from_memory(desk: Desk, name: str, data: str, shown: str) -> None:
    before = sorted(desk.blog.store.rglob("*"))
    token = csrf(desk.page("/preview"))
    answer = desk.client.post(
        "/maintain/preview", data={"csrf": token}, files={"file": (name, data.encode())}
    )
    assert answer.status_code in {200, 422}
    assert shown in answer.text
    assert sorted(desk.blog.store.rglob("*")) == before


def test_what_is_pasted_is_previewed_and_too_much_is_refused(desk: Desk) -> None:
    assert "On knees" in desk.post("/preview", pasted=PAGE).text
    refused = desk.post("/preview", pasted="x" * (LARGEST + 1))
    assert refused.status_code == 422
    assert "larger than 900 kB" in refused.text
    assert desk.post("/preview").status_code == 422


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("of=lexicon&q=chewing%20muscle", "muscle.masseter <small>index/lexicon.toml, line "),
        ("of=notices&q=samaritans", "country.GB <small>assistant/safety/notices.toml, line "),
        ("of=wording&q=not%20medical", "not medical advice"),
        ("of=starters", "assistant/pages/starters.py"),
        ("of=bridge", "referral store bridge --write"),
        ("q=%3Cscript%3E", "0 found"),
    ],
)
def test_words_are_found_with_where_to_change_them(desk: Desk, query: str, shown: str) -> None:
    assert shown in desk.page(f"/words?{query}")


def test_every_entry_of_the_lexicon_says_on_which_line_it_begins() -> None:
    lines = LEXICON_FILE.read_text(encoding="utf-8").splitlines()
    found = entries_of(LEXICON_FILE)
    assert len(found) > 500
    for one in found:
        heading = lines[one.line - 1].partition(" =")[0].strip("[]").replace('"', "")
        assert heading == one.heading
