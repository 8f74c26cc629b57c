"""How search holds up as a corpus grows: recall against exact search, time, memory, and time to build.

The vectors are made of a real store's, each moved by the difference of two others, so that they lie as real
ones do; the texts are that store's, again and again. Each size is built by one process and searched by a
second, whose memory is then that of the search alone.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.encoded import Floats
from index.encoder import Encoder
from index.errors import UnusableError
from index.generation import Generation, Sourced
from index.keywords import Keywords, terms
from index.retriever import Rows, candidates, plain_query
from index.store import Store
from index.vectors import Vectors
from ingest import sample
from ingest.sources import read_sources

SIZES = (10_000, 200_000)  # on both sides of where exact search ends
GOLDEN = Path(__file__).with_name("golden.jsonl")

_TOP = 10
_DEPTH = 200  # candidates by each score, as the retriever takes them
_MOVED = 0.35  # of the difference of two vectors: the moved one is then at a cosine of about 0.9
_CHUNK = 50_000
_TEXTS = 5_000
_ONE_IN = 20  # rows that the filter of the filtered search lets through
_SEED = 20261123


@dataclass(frozen=True, slots=True)
class _Task:
    """One size: the generation that lends its vectors and texts, and where the index goes."""

    size: int
    source: Path
    folder: Path
    questions: tuple[str, ...]

    def rows(self) -> dict[str, Rows]:
        """Where is searched: everywhere, and behind a filter."""
        return {"all": range(self.size), "filtered": np.arange(0, self.size, _ONE_IN)}


def run(out: Path, sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Every size, one after the other.

    Args:
        out: The stores of the retrieval bench are looked for below it; without one, the sample's is built.
        sizes: In passages.
    """
    encoder = Encoder()
    source = _source(out / "stores", encoder)
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    questions = tuple(json.loads(line)["question"] for line in lines)
    rows = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=out) as folder:
            task = _Task(size, source, Path(folder), questions)
            np.save(
                task.folder / "queries.npy", np.stack([encoder.encode_query(one).vector for one in questions])
            )
            rows[str(size)] = {**_in_a_process(build, task), **_in_a_process(search, task)}
    return {"vectors of": source.parent.parent.name, "queries": len(questions), "rows": rows}


def _source(stores: Path, encoder: Encoder) -> Path:
    """The folder of a generation: the richest that is there."""
    for name in ("medquad", "nfcorpus", "scifact", "sample"):
        try:
            return Store(stores / name).open(encoder.identity).folder
        except UnusableError:  # not built, or by another version
            continue
    ingested = read_sources([sample.FOLDER])
    store = Store(stores / "sample")
    store.write([Sourced(one, "sample") for one in ingested.articles], encoder)
    return store.open(encoder.identity).folder


def _in_a_process(work: Any, task: _Task) -> dict[str, Any]:
    """What a function says of a task, in a new process, that shares no memory with this one."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        result: dict[str, Any] = pool.submit(work, task).result()
    return result


def build(task: _Task) -> dict[str, Any]:
    """Write the index of a size, and beside it what exact search finds."""
    generation = Generation(task.source)
    random = np.random.default_rng(_SEED)
    vectors = synthetic(generation, task.size, random)
    queries: Floats = np.load(task.folder / "queries.npy")
    for name, rows in task.rows().items():
        chosen = vectors if name == "all" else vectors[np.asarray(rows)]
        best = np.stack([np.argpartition(-(chosen @ query), _TOP)[:_TOP] for query in queries])
        np.save(task.folder / f"{name}.npy", np.asarray(rows)[best])
    start = time.perf_counter()
    built = Vectors.build(vectors)
    built.save(task.folder / "passages.faiss")
    vector_seconds = time.perf_counter() - start
    del vectors, built
    passages = generation.manifest.counts.passages
    lent = [terms(generation.passage(row).text) for row in range(0, passages, -(-passages // _TEXTS))]
    start = time.perf_counter()
    (task.folder / "keywords").mkdir()
    Keywords.build([lent[place] for place in random.integers(len(lent), size=task.size)]).save(
        task.folder / "keywords"
    )
    return {"build vectors s": vector_seconds, "build keywords s": time.perf_counter() - start}


def synthetic(generation: Generation, size: int, random: np.random.Generator) -> Floats:
    """Unit vectors, shape (size, dimension), that lie as the sentences' of a generation do."""
    given: NDArray[np.float16] = np.load(generation.folder / generation.manifest.segments[0], mmap_mode="r")
    made = np.empty((size, given.shape[1]), np.float32)
    for start in range(0, size, _CHUNK):
        part = made[start : start + _CHUNK]
        one, plus, minus = (
            np.asarray(given[np.sort(random.integers(len(given), size=len(part)))], np.float32)
            for _ in range(3)
        )
        part[:] = one + _MOVED * (random.permutation(plus) - random.permutation(minus))
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return made


def search(task: _Task) -> dict[str, Any]:
    """Search as the retriever does, a question at a time: how well, how fast, and with how much memory."""
    encoder = Encoder()
    before = memory()
    vectors = Vectors.load(task.folder / "passages.faiss")
    keywords = Keywords.load(task.folder / "keywords")
    measured: dict[str, Any] = {"exact": vectors.exact}
    for name, rows in task.rows().items():
        exact = np.load(task.folder / f"{name}.npy")
        seconds, right = [], 0
        for number, question in enumerate((task.questions[0], *task.questions)):  # the first warms up
            start = time.perf_counter()
            vector = encoder.encode_query(question).vector
            wishes = plain_query(question).wishes
            found, cosine, _ = candidates(keywords, vectors, vector, wishes, rows, _DEPTH)
            near = found[np.argsort(-cosine)[:_TOP]]
            if number:
                seconds.append(time.perf_counter() - start)
                right += len(np.intersect1d(near, exact[number - 1]))
        measured |= {
            f"{name} recall@{_TOP}": right / exact.size,
            f"{name} median ms": 1000 * statistics.median(seconds),
            f"{name} p95 ms": 1000 * sorted(seconds)[int(0.95 * len(seconds))],
        }
    after = memory()
    return {
        **measured,
        "resident MB": after["resident"],
        "own MB": after["own"],
        "index MB": after["resident"] - before["resident"],
    }


def memory() -> dict[str, float]:
    """Megabytes of this process: all that is resident, and of it what is its own.

    The rest are pages of mapped files, which the system takes back whenever it needs room.
    """
    status = Path("/proc/self/status")
    if not status.is_file():  # not Linux: only the peak is told, in bytes or, on BSD, in kilobytes
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
        return {"resident": peak, "own": peak}
    told = status.read_text(encoding="utf-8")
    kilobytes = {name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB", told, re.MULTILINE)}
    return {"resident": kilobytes["VmRSS"] / 1024, "own": kilobytes["RssAnon"] / 1024}


def table(result: Mapping[str, Any]) -> str:
    """One line a size."""
    columns = [
        key for key, value in next(iter(result["rows"].values())).items() if not isinstance(value, bool)
    ]
    lines = [
        f"{result['queries']} questions, encoding included; vectors made of those of {result['vectors of']}",
        f"{'passages':24}" + "".join(f"{size:>12}" for size in result["rows"]),
        f"{'search':24}"
        + "".join(f"{'exact' if row['exact'] else 'codes':>12}" for row in result["rows"].values()),
    ]
    for column in columns:
        digits = 4 if "recall" in column else 1
        cells = "".join(f"{row[column]:12.{digits}f}" for row in result["rows"].values())
        lines.append(f"{column:24}{cells}")
    return "\n".join(lines)
