"""Fits the packaged weights to visitors' questions: corrections of the encoder, and short vectors of tokens.

    python -m index.fit --squad ../shared/data/squad2/dev.json --medquad ../shared/data/medquad

reads lessons.jsonl (articles of our own with the questions that visitors might ask, and which sentences
answer them), pairs.jsonl (a lay question and the sentence that answers it), every other article of SQuAD
2.0's development set (CC BY-SA 4.0) and articles of MedQuAD (CC BY 4.0; none that its bench asks for), prints
how well sentences are found on articles kept apart, and writes fitted.npz. Twenty minutes on two cores. What
is learned is a low-rank change (LoRA) of the last layers and the directions in which tokens are shortened:
1.4 MB, merged into the weights when they are loaded.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor, nn
from torch.nn.functional import normalize, pad, softplus
from tqdm import tqdm
from transformers import AutoTokenizer, BertModel

from index.encoded import TOKEN_WIDTH
from index.packaged import FITTED_FILE, packaged_folder
from index.passage import Passage, embedding_text, split
from ingest.article import Article

HERE = Path(__file__).parent
_SEED = 20261123
_RANK = 24
_FIRST_LAYER = 2  # the layers below read words, which lay questions do not change
_RATE, _RATE_SCALES = 6e-4, 5e-3
_DOCUMENTS = 8  # in one step; each question is held against the sentences of all of them
_QUESTIONS = 8  # of one document in one step
_STEPS = 600
_WARM = 20
# What the model forgets of its own vectors it loses on other subjects. So it is held to them: loosely where
# it is to learn, firmly (the vectors, and how questions and passages lie to one another) on MedQuAD.
_STAY, _STAY_OTHERS, _STAY_RELATIONS, _STAY_EVERY = 12.0, 40.0, 60.0, 2
_OTHERS = 330  # articles of MedQuAD in one round
_OTHER_PASSAGES = 3  # of one of them
_HELD_OUT = 6  # one article in so many is kept apart

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Document:
    """An article as the encoder reads it, with questions.

    Attributes:
        source: The file that it comes from.
        texts: Its passages.
        spans: For each passage its sentences in the passage's text.
        questions: Each with the places (passage, sentence) that answer it: none when the article does not.
    """

    source: str
    texts: tuple[str, ...]
    spans: tuple[tuple[Span, ...], ...]
    questions: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]


def lessons(reader: Reader) -> list[Document]:
    """The articles of lessons.jsonl."""
    return [_lesson(json.loads(line), reader) for line in _lines(HERE / "lessons.jsonl")]


def _lesson(record: dict[str, Any], reader: Reader) -> Document:
    text, spans = "", []
    for section in record["sections"]:
        text += f"\n\n## {section['heading']}\n\n" if section["heading"] else "\n\n"
        for number, sentence in enumerate(section["sentences"]):
            text += "" if not number else "\n\n" if number % 4 == 0 else " "
            spans.append((len(text), len(text) + len(sentence)))
            text += sentence
    article = Article(id=record["id"], title=record["title"], text=text)
    asked = [(one["q"], [spans[place] for place in one["answers"]]) for one in record["questions"]]
    return _document("lessons", article, asked, reader)


def pairs() -> list[Document]:
    """The pairs of pairs.jsonl, some of a topic together."""
    topics: dict[str, list[dict[str, str]]] = {}
    for line in _lines(HERE / "pairs.jsonl"):
        record = json.loads(line)
        topics.setdefault(record["topic"], []).append(record)
    found = []
    for topic, records in topics.items():
        random.Random(topic).shuffle(records)
        found += [_paired(records[start : start + 8]) for start in range(0, len(records), 8)]
    return found


def _paired(records: Sequence[dict[str, str]]) -> Document:
    """Each sentence as a passage of its own; its "[Title] It is…" as the encoder reads a passage."""
    sentences = list(dict.fromkeys(one["sentence"] for one in records))
    texts = [re.sub(r"^\[([^\]]+)\] ?", r"\1\n", one) for one in sentences]
    spans = tuple(((text.find("\n") + 1, len(text)),) for text in texts)
    asked = tuple((one["question"], ((sentences.index(one["sentence"]), 0),)) for one in records)
    return Document("pairs", tuple(texts), spans, asked)


def squad(path: Path, reader: Reader, odd: int) -> list[Document]:
    """The paragraphs of every other article of a file of SQuAD 2.0."""
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    found = []
    for article in articles[odd::2]:
        for number, paragraph in enumerate(article["paragraphs"]):
            title = article["title"].replace("_", " ")
            text = re.sub(r"\n", " ", paragraph["context"])
            asked = [(one["question"], _answers(one)) for one in paragraph["qas"]]
            whole = Article(id=f"{title} {number}", title=title, text=text)
            found.append(_document("squad", whole, asked, reader))
    return found


def medquad(folder: Path, reader: Reader) -> list[Document]:
    """The beginnings of articles of MedQuAD: each heading asks what its section answers.

    Titles and single sentences are among the questions with no answer given: they teach nothing, but hold the
    model to what it made of short queries and of claims.
    """
    bench = {json.loads(line)["article_id"] for line in _lines(folder / "questions.jsonl")}
    chance = random.Random(_SEED)
    records = [json.loads(line) for line in _lines(folder / "articles.jsonl")]
    kept = [one for one in records if one["id"] not in bench and 400 < len(one["text"]) < 12_000]
    return [_other(one, reader, chance) for one in chance.sample(kept, min(len(kept), 3 * _OTHERS))]


def _other(record: dict[str, Any], reader: Reader, chance: random.Random) -> Document:
    article = Article(id=record["id"], title=record["title"], text=record["text"])
    passages = split(article, reader.count, reader.window)[:_OTHER_PASSAGES]
    texts, spans = _as_read(article, passages)
    sections: dict[str, list[tuple[int, int]]] = {}
    for number, passage in enumerate(passages):
        places = [(number, row) for row in range(len(passage.sentences))]
        sections.setdefault(passage.heading.split(" › ")[0], []).extend(places)
    whole = [text[start:end] for text, of in zip(texts, spans, strict=True) for start, end in of]
    claims = [one for one in whole if 40 < len(one) < 250]
    unanswered = [record["title"], *chance.sample(claims, min(3, len(claims)))]
    asked = [(heading, tuple(places)) for heading, places in sections.items() if heading]
    return Document("medquad", tuple(texts), tuple(spans), (*asked, *((one, ()) for one in unanswered)))


def _answers(question: dict[str, Any]) -> list[Span]:
    return [(one["answer_start"], one["answer_start"] + len(one["text"])) for one in question["answers"][:1]]


def _document(
    source: str, article: Article, asked: Sequence[tuple[str, list[Span]]], reader: Reader
) -> Document:
    passages = split(article, reader.count, reader.window)
    texts, spans = _as_read(article, passages)
    places = []
    for number, passage in enumerate(passages):
        places += [((number, row), (one.start, one.end)) for row, one in enumerate(passage.sentences)]
    questions = []
    for question, answers in asked:
        right = tuple(place for place, span in places if any(_same(span, answer) for answer in answers))
        if right or not answers:
            questions.append((question, right))
    return Document(source, tuple(texts), tuple(spans), tuple(questions))


def _as_read(article: Article, passages: Sequence[Passage]) -> tuple[list[str], list[tuple[Span, ...]]]:
    """Passages as the encoder reads them: their texts, and where in these each one's sentences stand."""
    texts, spans = [], []
    for passage in passages:
        text, lead = embedding_text(article.title, passage)
        shift = lead - passage.start
        texts.append(text)
        spans.append(tuple((one.start + shift, one.end + shift) for one in passage.sentences))
    return texts, spans


