"""Fits the model of model.py to the training messages.

    python -m assistant.safety.fit               the word model, how the two are mixed, and the thresholds
    python -m assistant.safety.fit --sentences   before that, the sentence model's corrections (half an hour)
    python -m assistant.safety.fit --onward FILE before that, the corrections go on with the messages of
                                                 one file and twice as many others (minutes)

All are seeded. One message in four is never shown to the sentence model: opinions on messages that it had
not seen decide the mix and the thresholds.
"""

from __future__ import annotations

import argparse
import json
import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression
from torch import nn
from tqdm import tqdm
from transformers import AutoModel

from assistant.safety.model import BUCKETS, HERE, LEVELS, features, joined, risen
from assistant.safety.rules import LEVELS as ALL_LEVELS
from assistant.safety.rules import Rules
from assistant.safety.sentence_model import (
    ADAPTED,
    LAYERS,
    RANK,
    WIDTH,
    Floats,
    Tokenizer,
)
from index.packaged import packaged_folder

SEED = 20
HELD_OUT = 4  # one message in so many decides the mix and the thresholds
EPOCHS = 4
BATCH = 24
LEARNING_RATE = 2.5e-3
HEAD_LEARNING_RATE = 3e-3
# Going on with new messages: so much slower, and with so many earlier ones for each new one.
ONWARD_RATE = 0.3
ONWARD_EPOCHS = 2
ONWARD_OTHERS = 2
TRAINING_TOKENS = 112
# The share of not urgent messages that may lead with a notice on the model's word alone, and the shares of
# same_day and emergency_now messages that it should call at least so; measured on held-out training messages.
FALSE_LEADS = 0.015
CALLED = {"same_day": 0.97, "emergency_now": 0.96}


class Message(BaseModel):
    """One row of the training data; `note` is for its reviewers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    level: Literal["none", "safety_net", "soon", "same_day", "emergency_now"]
    category: str
    text: str
    history: tuple[str, ...] = ()
    note: str = ""

    @property
    def turns(self) -> tuple[str, ...]:
        """The conversation, oldest first."""
        return (*self.history, self.text)

    @property
    def held_out(self) -> bool:
        """Whether it is one of those that decide the mix and the thresholds."""
        return zlib.crc32(self.text.encode()) % HELD_OUT == 0

    def at_least(self) -> list[bool]:
        """Whether it is at least each of LEVELS."""
        rank = -1 if self.level == "none" else ALL_LEVELS.index(self.level)
        return [rank >= ALL_LEVELS.index(level) for level in LEVELS]


def messages(folder: Path = HERE, pattern: str = "messages*.jsonl") -> list[Message]:
    """The training messages of the files that fit the pattern, in the order of the files."""
    files = sorted(folder.glob(pattern))
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    return [Message.model_validate_json(line) for line in lines]


# -------------------------------------------------------------------------------------- words, mix,
# thresholds


def beside_chatter(rows: Sequence[Message]) -> list[Message]:
    """Each message with something calm said before it or after it, labelled as before."""
    chance = random.Random(SEED)
    chatter = calm_texts(rows)
    beside = []
    for row in rows:
        other = chance.choice(chatter)
        text = f"{other} {row.text}" if chance.random() < 0.5 else f"{row.text} {other}"
        beside.append(row.model_copy(update={"text": text}))
    return beside


def word_features(rows: Sequence[Message]) -> csr_matrix:
    """Shape (rows, BUCKETS)."""
    rules = Rules()
    built = []
    for row in rows:
        findings = [f for number, turn in enumerate(row.turns) for f in rules.signs.find(turn, number)]
        built.append(features(joined(row.turns), findings, rules.conclude(findings)))
    columns = [bucket for one in built for bucket in one]
    values = [value for one in built for value in one.values()]
    starts = np.cumsum([0] + [len(one) for one in built])
    return csr_matrix((values, columns, starts), shape=(len(rows), BUCKETS), dtype=np.float64)


def fit_words(found: csr_matrix, wanted: np.ndarray) -> Floats:
    """Weights (3, BUCKETS + 1), the bias last, of one logistic regression for each level."""
    weights = []
    for column in wanted.T:
        fitted = LogisticRegression(C=0.5, class_weight="balanced", max_iter=2000, tol=1e-6).fit(
            found, column
        )
        weights.append(np.append(fitted.coef_[0], fitted.intercept_[0]))
    return np.array(weights, np.float32)


def fit_mix(by_words: Floats, by_sentences: Floats, wanted: np.ndarray) -> Floats:
    """For each level the weight of the word logit, of the sentence logit, and the bias: shape (3, 3)."""
    mix = []
    for level, column in enumerate(wanted.T):
        both = np.column_stack([by_words[:, level], by_sentences[:, level]])
        fitted = LogisticRegression(C=1.0, max_iter=1000).fit(both, column)
        mix.append([*fitted.coef_[0], fitted.intercept_[0]])
    return np.array(mix, np.float32)


def choose_thresholds(chances: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Probabilities from which the model raises a decision to each level.

    Args:
        chances: Held-out probabilities (rows, 3).
        wanted: What the rows are labelled (rows, 3).
    """
    calm = np.sort(chances[~wanted[:, 0], 0])
    first = calm[int(np.ceil((1 - FALSE_LEADS) * len(calm))) - 1]
    rest = [np.quantile(chances[wanted[:, level], level], 1 - CALLED[LEVELS[level]]) for level in (1, 2)]
    return np.array([first, *rest])


