"""An encoder that loads torch only when there is enough to embed, since loading takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from index.light_encoder import LightEncoder
from index.packaged import PACKAGED, ModelIdentity, folder_checksum

if TYPE_CHECKING:
    from index.encoded import PassageVectors
    from index.encoder import Encoder
    from index.generation import Manifest

# More passages than these are embedded sooner by loading torch: 0.1 s each, and 6 s to load it.
_FEW = 48


class LazyEncoder:
    """Encodes passages with the packaged model or another one.

    Args:
        model: `packaged`, a folder, or a hub name.
        served: What is served: a folder with the same weights need not be loaded to be known.
    """

    def __init__(self, model: str, served: Manifest | None = None) -> None:
        self._model = model
        self._known = served if served and served.model == model else None

    @cached_property
    def identity(self) -> ModelIdentity:
        """What a store must agree on with it."""
        if self._light:
            return self._light.identity
        if self._is_known:
            known = self._served
            return ModelIdentity(self._model, known.model_checksum, known.dimension)
        return self._heavy.identity

    @property
    def window(self) -> int:
        """How many tokens it reads."""
        if self._light:
            return self._light.window
        return self._served.window if self._is_known else self._heavy.window

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the special ones."""
        return (self._light or self._heavy).count_tokens(texts)

    def encode_passages(
        self,
        texts: Sequence[str],
        spans: Sequence[Sequence[tuple[int, int]]],
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> list[PassageVectors]:
        """The vectors of passages, of their sentences and of their tokens."""
        if self._light and len(texts) <= _FEW:
            return self._light.encode_passages(texts, spans, progress=progress)
        return self._heavy.encode_passages(texts, spans, progress=progress)

    @cached_property
    def _light(self) -> LightEncoder | None:
        return LightEncoder() if self._model == PACKAGED else None

    @cached_property
    def _heavy(self) -> Encoder:
        from index.encoder import Encoder  # noqa: PLC0415 (loads torch)

        return Encoder(self._model)

    @property
    def _served(self) -> Manifest:
        assert self._known is not None
        return self._known

    @cached_property
    def _is_known(self) -> bool:
        return self._known is not None and folder_checksum(Path(self._model)) == self._known.model_checksum
