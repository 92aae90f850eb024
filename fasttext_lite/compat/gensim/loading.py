"""Opening keyed vectors from a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fasttext_lite.compat.gensim.files import open_model
from fasttext_lite.compat.gensim.identity import Emulated, deprecated
from fasttext_lite.compat.gensim.keyed_vectors import FastTextKeyedVectors, KeyedVectors
from fasttext_lite.errors import InputValueError, UnsupportedError
from fasttext_lite.loading import load
from fasttext_lite.model import Model

if TYPE_CHECKING:
    from typing import BinaryIO

    import numpy as np
    from numpy.typing import NDArray

    from fasttext_lite.arguments import PathType

__all__ = ["FastText", "load_facebook_model", "load_facebook_vectors", "to_gensim"]

_TRAINING = ("build_vocab", "estimate_memory", "load_binary_data", "score", "train")


class FastText(Emulated):
    """A fastText model under the names of gensim: its vectors and training parameters.

    Attributes
    ----------
    wv : FastTextKeyedVectors
    vector_size, window, epochs, negative, hs, sg, min_count : int
    sample : float
    corpus_total_words : int
        Number of tokens in the training text.
    """

    _module = "gensim.models.fasttext"
    _name = "FastText"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise UnsupportedError(
            "FastText trains a model in gensim, and models are only read here: use "
            "load_facebook_model"
        )

    @classmethod
    def _of(cls, model: Model, encoding: str = "utf-8") -> FastText:
        made = cls.__new__(cls)
        made._open(model, encoding)
        return made

    def _open(self, model: Model, encoding: str) -> None:
        self._model = model
        self._encoding = encoding
        self.wv = FastTextKeyedVectors(model, encoding)
        parameters = model.info.parameters
        self.vector_size = parameters.dim
        self.window = parameters.ws
        self.epochs = parameters.epoch
        self.negative = parameters.neg
        self.hs = int(parameters.loss == "hs")
        self.sg = int(parameters.model == "skip-gram")
        self.min_count = parameters.min_count
        self.sample = parameters.t
        self.corpus_total_words = model.info.token_count

    def __reduce__(self) -> tuple[Any, ...]:
        return FastText._of, (self._model, self._encoding)

    @classmethod
    def load(cls, fname: PathType, mmap: str | None = None) -> FastText:
        """Open a model: see `KeyedVectors.load`."""
        return cls._of(open_model(fname))

    @classmethod
    def load_fasttext_format(cls, model_file: PathType, encoding: str = "utf8") -> FastText:
        """Open a model: the name of `load_facebook_model` in gensim 3."""
        deprecated("load_fasttext_format", "load_facebook_model or load_facebook_vectors")
        return cls._of(open_model(model_file), encoding)

    def save(self, fname: PathType, *args: Any, **kwargs: Any) -> None:
        """Write the parameters and vectors as one compact file: see `KeyedVectors.save`.

        The output layer, which only training needs, is left out.
        """
        self.wv.save(fname)

    def init_sims(self, replace: bool = False) -> None:
        """Compute the norms of the vectors: a name of gensim 3, see `KeyedVectors.init_sims`."""
        self.wv.init_sims(replace)

    def __getattr__(self, name: str) -> Any:
        if name in _TRAINING:
            raise UnsupportedError(f"FastText has no {name} here: models are read-only")
        if hasattr(FastTextKeyedVectors, name) and not name.startswith("_"):
            raise UnsupportedError(f"FastText has no {name}: gensim 4 moved it to wv.{name}")
        raise AttributeError(f"'FastText' object has no attribute {name!r}")

    def __str__(self) -> str:
        return f"FastText<vocab={len(self.wv)}, vector_size={self.vector_size}>"

    @property
    def syn1(self) -> NDArray[np.float32]:
        """The output layer of a model with hierarchical softmax, a view of the file."""
        return self._output("hs", self.hs)

    @property
    def syn1neg(self) -> NDArray[np.float32]:
        """The output layer of a model with negative sampling, a view of the file."""
        return self._output("negative", self.negative)

    def _output(self, name: str, used: int) -> NDArray[np.float32]:
        if not used:
            raise UnsupportedError(f"the model was trained without {name}")
        return self._model.output_matrix


def load_facebook_model(path: PathType | BinaryIO, encoding: str = "utf-8") -> FastText:
    """Open a fastText model; its vectors are ``.wv``. See `load_facebook_vectors`."""
    return FastText._of(open_model(path), encoding)


def load_facebook_vectors(
    path: PathType | BinaryIO, encoding: str = "utf-8"
) -> FastTextKeyedVectors:
    """Open the vectors of a fastText model.

    Parameters
    ----------
    path : path or file object
        Any file that `fasttext_lite.load` opens, except supervised models.
    encoding : str
        The encoding of the words in the file.

    Returns
    -------
    FastTextKeyedVectors

    Raises
    ------
    FileError, FormatError
        The file cannot be read.
    UnsupportedError
        The model is supervised.
    UnknownEncodingError
        Python does not know the encoding.

    Examples
    --------
    >>> from fasttext_lite import SAMPLE
    >>> vectors = load_facebook_vectors(SAMPLE)
    >>> "musicianship" in vectors, "musicianship" in vectors.key_to_index
    (True, False)
    >>> [word for word, score in vectors.most_similar("musicianship", topn=1)]
    ['musician']
    """
    return FastTextKeyedVectors(open_model(path), encoding)


def to_gensim(model: Model | PathType | BinaryIO, encoding: str = "utf-8") -> Any:
    """Return the vectors of a model as an object of gensim itself, in memory.

    Parameters
    ----------
    model : Model, path or file object
        A model, or any file that `fasttext_lite.load` opens, supervised or not.
    encoding : str
        The encoding of the words in the file.

    Returns
    -------
    gensim.models.fasttext.FastTextKeyedVectors or gensim.models.KeyedVectors
        The former with the rows of words and n-grams, so that gensim can compute the vectors of
        unknown words; the latter if the model has no n-grams.

    Raises
    ------
    MissingExtraError
        gensim is not installed: ``pip install 'fasttext-lite[gensim]'``.
    FileError, FormatError
        The file cannot be read.
    InputValueError
        The model has no words.
    UnknownEncodingError
        Python does not know the encoding.
    """
    opened = model if isinstance(model, Model) else load(model)
    if len(opened) == 0:
        raise InputValueError(
            f"{opened.info.path}: this model has no words, and gensim cannot hold n-grams alone"
        )
    vectors = FastTextKeyedVectors(opened, encoding)
    return (vectors if vectors.bucket else KeyedVectors._of_model(opened, encoding)).to_gensim()