def fit(rows: Sequence[Message], adapter: dict[str, Any]) -> dict[str, np.ndarray]:
    """The content of weights.npz.

    Args:
        rows: The training messages that the adapter was fitted to.
        adapter: adapter.npz; its `held_out` are the sentence model's logits on messages it had not seen.

    Raises:
        ValueError: The adapter was fitted to other messages.
    """
    if str(adapter["fitted_to"]) != digest(rows):
        raise ValueError("The training messages have changed: run this with --sentences.")
    wanted = np.array([row.at_least() for row in rows])
    held_out = np.array([row.held_out for row in rows])
    found, beside = word_features(rows), word_features(beside_chatter(rows))
    seen = vstack([found[~held_out], beside[~held_out]])
    weights = fit_words(seen, np.concatenate([wanted[~held_out]] * 2))
    by_words = found[held_out] @ weights[:, :-1].T + weights[:, -1]
    by_sentences = adapter["held_out"].astype(np.float32)
    mix = fit_mix(by_words, by_sentences, wanted[held_out])
    logits = mix[:, 0] * by_words + mix[:, 1] * by_sentences + mix[:, 2]
    thresholds = choose_thresholds(risen(1 / (1 + np.exp(-logits))), wanted[held_out])
    words = fit_words(vstack([found, beside]), np.concatenate([wanted] * 2))
    return {"words": words.astype(np.float16), "mix": mix, "thresholds": thresholds}


def calm_texts(rows: Sequence[Message]) -> list[str]:
    """Short messages that need no notice, to stand beside others in training."""
    return [joined([row.text]) for row in rows if row.level == "none" and len(row.text) < 120]


def digest(rows: Sequence[Message]) -> str:
    """Changes when what is fitted to changes."""
    text = json.dumps([[row.level, row.category, *row.turns] for row in rows])
    return f"{zlib.crc32(text.encode()):08x}"


# ------------------------------------------------------------------------------------ the sentence model's
# part


