"""Train a categoriser of spaCy on 24 texts, and ask it about words that no one listed.

pip install 'fasttext-lite[spacy]'
"""

import spacy
from spacy.training import Example

TRAIN = {
    "food": ["bread", "butter", "soup", "meat", "vegetables", "sauce", "cooked rice", "sweet cake"],
    "war": ["army", "battle", "troops", "weapons", "soldiers", "fighting", "air attack", "enemy"],
    "money": ["tax", "bank", "debt", "prices", "income", "dollars", "federal budget", "inflation"],
}
TEST = ["peppery", "uncooked", "meatballs", "warplanes", "taxable", "inflationary"]


def categoriser(static_vectors):
    """Return a pipeline that reads words by hashed norms, and by vectors if asked for."""
    vectors = {"@vectors": "fasttext_lite.Vectors.v1", "path": "sample"}
    nlp = spacy.blank("en", config={"nlp": {"vectors": vectors}})
    embed = {
        "@architectures": "spacy.MultiHashEmbed.v2", "width": 32, "attrs": ["NORM"], "rows": [100],
        "include_static_vectors": static_vectors,
    }  # fmt: skip
    encode = {
        "@architectures": "spacy.MaxoutWindowEncoder.v2", "width": 32, "window_size": 1,
        "maxout_pieces": 2, "depth": 1,
    }  # fmt: skip
    reduce = {f"use_reduce_{how}": how == "mean" for how in ("mean", "max", "first", "last")}
    tok2vec = {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode}
    model = {"@architectures": "spacy.TextCatReduce.v1", "exclusive_classes": True, **reduce}
    nlp.add_pipe("textcat", config={"model": {**model, "tok2vec": tok2vec}})
    return nlp


def train(nlp):
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {one: one == topic for one in TRAIN}})
        for topic, texts in TRAIN.items()
        for text in texts
    ]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(60):
        nlp.update(examples, sgd=optimizer)


print(f"{'word':14}{'without vectors':18}with fastText")
answers = []
for static_vectors in (False, True):
    spacy.util.fix_random_seed(1)
    nlp = categoriser(static_vectors)
    train(nlp)
    answers.append([max(doc.cats.items(), key=lambda item: item[1]) for doc in nlp.pipe(TEST)])
for word, (plain, _), (category, share) in zip(TEST, *answers, strict=True):
    print(f"{word:14}{plain:18}{category} {share:.0%}")
