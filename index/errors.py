"""What can be wrong with an index. Every message says what to do next, so it can be shown as it is.

UnusableError
├── ModelError            the embedding model is missing, altered or not loadable
├── FilterError           articles cannot be chosen in this way
├── GenerationError       a generation's folder is incomplete, altered or of another format
└── StoreError            the store cannot do what was asked
├── NoStoreError          nothing is indexed in this folder yet
└── ModelMismatchError    it was built with another embedding model
"""


class UnusableError(Exception):
    """Base of all errors that a person, not a program, must put right."""


class ModelError(UnusableError):
    """The embedding model is missing, altered, or not loadable."""


class FilterError(UnusableError):
    """Articles cannot be chosen in this way."""


class GenerationError(UnusableError):
    """A generation's folder is incomplete, altered or of another format."""


class StoreError(UnusableError):
    """The store cannot do what was asked."""


class NoStoreError(StoreError):
    """There is nothing indexed in this folder yet."""


class ModelMismatchError(StoreError):
    """The store was built with another embedding model than the one that would search it."""