def _same(one: Span, other: Span) -> bool:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared > 0.5 * min(one[1] - one[0], other[1] - other[0])


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


class Corrected(nn.Module):
    """A linear layer and the low-rank change that is learned for it."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        self.down = nn.Parameter(torch.randn(_RANK, layer.in_features) / layer.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(layer.out_features, _RANK))
        self.on = True

    def forward(self, values: Tensor) -> Tensor:
        """The layer's output, changed while `on`."""
        plain: Tensor = self.layer(values)
        return plain + (values @ self.down.T) @ self.up.T if self.on else plain


@dataclass(frozen=True, slots=True)
class Read:
    """Documents as the model has read them.

    Attributes:
        passages: Unit vectors: shape (passages, dimension).
        sentences: Unit vectors: shape (sentences, dimension).
        tokens: Short unit vectors of all sentences' tokens: shape (tokens, TOKEN_WIDTH).
        of: For each token its sentence: shape (tokens,).
        within: For each sentence its passage: shape (sentences,).
    """

    passages: Tensor
    sentences: Tensor
    tokens: Tensor
    of: Tensor
    within: Tensor


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions as the model has read them.

    Attributes:
        vectors: Unit vectors: shape (questions, dimension).
        tokens: Short unit vectors of all questions' tokens: shape (tokens, TOKEN_WIDTH).
        weights: Of each token; those of a question add up to 1: shape (tokens,).
        of: For each token its question: shape (tokens,).
    """

    vectors: Tensor
    tokens: Tensor
    weights: Tensor
    of: Tensor


class Reader(nn.Module):
    """The packaged model with what is learned."""

    def __init__(self) -> None:
        super().__init__()
        folder = str(packaged_folder())
        self.window = 256
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self.bert = BertModel.from_pretrained(folder, add_pooling_layer=False).requires_grad_(False)
        width = self.bert.config.hidden_size
        self.corrected: dict[str, Corrected] = {}
        for number, layer in list(enumerate(self.bert.encoder.layer))[_FIRST_LAYER:]:
            for name, linear in [*layer.named_modules()]:
                if isinstance(linear, nn.Linear):
                    self.corrected[f"layer.{number}.{name}"] = Corrected(linear)
                    layer.set_submodule(name, self.corrected[f"layer.{number}.{name}"])
        self.shorten = nn.Linear(width, TOKEN_WIDTH, bias=False)
        nn.init.orthogonal_(self.shorten.weight)
        self.weigh = nn.Linear(width, 1)
        nn.init.zeros_(self.weigh.weight)
        nn.init.zeros_(self.weigh.bias)
        # logarithms of how sharply cosines, late interaction and answerability are read, and its threshold
        self.scales = nn.Parameter(torch.tensor([2.7, 2.7, 0.0, 20.0]))

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the special ones."""
        if not texts:
            return []
        return [len(ids) for ids in self._tokenizer(list(texts), add_special_tokens=False)["input_ids"]]

    def read(self, documents: Sequence[Document]) -> Read:
        """All passages of some documents."""
        texts = [text for one in documents for text in one.texts]
        hidden, mask, offsets = self._forward(texts, self.window, 6)
        sentence = torch.full(mask.shape, -1)
        within: list[int] = []
        for row, spans in enumerate(spans for one in documents for spans in one.spans):
            for start, end in spans:
                inside = (offsets[row, :, 0] >= start) & (offsets[row, :, 1] <= end)
                sentence[row, inside & (offsets[row, :, 1] > offsets[row, :, 0])] = len(within)
                within.append(row)
        kept = sentence >= 0
        of, values = sentence[kept], hidden[kept]
        counts = torch.zeros(len(within)).index_add_(0, of, torch.ones(len(of))).clamp(min=1)
        sums = torch.zeros(len(within), values.shape[1]).index_add(0, of, values)
        return Read(
            passages=_pooled(hidden, mask),
            sentences=normalize(sums / counts[:, None], dim=-1),
            tokens=normalize(self.shorten(values), dim=-1),
            of=of,
            within=torch.tensor(within),
        )

    def ask(self, questions: Sequence[str]) -> Asked:
        """Some questions."""
        hidden, mask, offsets = self._forward(questions, 64, 24)
        real = offsets[..., 1] > offsets[..., 0]
        weights = softplus(self.weigh(hidden)[..., 0]) * real
        weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-6)
        of = torch.arange(len(questions))[:, None].expand_as(real)[real]
        tokens = normalize(self.shorten(hidden[real]), dim=-1)
        return Asked(_pooled(hidden, mask), tokens, weights[real], of)

    @torch.no_grad()
    def uncorrected(self, texts: Sequence[str], window: int) -> Tensor:
        """Vectors by the packaged weights alone: shape (texts, dimension)."""
        for one in self.corrected.values():
            one.on = False
        hidden, mask, _ = self._forward(texts, window, 6)
        for one in self.corrected.values():
            one.on = True
        return _pooled(hidden, mask)

    def _forward(self, texts: Sequence[str], window: int, batch: int) -> tuple[Tensor, Tensor, Tensor]:
        """Hidden states (n, tokens, width), mask (n, tokens) and offsets (n, tokens, 2)."""
        encoded = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=window, return_tensors="pt",
            return_offsets_mapping=True,
        )  # fmt: skip
        mask = encoded["attention_mask"]
        order = torch.argsort(mask.sum(1))  # texts of about equal length together
        parts = []
        for rows in torch.split(order, batch):
            longest = int(mask[rows].sum(1).max())
            with torch.autocast("cpu", torch.bfloat16):
                hidden = self.bert(
                    input_ids=encoded["input_ids"][rows, :longest], attention_mask=mask[rows, :longest]
                ).last_hidden_state
            parts.append(pad(hidden.float(), (0, 0, 0, mask.shape[1] - longest)))
        return torch.cat(parts)[torch.argsort(order)], mask, encoded["offset_mapping"]


