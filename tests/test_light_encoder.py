"""The model in plain numpy gives what torch gives, and torch is loaded only when there is much to embed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from index.encoder import Encoder
from index.lazy_encoder import LazyEncoder
from index.light_encoder import LightEncoder
from tests.conftest import ROOT

LONG = "The psoas bends the hip, and it lies deep in the belly beside the spine. " * 40
TEXTS = [
    "The soleus\nIt lies in the calf. It lifts the heel.",
    "Überblick: naïve “quotes” — a café’s chair.",
    f"The psoas\n{LONG}",
    "x",
]
SPANS = [[(11, 31), (32, 51)], [(0, 9), (10, 42)], [(10, 83), (len(LONG) - 70, len(LONG))], [(0, 1)]]


def test_its_vectors_are_those_of_torch(encoder: Encoder) -> None:
    light = LightEncoder()
    assert (light.identity, light.window) == (encoder.identity, encoder.window)
    assert light.count_tokens(TEXTS) == encoder.count_tokens(TEXTS)
    found = light.encode_passages(TEXTS, SPANS)
    for one, other in zip(found, encoder.encode_passages(TEXTS, SPANS), strict=True):
        assert float(one.vector @ other.vector) > 0.999
        assert float((one.sentences * other.sentences).sum(axis=1).min()) > 0.998
        assert one.counts.tolist() == other.counts.tolist()
        tokens = (one.tokens.astype(float) * other.tokens).sum(axis=1) / 127**2
        assert float(tokens.mean()) > 0.99


def test_a_folder_whose_weights_are_served_is_known_without_loading_it(
    tiny_model: Path, tiny_encoder: Encoder, tmp_path: Path
) -> None:
    program = (
        "import sys; from pathlib import Path; from index.lazy_encoder import LazyEncoder; "
        "from index.generation import Manifest; "
        "lazy = LazyEncoder(sys.argv[1], Manifest.model_validate_json(Path(sys.argv[2]).read_bytes())); "
        "print(lazy.identity.checksum, lazy.window, 'torch' in sys.modules)"
    )
    manifest = tmp_path / "manifest.json"
    identity = tiny_encoder.identity
    manifest.write_text(
        '{"format": 1, "created": "", "fingerprint": "", "counts": {"articles": 0, "passages": 0, '
        f'"comment_passages": 0, "sentences": 0}}, "files": {{}}, "model": "{tiny_model}", '
        f'"model_checksum": "{identity.checksum}", "dimension": {identity.dimension}, '
        f'"window": {tiny_encoder.window}}}'
    )
    command = [sys.executable, "-c", program, str(tiny_model), str(manifest)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [identity.checksum, str(tiny_encoder.window), "False"]


def test_another_model_is_loaded_when_it_is_not_known(tiny_model: Path, tiny_encoder: Encoder) -> None:
    lazy = LazyEncoder(str(tiny_model))
    assert lazy.identity == tiny_encoder.identity
    assert lazy.window == tiny_encoder.window
    [one] = lazy.encode_passages(["A calf."], [[(0, 7)]])
    [other] = tiny_encoder.encode_passages(["A calf."], [[(0, 7)]])
    assert one.vector.tolist() == other.vector.tolist()
