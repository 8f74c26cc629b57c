"""What visitors ask and the articles do not answer: questions that mean alike, as articles to write.

Only questions that a visitor has let us keep are read; all others are counted by the kind of their answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from prometheus_client import CollectorRegistry
from scipy.cluster.hierarchy import fcluster, linkage

from assistant.feedback.tables import FeedbackRow
from assistant.question import is_asking
from index.encoded import Floats
from index.keywords import STOPWORDS, stem, words

MISSED = ("abstention", "related")
# The average cosine distance up to which groups are joined. Of 120 of the fitting questions, 0.6 brings those
# that one article answers together best (adjusted Rand 0.19), and 0.90 of a group is about one article.
_APART = 0.6
# The newest questions are read; more would keep whoever opens the page waiting.
MOST = 1_000
_NAMED_BY = 4  # words


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is asked and not answered.

    Attributes:
        title: The question in the middle of the group.
        words: What most of the questions say.
        questions: Each with how often it was asked, the one in the middle first.
        kinds: How often each kind of answer was given.
        articles: Ids of the articles that came near, most often first.
    """

    title: str
    words: tuple[str, ...]
    questions: tuple[tuple[str, int], ...]
    kinds: dict[str, int]
    articles: tuple[str, ...]

    @property
    def asked(self) -> int:
        """How often."""
        return sum(self.kinds.values())


def gaps(rows: Sequence[FeedbackRow], vectors: Callable[[Sequence[str]], Floats]) -> list[Gap]:
    """The groups, what is asked most often first.

    Args:
        rows: What was kept, of any kind of answer, newest first.
        vectors: Gives each text a vector of length 1.
    """
    missed = [row for row in rows if row.kind in MISSED][:MOST]
    texts = list(dict.fromkeys(" ".join(row.question.split()) for row in missed))
    if not texts:
        return []
    found = vectors(texts)
    groups: dict[int, list[int]] = {}
    for place, label in enumerate(_labels(found)):
        groups.setdefault(label, []).append(place)
    made = [_gap([texts[place] for place in group], found[group], missed) for group in groups.values()]
    return sorted(made, key=lambda gap: (-gap.asked, -gap.kinds.get("abstention", 0), gap.title))


def _labels(vectors: Floats) -> list[int]:
    """The number of each text's group: average linkage by cosine, cut at `_APART`."""
    if len(vectors) == 1:
        return [1]
    distances = np.clip(1 - vectors @ vectors.T, 0, 2)
    upper = distances[np.triu_indices(len(vectors), 1)]
    return [int(one) for one in fcluster(linkage(upper, "average"), _APART, "distance")]


def _gap(texts: list[str], vectors: Floats, rows: Sequence[FeedbackRow]) -> Gap:
    near = np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")
    ordered = [texts[place] for place in near]
    own = set(texts)
    mine = [row for row in rows if " ".join(row.question.split()) in own]
    times = Counter(" ".join(row.question.split()) for row in mine)
    cited = Counter(article for row in mine for article in row.articles)
    return Gap(
        ordered[0],
        _shared_words(ordered),
        tuple((one, times[one]) for one in ordered),
        dict(Counter(row.kind for row in mine)),
        tuple(article for article, _ in cited.most_common(3)),
    )


def _shared_words(texts: Sequence[str]) -> tuple[str, ...]:
    """The words that at least half of the questions have, the commonest first, as they are first written."""
    written: dict[str, str] = {}
    counted: Counter[str] = Counter()
    for text in texts:
        telling = {stem(word): word for word in words(text) if word not in STOPWORDS}
        mine = {term: word for term, word in telling.items() if not is_asking(term)}
        counted.update(mine.keys())
        for term, word in mine.items():
            written.setdefault(term, word)
    shared = [term for term, times in counted.most_common() if times * 2 >= len(texts)]
    return tuple(written[term] for term in shared[:_NAMED_BY])


def counted(registry: CollectorRegistry) -> dict[str, int]:
    """How often each kind of answer was given since the server started."""
    return dict(_kinds(registry))


def _kinds(registry: CollectorRegistry) -> Iterable[tuple[str, int]]:
    totals: Counter[str] = Counter()
    for metric in registry.collect():
        if metric.name == "referral_answers":
            for sample in metric.samples:
                if sample.name == "referral_answers_total":
                    totals[sample.labels["kind"]] += int(sample.value)
    return totals.most_common()