def _pooled(hidden: Tensor, mask: Tensor) -> Tensor:
    return normalize((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), dim=-1)


def late(asked: Asked, tokens: Tensor, of: Tensor, groups: int) -> Tensor:
    """Late interaction of questions with groups of tokens, as `index.encoded` has it: (questions, groups)."""
    cosines = asked.tokens @ tokens.T
    with torch.no_grad():  # where each maximum stands; the gradient then passes through it alone
        order = torch.argsort(of, stable=True)
        counts = torch.bincount(of, minlength=groups)
        starts = torch.cumsum(counts, 0) - counts
        steps = torch.arange(int(counts.max()))[None]
        within = torch.minimum(steps, (counts - 1).clamp(min=0)[:, None])
        places = order[(starts[:, None] + within).clamp(max=len(order) - 1)]
        best = cosines.detach()[:, places].argmax(2, keepdim=True)
        best = torch.gather(places[None].expand(len(cosines), -1, -1), 2, best)[..., 0]
    weighted = cosines.gather(1, best) * asked.weights[:, None]
    return torch.zeros(len(asked.vectors), groups).index_add(0, asked.of, weighted)


def loss_of(reader: Reader, documents: Sequence[Document], stay: bool) -> Tensor:
    """What one step makes smaller."""
    read = reader.read(documents)
    questions, right, own = _targets(documents, read)
    asked = reader.ask([text for text, _ in questions])
    cosine_scale, late_scale, sharpness, threshold = reader.scales
    cosine = cosine_scale.exp() * asked.vectors @ read.sentences.T
    token = late_scale.exp() * late(asked, read.tokens, read.of, len(read.sentences))
    has = right.any(1)
    loss = _log_loss(cosine[has], right[has]) + _log_loss((cosine + token)[has], right[has])
    loss = loss + 0.5 * _log_loss(token[has], right[has])

    passages = torch.zeros(len(questions), len(read.passages)).index_add(1, read.within, right.float()) > 0
    by_vector = cosine_scale.exp() * asked.vectors @ read.passages.T
    by_token = late_scale.exp() * late(asked, read.tokens, read.within[read.of], len(read.passages))
    loss = (
        loss + 0.5 * _log_loss(by_vector[has], passages[has]) + 0.25 * _log_loss(by_token[has], passages[has])
    )

    judged = torch.tensor([source not in {"pairs", "medquad"} for _, source in questions])
    if judged.any():
        best = (cosine + token).masked_fill(~own, -1e4).max(1).values[judged]
        answerable = sharpness.exp() * (best - threshold)
        loss = loss + 0.5 * nn.functional.binary_cross_entropy_with_logits(answerable, has[judged].float())
    if stay:
        texts = [text for one in documents for text in one.texts]
        passages_before = reader.uncorrected(texts, reader.window)
        asked_before = reader.uncorrected([text for text, _ in questions], 64)
        other = torch.tensor([source == "medquad" for _, source in questions])
        others = torch.tensor([one.source == "medquad" for one in documents for _ in one.texts])
        loss = loss + (_holds(others) * _moved(passages_before, read.passages)).mean()
        loss = loss + (_holds(other) * _moved(asked_before, asked.vectors)).mean()
        if other.any():
            before, after = asked_before[other] @ passages_before.T, asked.vectors[other] @ read.passages.T
            loss = loss + _STAY_RELATIONS * (before - after).square().mean()
    return loss


