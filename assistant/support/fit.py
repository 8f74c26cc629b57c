"""Fits the model of model.py to fitting_pairs.jsonl and to what can be made of the sample blog's sentences.

    python -m assistant.support.fit

writes support.json again, the same for the same files. The pairs are the project's own: written sentences
that stay within their sources, and ones with the faults that language models make. Of the sample blog, a
sentence or a whole clause of it is borne out by itself; another sentence of the same article, a sentence with
an exchanged word, and two halves joined are not. Sentences that a rule of rules.py rejects are left out: the
model only ever sees the others.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.optimize import minimize
from scipy.special import expit
from tqdm import tqdm

from assistant.support.facts import read
from assistant.support.model import FEATURES, MODEL_FILE, Judge, Model
from assistant.support.rules import Sources, faults
from index.lexicon import Lexicon
from index.sentences import BlockKind, blocks, sentences
from ingest import sample
from ingest.sources import read_sources

Doubles: TypeAlias = NDArray[np.float64]

PAIRS = Path(__file__).with_name("fitting_pairs.jsonl")
SEED = 7
FOLDS = 5
# Of the pairs' sentences that are not borne out, at most this share may pass.
MAY_PASS = 0.02


class Pairs(BaseModel):
    """Some sources with sentences written from them; a fault's name is for reviewers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    sources: tuple[str, ...]
    supported: tuple[str, ...]
    unsupported: dict[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """One written sentence.

    Attributes:
        group: What must not be on both sides of a split.
        by_hand: Whether a person wrote it.
    """

    claim: str
    sources: Sources
    supported: bool
    group: str
    by_hand: bool


@dataclass(frozen=True, slots=True)
class Table:
    """Examples as numbers: features of shape (n, features), all else of shape (n,)."""

    features: Doubles
    supported: NDArray[np.bool_]
    vetoed: NDArray[np.bool_]
    by_hand: NDArray[np.bool_]
    groups: NDArray[np.str_]


def main() -> None:
    """Fit and write."""
    lexicon = Lexicon.load()
    judge = Judge(lexicon, _NOTHING)
    table = tabulate([*written(), *made()], judge, lexicon)
    weights, bias = fit(table)
    held_out = cross_fitted(table)
    model = Model(
        weights={name: round(float(value), 4) for name, value in zip(FEATURES, weights, strict=True)},
        bias=round(bias, 4),
        threshold=round(threshold(table, held_out), 3),
    )
    MODEL_FILE.write_text(model.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for by_hand in (True, False):
        of_kind = table.by_hand == by_hand
        passed = (held_out >= model.threshold) & of_kind
        kept = passed[table.supported & of_kind].sum() / (table.supported & of_kind).sum()
        slipped = passed[~table.supported & of_kind].sum() / (~table.supported & of_kind).sum()
        print(f"{'written' if by_hand else 'made'}: {kept:.3f} kept, {slipped:.3f} slipped through")


_NOTHING = Model(weights={}, bias=0.0, threshold=1.0)


def written() -> list[Example]:
    """The examples of fitting_pairs.jsonl."""
    out = []
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        pairs = Pairs.model_validate_json(line)
        sources = Sources(pairs.sources, pairs.title)
        out += [Example(claim, sources, True, pairs.title, True) for claim in pairs.supported]
        out += [Example(claim, sources, False, pairs.title, True) for claim in pairs.unsupported.values()]
    return out


_TAKEN = 4  # sentences of an article


def made() -> list[Example]:
    """Examples made of the sample blog's sentences."""
    chance = random.Random(SEED)
    out: list[Example] = []
    for article in read_sources([sample.FOLDER]).articles:
        found = [
            article.text[low:high]
            for block in blocks(article.text)
            if block.kind is BlockKind.PARAGRAPH
            for low, high in sentences(article.text, block.start, block.end)
        ]
        fit_ones = [one for one in found if 6 <= len(one.split()) <= 35 and one.endswith(".")]
        for one in chance.sample(fit_ones, min(_TAKEN, len(fit_ones))):
            others = [other for other in fit_ones if other != one]
            sources = Sources((one, *chance.sample(others, 1)), article.title)
            rest = [other for other in others if other not in sources.sentences]
            out += [Example(claim, sources, True, article.id, False) for claim in (one, *_clause(one))]
            out += [Example(claim, sources, False, article.id, False) for claim in _spoilt(one, rest, chance)]
    return out


def _clause(sentence: str) -> Iterator[str]:
    """The sentence up to a comma or a conjunction, where enough is left to stand alone."""
    cut = re.search(r"(?<=\w)(?:,| and| but)(?= (?:and|but|it|they|the|this|that)\b)", sentence)
    if cut and len(sentence[: cut.start()].split()) >= 6 and cut.start() > len(sentence) / 2:
        yield sentence[: cut.start()] + "."


def _spoilt(one: str, others: Sequence[str], chance: random.Random) -> Iterator[str]:
    first, second = chance.sample(others, 2)
    yield first
    half = one.split()[: max(4, len(one.split()) // 2)]
    yield " ".join((*half, *second.split()[len(second.split()) // 2 :]))
    mine = [token for token in read(one).content if token.end - token.start > 3]
    theirs = [
        second[token.start : token.end] for token in read(second).content if token.end - token.start > 3
    ]
    if mine and theirs:
        token = chance.choice(mine)
        yield one[: token.start] + chance.choice(theirs) + one[token.end :]


def tabulate(examples: Sequence[Example], judge: Judge, lexicon: Lexicon) -> Table:
    """Features and labels of examples."""
    shown = [one for one in tqdm(examples, disable=None) if read(one.claim).content]
    vetoed = [bool(faults(one.claim, one.sources, lexicon)) for one in shown]
    nothing = np.zeros(len(FEATURES))
    rows = [
        nothing if bad else judge.features(one.claim, one.sources)
        for one, bad in zip(tqdm(shown, disable=None), vetoed, strict=True)
    ]
    return Table(
        np.array(rows, float),
        np.array([one.supported for one in shown]),
        np.array(vetoed),
        np.array([one.by_hand for one in shown]),
        np.array([one.group for one in shown]),
    )


_RIDGE = 2e-3
# A feature can only speak for a sentence, or only against it: no chance of a few hundred pairs is learnt.
_SIGNS: dict[str, tuple[float | None, float | None]] = {
    **dict.fromkeys(("cosine", "lowest", "new_aligned"), (0, None)),
    "short": (None, 0),
}
_BY_HAND = 4.0  # what a person wrote counts so much more than what was made


def fit(table: Table, chosen: NDArray[np.bool_] | None = None) -> tuple[Doubles, float]:
    """Logistic regression under `_SIGNS`; both outcomes weigh the same."""
    rows = ~table.vetoed if chosen is None else ~table.vetoed & chosen
    features, labels = table.features[rows], table.supported[rows]
    scale = features.std(axis=0) + 1e-6
    scaled = features / scale
    share = np.where(table.by_hand[rows], _BY_HAND, 1.0)
    for label in (True, False):
        share[labels == label] /= share[labels == label].sum()
    signs = np.where(labels, 1.0, -1.0)

    def loss(point: Doubles) -> tuple[float, Doubles]:
        weights, bias = point[:-1], point[-1]
        margins = signs * (scaled @ weights + bias)
        pull = share * signs * expit(-margins)
        value = float(share @ np.logaddexp(0, -margins)) + _RIDGE * float(weights @ weights)
        return value, np.append(-(pull @ scaled) + 2 * _RIDGE * weights, -pull.sum())

    bounds = [*(_SIGNS[name] for name in FEATURES), (None, None)]
    found = minimize(loss, np.zeros(len(FEATURES) + 1), jac=True, bounds=bounds, method="L-BFGS-B")
    return found.x[:-1] / scale, float(found.x[-1])


def cross_fitted(table: Table) -> Doubles:
    """The support of each example by a model that saw nothing of its group; 0 where a rule is broken."""
    names = sorted(set(table.groups.tolist()))
    fold = {name: place % FOLDS for place, name in enumerate(names)}
    folds = np.array([fold[name] for name in table.groups.tolist()])
    out = np.zeros(len(folds))
    for number in range(FOLDS):
        weights, bias = fit(table, folds != number)
        mine = folds == number
        out[mine] = expit(table.features[mine] @ weights + bias)
    out[table.vetoed] = 0.0
    return out


def threshold(table: Table, support: Doubles) -> float:
    """The least support at which no more than MAY_PASS of the unsupported pairs pass."""
    wrong = np.sort(support[table.by_hand & ~table.supported])[::-1]
    return float(wrong[int(len(wrong) * MAY_PASS)]) + 1e-3


if __name__ == "__main__":
    main()