class Corrected(nn.Module):
    """A frozen linear layer with a trainable correction B @ A of low rank."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        self.a = nn.Parameter(torch.randn(RANK, layer.in_features) / layer.in_features**0.5)
        self.b = nn.Parameter(torch.zeros(layer.out_features, RANK))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """The layer and its correction."""
        result: torch.Tensor = self.layer(rows) + rows @ self.a.T @ self.b.T
        return result


@dataclass
class Trainee:
    """The sentence model in training: its corrections by the names of the matrices, and its two heads."""

    encoder: nn.Module
    corrections: dict[str, Corrected]
    levels: nn.Linear
    categories: nn.Linear
    tokenizer: Tokenizer

    def read(self, texts: Sequence[str]) -> torch.Tensor:
        """Vectors (texts, WIDTH)."""
        ids = [self.tokenizer.ids(text)[:TRAINING_TOKENS] for text in texts]
        tokens = torch.zeros(len(ids), max(map(len, ids)), dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for row, one in enumerate(ids):
            tokens[row, : len(one)] = torch.tensor(one)
            mask[row, : len(one)] = 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self.encoder(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
        kept = mask[..., None].float()
        vectors: torch.Tensor = (hidden * kept).sum(1) / kept.sum(1)
        return vectors

    def parameters(self) -> list[nn.Parameter]:
        """The trainable ones of the corrections."""
        return [one for layer in self.corrections.values() for one in (layer.a, layer.b)]


def new_trainee(categories: int) -> Trainee:
    """The packaged model with empty corrections."""
    torch.manual_seed(SEED)
    encoder = AutoModel.from_pretrained(packaged_folder())
    encoder.encoder.layer = encoder.encoder.layer[:LAYERS]
    encoder.requires_grad_(False)
    corrections = {}
    for number, layer in enumerate(encoder.encoder.layer):
        for part in ADAPTED:
            *path, last = part.split(".")
            parent = layer.get_submodule(".".join(path))
            corrected = Corrected(getattr(parent, last))
            setattr(parent, last, corrected)
            corrections[f"encoder.layer.{number}.{part}"] = corrected
    return Trainee(encoder, corrections, nn.Linear(WIDTH, 3), nn.Linear(WIDTH, categories), Tokenizer())


def train(
    rows: Sequence[Message],
    names: Sequence[str],
    epochs: int = EPOCHS,
    *,
    start: Mapping[str, Any] | None = None,
) -> Trainee:
    """Fit the corrections and heads to messages.

    Args:
        rows: The messages.
        names: The categories, with "none".
        epochs: How often each message is seen.
        start: An adapter to go on from, more slowly; None begins with empty corrections.
    """
    trainee = new_trainee(len(names))
    rate = 1.0
    if start is not None:
        rate = ONWARD_RATE
        resume(trainee, start, names)
    chance = random.Random(SEED)
    chatter = calm_texts(rows)
    heads = [*trainee.levels.parameters(), *trainee.categories.parameters()]
    groups: list[dict[str, Any]] = [
        {"params": trainee.parameters(), "lr": rate * LEARNING_RATE},
        {"params": heads, "lr": rate * HEAD_LEARNING_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = epochs * (len(rows) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _warm_up_and_down(steps))
    everything = [*trainee.parameters(), *heads]
    trainee.encoder.train()
    for epoch in range(epochs):
        for batch in tqdm(_batches(rows, chance), desc=f"epoch {epoch + 1} of {epochs}"):
            loss = _loss(trainee, batch, names, chance, chatter)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(everything, 1.0)
            optimizer.step()
            schedule.step()
    trainee.encoder.eval()
    return trainee


def resume(trainee: Trainee, adapter: Mapping[str, Any], names: Sequence[str]) -> None:
    """Give a new trainee the corrections and heads of an adapter that was fitted to the same categories.

    Raises:
        ValueError: It was fitted to others.
    """
    real = [place for place, name in enumerate(names) if name != "none"]
    if [names[place] for place in real] != [str(name) for name in adapter["categories"]]:
        raise ValueError("The categories have changed: run this with --sentences.")
    with torch.no_grad():
        for name, layer in trainee.corrections.items():
            layer.a.copy_(_tensor(adapter[f"{name}.A"]))
            layer.b.copy_(_tensor(adapter[f"{name}.B"]))
        for head, places, key in (
            (trainee.levels, list(range(len(LEVELS))), "levels"),
            (trainee.categories, real, "category_weights"),
        ):
            head.weight[places] = _tensor(adapter[key])[:, :-1]
            head.bias[places] = _tensor(adapter[key])[:, -1]


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32))


def _warm_up_and_down(steps: int) -> Callable[[int], float]:
    return lambda step: min(1.0, (step + 1) / 60) * max(0.02, 1 - step / steps)


def _batches(rows: Sequence[Message], chance: random.Random) -> list[list[Message]]:
    """Rows of like length together, so that little is padded; the batches in any order."""
    by_length = sorted(rows, key=lambda row: len(joined(row.turns)) + 60 * chance.random())
    batches = [by_length[start : start + BATCH] for start in range(0, len(by_length), BATCH)]
    chance.shuffle(batches)
    return batches


def _loss(
    trainee: Trainee,
    batch: Sequence[Message],
    names: Sequence[str],
    chance: random.Random,
    chatter: Sequence[str],
) -> torch.Tensor:
    vectors = trainee.read([as_people_write(joined(row.turns), chance, chatter) for row in batch])
    levels = torch.tensor([row.at_least() for row in batch]).float()
    by_level = nn.functional.binary_cross_entropy_with_logits(trainee.levels(vectors), levels)
    told = [place for place, row in enumerate(batch) if row.category != "none"]
    if not told:
        return by_level
    categories = torch.tensor([names.index(batch[place].category) for place in told])
    by_category = nn.functional.cross_entropy(trainee.categories(vectors[told]), categories)
    return by_level + 0.5 * by_category


def as_people_write(text: str, chance: random.Random, chatter: Sequence[str]) -> str:
    """The text, half of the time with something calm before or after it or both; at times badly typed."""
    draw = chance.random()
    if draw < 0.35:
        text = f"{chance.choice(chatter)} {text}"
    if 0.2 < draw < 0.5:
        text = f"{text} {chance.choice(chatter)}"
    return carelessly_typed(text, chance)


def carelessly_typed(text: str, chance: random.Random) -> str:
    """One text in ten without punctuation, and one in ten with slips of the finger."""
    draw = chance.random()
    if draw < 0.1:
        return text.replace("'", "").replace(",", "").replace(".", " ")
    if draw < 0.9:
        return text
    words = text.split()
    for _ in range(1 + len(words) // 12):
        place = chance.randrange(len(words))
        word = words[place]
        if len(word) > 4:
            at = chance.randrange(1, len(word) - 1)
            swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            words[place] = swapped if chance.random() < 0.5 else word[:at] + word[at + 1 :]
    return " ".join(words)


def level_logits(trainee: Trainee, rows: Sequence[Message]) -> Floats:
    """The sentence model's logits (rows, 3)."""
    with torch.no_grad():
        parts = [
            trainee.levels(trainee.read([joined(row.turns) for row in rows[start : start + BATCH]])).numpy()
            for start in range(0, len(rows), BATCH)
        ]
    result: Floats = np.concatenate(parts)
    return result