def _holds(others: Tensor) -> Tensor:
    return torch.where(others, _STAY_OTHERS, _STAY)


def _targets(documents: Sequence[Document], read: Read) -> tuple[list[tuple[str, str]], Tensor, Tensor]:
    """Each question with its source; which sentences answer it; which are of its own document.

    Both tables are of shape (questions, sentences).
    """
    first: dict[int, int] = {}
    for row, passage in enumerate(read.within.tolist()):
        first.setdefault(passage, row)
    questions, right, own, before = [], [], [], 0
    for document in documents:
        inside = (read.within >= before) & (read.within < before + len(document.texts))
        for text, places in document.questions:
            questions.append((text, document.source))
            answers = torch.zeros(len(read.within), dtype=torch.bool)
            answers[[first[before + passage] + sentence for passage, sentence in places]] = True
            right.append(answers)
            own.append(inside)
        before += len(document.texts)
    return questions, torch.stack(right), torch.stack(own)


def _log_loss(scores: Tensor, right: Tensor) -> Tensor:
    """How unlikely the right ones together are among all, by softmax."""
    if not len(scores):
        return scores.sum() * 0
    return (scores.logsumexp(1) - scores.masked_fill(~right, -1e4).logsumexp(1)).mean()


def _moved(before: Tensor, after: Tensor) -> Tensor:
    return 1 - (before * after).sum(1)


