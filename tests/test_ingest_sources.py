"""Files and folders: everything readable is read once, everything else is named with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from ingest import json_file, sources
from ingest.article import from_json, to_json, write_jsonl
from ingest.finding import Source
from ingest.sources import Ingested, read_sources

PARAGRAPH = "The piriformis turns the hip outwards, and the sciatic nerve passes below it in most people. "
DUMP = f"""Piriformis Without Drama

Posted by Rosa Field on March 3, 2014

{PARAGRAPH * 2}

It seldom traps the nerve.
"""


def page(text: str = PARAGRAPH * 2, *, url: str = "", title: str = "Piriformis", head: str = "") -> str:
    link = f'<link rel="canonical" href="{url}">' if url else ""
    return (
        f"<!doctype html><html><head><meta charset=utf-8>{head}{link}<title>{title}</title></head>"
        f"<body><article><h1>{title}</h1><div class='rte'><p>{text}</p></div></article></body></html>"
    )


def record(**fields: object) -> str:
    return json.dumps({"title": "Piriformis", "text": PARAGRAPH, **fields})


def reasons(read: Ingested) -> list[str]:
    return [problem.reason for problem in read.problems]


def test_the_seed_page(shared: Path) -> None:
    path = shared / "data/seed/000_d841119307c1895e.txt"
    lines = [" ".join(line.split()) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    _, title, byline, *body = lines
    comment = next(number for number, line in enumerate(body) if line.startswith("•"))
    form = next(number for number, line in enumerate(body) if line.startswith("Leave a"))

    (article,) = read_sources([path]).articles
    assert (article.id, article.title, article.published, article.url) == (path.stem, title, None, "")
    assert byline == f"Posted by {article.author} on"
    # Above the comment stand the links to other posts, the share buttons and the disclaimer.
    own, disclaimer = body[: comment - 3], body[comment - 3]
    blocks = article.text.split("\n\n")
    assert [block.removeprefix("## ") for block in blocks] == own
    assert [block for block in blocks if block.startswith("## ")] == ["## Trigger Points"]
    assert article.disclaimer == disclaimer
    # The last line of a comment is its writer's name.
    assert [found.text for found in article.comments] == [
        " ".join(body[comment : form - 1]).removeprefix("• ")
    ]


def test_every_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.html").write_text(page())
    (tmp_path / "b.txt").write_text(DUMP)
    (tmp_path / "c.md").write_text(f"# Markdown\n\n{PARAGRAPH}")
    (tmp_path / "d.jsonl").write_text(record(id="one") + "\n" + record(_id="two", title="Two") + "\n")
    (tmp_path / "e.json").write_text(record(title="E"))
    (tmp_path / "f.json").write_text(f"[{record(id=7, title='F')}]")
    (tmp_path / "deep/page").write_text(page(title="No ending"))
    (tmp_path / "style.css").write_text("p {}")
    (tmp_path / ".hidden.html").write_text(page(title="Hidden"))
    read = read_sources([tmp_path])
    assert read.problems == ()
    assert [article.id for article in read.articles] == ["a", "b", "c", "one", "two", "e", "7", "deep/page"]


def test_a_file_named_alone_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "some-page.html").write_text(page())
    assert read_sources([tmp_path / "some-page.html"]).articles[0].id == "some-page"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.html", b"", "is empty"),
        ("blank.txt", b" \n\t\n", "is empty"),
        ("empty.jsonl", b"", "is empty"),
        ("picture.html", b"\x89PNG\r\n\x1a\n", "is an image"),
        ("paper.txt", b"%PDF-1.7 ...", "is a PDF"),
        ("zeros.txt", b"abc\x00def", "is binary"),
        ("paper.pdf", b"%PDF-1.7 ...", "is a .pdf document"),
        ("half.html", b"\xff\xfe" + "<html>".encode("utf-16-le") + b"\x00\xd8", "damaged"),
        ("broken.txt", ("Müller's ünique wörds. " * 20).encode() + b"\xff\xfe\xfd", "damaged at byte"),
        ("russian.txt", ("Подвздошная мышца сгибает бедро. " * 9).encode("koi8-r"), "no encoding"),
        ("cart.html", b"<html><h1>Your cart</h1><p>Your cart is empty.</p></html>", "no article"),
        ("cart.txt", b"Cart 0\n\nYour cart is empty\n\nContinue shopping\n", "no article"),
        ("untitled.md", b"Only a paragraph of text.", "no title"),
        ("bodiless.md", b"# Only a title", "no text"),
        ("broken.json", b'{"title": ', "is not JSON"),
        ("number.json", b"7", "is not a JSON object"),
        ("untitled.json", b'{"text": "words"}', "has no title"),
    ],
)  # fmt: skip
def test_what_gives_no_article_is_named_with_the_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.html").write_text(page())
    read = read_sources([tmp_path])
    assert [article.id for article in read.articles] == ["good"]
    (problem,) = read.problems
    assert problem.source == str(tmp_path / name)
    assert reason in problem.reason
    assert problem.next_step.endswith(".")
    assert str(tmp_path / name) in str(problem)


def test_a_source_that_is_missing_or_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    read = read_sources([tmp_path / "nowhere.html", tmp_path / "empty"])
    assert reasons(read) == ["is not there", "has no file that can be read"]


def test_a_file_that_can_not_be_opened(tmp_path: Path) -> None:
    (tmp_path / "lost.html").symlink_to(tmp_path / "gone.html")
    (tmp_path / "good.html").write_text(page())
    read = read_sources([tmp_path])
    assert [article.id for article in read.articles] == ["good"]
    assert reasons(read) == ["can not be read (No such file or directory)"]


def test_a_page_over_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large.html").write_text(page())
    monkeypatch.setattr(sources, "MAX_PAGE_BYTES", 100)
    assert reasons(read_sources([tmp_path])) == [
        f"is too large for one page ({len(page())} bytes; at most 100)"
    ]


def test_bad_lines_are_named_and_the_others_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "MAX_LINE_BYTES", 1000)
    lines = [
        record(id="a"),
        '{"title": "broken',
        "",
        record(id="b", title="B"),
        '{"title": "no text"}',
        '{"text": "no title"}',
        record(id="c", title=" "),
        record(id="d", text="x" * 2000),
        "[1]",
        record(id="e", url="javascript:alert(1)"),
        record(id="f", tags="hip"),
        record(id="g", title="G"),
    ]
    (tmp_path / "posts.jsonl").write_text("\n".join(lines))
    read = read_sources([tmp_path / "posts.jsonl"])
    assert [article.id for article in read.articles] == ["a", "b", "g"]
    assert [problem.line for problem in read.problems] == [2, 5, 6, 7, 8, 9, 10, 11]
    told = " / ".join(reasons(read))
    for reason in (
        "not JSON",
        "no text",
        "no title",
        "empty title",
        "longer than",
        "not a JSON object",
        "url",
        "tags",
    ):
        assert reason in told


def test_a_file_of_other_records_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "questions.jsonl").write_text('{"question": "why?"}\n' * 9)
    (problem,) = read_sources([tmp_path]).problems
    assert problem.reason == "holds no articles: each of its 9 lines has no title and has no text"


def test_ids_come_from_the_record_then_the_address_then_the_place(tmp_path: Path) -> None:
    url = "https://www.a.example/blogs/m/psoas?utm_source=x"
    lines = [record(id="given", url=url), record(url=url, title="B"), record(title="C")]
    (tmp_path / "posts.jsonl").write_text("\n".join(lines))
    read = read_sources([tmp_path / "posts.jsonl"])
    assert [article.id for article in read.articles] == ["given", "/blogs/m/psoas", "posts/3"]


def test_the_same_post_is_one_article(tmp_path: Path) -> None:
    (tmp_path / "1.html").write_text(page(url="https://a.example/en-gb/blogs/m/psoas"))
    (tmp_path / "2.html").write_text(page(url="https://www.a.example/blogs/m/psoas?utm_source=mail"))
    (tmp_path / "3.html").write_text(page(url="https://a.example/blogs/m/psoas/?fbclid=1#top"))
    (tmp_path / "4.html").write_text(page())
    read = read_sources([tmp_path])
    assert read.problems == ()
    assert [(article.id, article.url) for article in read.articles] == [
        ("/blogs/m/psoas", "https://www.a.example/blogs/m/psoas")
    ]
    assert [note.partition(": ")[0] for note in read.notes] == [
        str(tmp_path / f"{n}.html") for n in (2, 3, 4)
    ]


def test_another_text_under_a_taken_id_is_a_problem_that_names_both(tmp_path: Path) -> None:
    url = "https://a.example/blogs/m/psoas"
    (tmp_path / "1.html").write_text(page(url=url))
    (tmp_path / "2.html").write_text(page(PARAGRAPH.replace("below", "above") * 2, url=url))
    (tmp_path / "3.jsonl").write_text("\n".join([record(id="x"), record(id="x", text="Other words.")]))
    read = read_sources([tmp_path])
    assert [article.id for article in read.articles] == ["/blogs/m/psoas", "x"]
    first, second = read.problems
    assert (first.source, second.source) == (str(tmp_path / "2.html"), str(tmp_path / "3.jsonl"))
    assert str(tmp_path / "1.html") in first.reason
    assert second.line == 2
    assert f"{tmp_path / '3.jsonl'}, line 1" in second.reason


def test_records_with_ids_of_their_own_are_never_merged(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text("\n".join([record(id="x"), record(id="y")]))
    assert [article.id for article in read_sources([tmp_path]).articles] == ["x", "y"]


def test_a_translation_is_another_post(tmp_path: Path) -> None:
    (tmp_path / "1.html").write_text(page(url="https://a.example/blogs/m/psoas"))
    french = page(
        "Le muscle piriforme tourne la hanche vers le dehors. " * 3, url="https://a.example/fr/blogs/m/psoas"
    )
    (tmp_path / "2.html").write_text(french)
    assert [article.id for article in read_sources([tmp_path]).articles] == [
        "/blogs/m/psoas",
        "/fr/blogs/m/psoas",
    ]


def test_the_parts_of_a_saved_page_are_no_pages(tmp_path: Path) -> None:
    (tmp_path / "Psoas.html").write_text(page())
    (tmp_path / "Psoas_files").mkdir()
    (tmp_path / "Psoas_files/frame.html").write_text(page("An advert in a frame. " * 20))
    (tmp_path / "old_files").mkdir()
    (tmp_path / "old_files/kept.html").write_text(page("A folder that only sounds like it. " * 9))
    assert [article.id for article in read_sources([tmp_path]).articles] == ["Psoas", "old_files/kept"]


def test_loops_of_links_end_and_no_file_is_read_twice(tmp_path: Path) -> None:
    (tmp_path / "posts").mkdir()
    (tmp_path / "posts/a.html").write_text(page())
    (tmp_path / "posts/round").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "posts/self.html").symlink_to(tmp_path / "posts/self.html")
    read = read_sources([tmp_path, tmp_path / "posts", tmp_path / "posts/a.html"])
    assert [article.id for article in read.articles] == ["posts/a"]
    assert len(read.problems) <= 1


def test_the_order_is_that_of_the_sources_and_of_paths(tmp_path: Path) -> None:
    for number, name in enumerate(("b.html", "a.html", "c/a.html", "B.html")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(page(f"{PARAGRAPH} And number {number}."))
    (tmp_path / "z.txt").write_text(DUMP)
    read = read_sources([tmp_path / "z.txt", tmp_path])
    assert [article.id for article in read.articles] == ["z", "B", "a", "b", "c/a"]
    assert read == read_sources([tmp_path / "z.txt", tmp_path])


def test_what_a_file_holds_counts_more_than_its_ending(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text(page(title="In truth a page"))
    (tmp_path / "dump.html").write_text(DUMP)
    (tmp_path / "lines.json").write_text("\n".join([record(id="1"), record(id="2", title="Two")]))
    read = read_sources([tmp_path])
    assert [article.title for article in read.articles] == [
        "Piriformis Without Drama", "Piriformis", "Two", "In truth a page",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-8", "iso-8859-1"),
        ("windows-1252", "windows-1252"),
        ("windows-1252", "iso-8859-1"),
        ("windows-1252", ""),
        ("windows-1252", "utf-8"),
        ("windows-1252", "nonsense"),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, declared: str) -> None:
    head = f"<meta http-equiv=content-type content='text/html; charset={declared}'>" if declared else ""
    text = PARAGRAPH + "“Naïve” – it’s a café’s word, 5 € a piece. " + PARAGRAPH * 5
    markup = page(text, head=head).replace("<meta charset=utf-8>", "")
    (tmp_path / "page.html").write_bytes(markup.encode(encoding))
    (article,) = read_sources([tmp_path]).articles
    assert "“Naïve” – it’s a café’s word, 5 € a piece." in article.text


def test_another_declared_encoding(tmp_path: Path) -> None:
    text = "Подвздошная мышца сгибает бедро, и её часто забывают. " * 3
    markup = page(text, head="<meta charset='koi8-r'>").replace("<meta charset=utf-8>", "")
    (tmp_path / "page.html").write_bytes(markup.encode("koi8-r"))
    assert read_sources([tmp_path]).articles[0].text.startswith("Подвздошная мышца")


def test_progress_sees_every_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.html").write_text(page(title=name))
    seen: list[Source] = []

    def watch(files: Sequence[Source]) -> Iterable[Source]:
        for file in files:
            seen.append(file)
            yield file

    read_sources([tmp_path], progress=watch)
    assert [source.fallback_id for source in seen] == ["a", "b"]


def test_written_articles_are_read_back_the_same(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page(url="https://a.example/blogs/m/psoas"))
    (tmp_path / "dump.txt").write_text(DUMP)
    articles = read_sources([tmp_path]).articles
    write_jsonl(articles, tmp_path / "out.jsonl")
    assert read_sources([tmp_path / "out.jsonl"]).articles == articles
    assert [from_json(to_json(article), fallback_id="") for article in articles] == list(articles)


def test_thousands_of_lines(tmp_path: Path) -> None:
    lines = [record(id=str(number), text=f"{number} {PARAGRAPH * 10}") for number in range(5000)]
    (tmp_path / "posts.jsonl").write_text("\n".join(lines))
    assert len(read_sources([tmp_path / "posts.jsonl"]).articles) == 5000