def fit_sentences(
    rows: Sequence[Message], new: frozenset[str] = frozenset(), start: Mapping[str, Any] | None = None
) -> dict[str, np.ndarray]:
    """The content of adapter.npz: fitted to rows that are not held out; its logits on those that are.

    Args:
        rows: All training messages.
        new: The ids of those to go on with, when there is a start.
        start: The adapter to go on from; None fits to all anew.
    """
    names = sorted({row.category for row in rows})
    seen = [row for row in rows if not row.held_out]
    if start is None:
        trained = train(seen, names)
    else:
        added = [row for row in seen if row.id in new]
        others = [row for row in seen if row.id not in new]
        some = random.Random(SEED).sample(others, min(len(others), ONWARD_OTHERS * len(added)))
        trained = train([*added, *some], names, ONWARD_EPOCHS, start=start)
    held_out = level_logits(trained, [row for row in rows if row.held_out])
    return packed(trained, names) | {"held_out": held_out, "fitted_to": np.array(digest(rows))}


def packed(trainee: Trainee, names: Sequence[str]) -> dict[str, np.ndarray]:
    """A trained model's corrections and heads as arrays; `none` is no category to choose."""
    arrays = {}
    for name, layer in trainee.corrections.items():
        arrays[f"{name}.A"] = layer.a.detach().numpy().astype(np.float16)
        arrays[f"{name}.B"] = layer.b.detach().numpy().astype(np.float16)
    kept = [place for place, name in enumerate(names) if name != "none"]
    arrays["levels"] = _with_bias(trainee.levels)
    arrays["category_weights"] = _with_bias(trainee.categories)[kept]
    arrays["categories"] = np.array([names[place] for place in kept])
    return arrays


def _with_bias(layer: nn.Linear) -> np.ndarray:
    both = np.column_stack([layer.weight.detach().numpy(), layer.bias.detach().numpy()])
    return both.astype(np.float16)


def main() -> None:
    """Fit and write the weights beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sentences", action="store_true", help="fit the sentence model's corrections first")
    parser.add_argument("--onward", metavar="FILE", help="go on with the messages of this file first")
    rows = messages()
    options = parser.parse_args()
    if options.sentences:
        _write("adapter.npz", fit_sentences(rows))
    elif options.onward:
        new = frozenset(row.id for row in messages(pattern=options.onward))
        with np.load(HERE / "adapter.npz") as adapter:
            start = dict(adapter)
        _write("adapter.npz", fit_sentences(rows, new, start))
    with np.load(HERE / "adapter.npz") as adapter:
        weights = fit(rows, dict(adapter))
    _write("weights.npz", weights)


def _write(name: str, arrays: Mapping[str, np.ndarray]) -> None:
    # numpy's annotation takes every keyword for its own flag.
    np.savez_compressed(HERE / name, **arrays)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