def train(reader: Reader, documents: Sequence[Document], steps: int) -> None:
    """Fit what is learned to some documents."""
    learned = [weight for one in reader.corrected.values() for weight in (one.down, one.up)]
    short = [reader.shorten.weight, *reader.weigh.parameters()]
    groups = [
        {"params": learned, "lr": _RATE, "weight_decay": 0.01},
        {"params": short, "lr": _RATE, "weight_decay": 0.0},
        {"params": [reader.scales], "lr": _RATE_SCALES, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / _WARM) * max(0.02, 1 - step / steps)
    )
    batches = _batches(documents)
    for step in tqdm(range(steps)):
        loss = loss_of(reader, next(batches), stay=step % _STAY_EVERY == 0)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([*learned, *short, reader.scales], 1.0)
        optimizer.step()
        schedule.step()


def _batches(documents: Sequence[Document]) -> Iterator[list[Document]]:
    chance = random.Random(_SEED)
    while True:
        # a lesson has twice the questions that one step takes of it
        order = [one for one in documents for _ in range(2 if one.source == "lessons" else 1)]
        others = [one for one in order if one.source == "medquad"]
        spared = {id(one) for one in chance.sample(others, max(0, len(others) - _OTHERS))}
        order = [one for one in order if id(one) not in spared]
        chance.shuffle(order)
        for start in range(0, len(order) - _DOCUMENTS + 1, _DOCUMENTS):
            chosen = order[start : start + _DOCUMENTS]
            yield [replace(one, questions=_some(one.questions, chance)) for one in chosen]


def _some(questions: Sequence[Any], chance: random.Random) -> tuple[Any, ...]:
    return tuple(chance.sample(list(questions), min(_QUESTIONS, len(questions))))


@torch.no_grad()
def measure(reader: Reader, documents: Sequence[Document]) -> dict[str, float]:
    """How often the first, or one of the first three, of a document's sentences answers, and by what."""
    ranks: dict[str, list[int]] = {"cosine": [], "late": [], "both": []}
    for document in documents:
        if not document.questions:
            continue
        read = reader.read([document])
        questions, right, _ = _targets([document], read)
        asked = reader.ask([text for text, _ in questions])
        cosine = reader.scales[0].exp() * asked.vectors @ read.sentences.T
        token = reader.scales[1].exp() * late(asked, read.tokens, read.of, len(read.sentences))
        for name, scores in (("cosine", cosine), ("late", token), ("both", cosine + token)):
            for row in right.any(1).nonzero()[:, 0]:
                ranks[name].append(int((scores[row] > scores[row][right[row]].max()).sum()))
    return {
        f"{name} in the first {top}": round(sum(rank < top for rank in found) / max(1, len(found)), 3)
        for name, found in ranks.items()
        for top in (1, 3)
    }


def write(reader: Reader) -> None:
    """Write fitted.npz."""
    found = {}
    for name, one in reader.corrected.items():
        found[f"{name}.down"] = _half(one.down)
        found[f"{name}.up"] = _half(one.up)
    found["shorten"] = _half(reader.shorten.weight.T)
    found["weigh"] = _half(torch.cat([reader.weigh.weight[0], reader.weigh.bias]))
    np.savez(FITTED_FILE, **found)  # type: ignore[arg-type]


def _half(values: Tensor) -> np.ndarray[Any, np.dtype[np.float16]]:
    return np.asarray(values.detach().numpy(), np.float16)


def main(
    squad_file: Annotated[Path, typer.Option("--squad")],
    medquad_folder: Annotated[Path, typer.Option("--medquad")],
    steps: int = _STEPS,
    judge: bool = False,
) -> None:
    """Fit and write; with --judge leave some articles out, say how they do, and write nothing."""
    torch.manual_seed(_SEED)
    reader = Reader()
    taught = lessons(reader)
    apart = taught[::_HELD_OUT] if judge else []
    documents = [one for one in taught if one not in apart] + pairs() + squad(squad_file, reader, 0)
    documents += medquad(medquad_folder, reader)
    if judge:
        print("before:", measure(reader, apart))
    train(reader, documents, steps)
    if judge:
        print("articles kept apart:", measure(reader, apart))
        print("SQuAD's other articles:", measure(reader, squad(squad_file, reader, 1)[::6]))
    else:
        write(reader)


if __name__ == "__main__":
    typer.run(main)
