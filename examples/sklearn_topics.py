"""Classify texts that share no word with the training texts: scikit-learn on fastText vectors.

pip install 'fasttext-lite[sklearn]'
"""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from fasttext_lite.integrations.sklearn import FastTextVectorizer

TRAIN = {
    "food": ["bread with butter", "soup of beans", "a sweet cake", "roasted meat", "fresh cheese"],
    "war": ["the army attacked", "a naval battle", "troops and weapons", "soldiers", "an enemy"],
    "money": ["the bank", "a tax on income", "prices rose", "paid the debt", "a federal budget"],
}
TEST = {
    "food": ["beef stew", "vegetables and rice", "cooked potatoes", "a peppery sauce"],
    "war": ["bombing", "the military invaded", "missiles and tanks", "defeated in combat"],
    "money": ["spending and revenues", "dollars", "cheaper loans", "economic inflation"],
}


def flat(topics):
    pairs = [(text, topic) for topic, texts in topics.items() for text in texts]
    return [text for text, _ in pairs], [topic for _, topic in pairs]


texts, topics = flat(TRAIN)
unseen, truth = flat(TEST)
features = {
    "TF-IDF": TfidfVectorizer(),
    "fastText": FastTextVectorizer("sample"),
    "fastText, SIF": FastTextVectorizer("sample", weighting="sif", components=1),
}
answers = {}
for name, vectorizer in features.items():
    machine = make_pipeline(vectorizer, LinearSVC(random_state=0)).fit(texts, topics)
    answers[name] = machine.predict(unseen)
    print(f"{name:14} {machine.score(unseen, truth):.0%} right")

print(f"\n{'text':24}{'TF-IDF':10}{'fastText':10}")
for text, tfidf, vector in zip(unseen, answers["TF-IDF"], answers["fastText"], strict=True):
    print(f"{text:24}{tfidf:10}{vector:10}")
