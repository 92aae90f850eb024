from typing_extensions import Buffer

from fasttext_lite._core.lookup.vocabulary import Vocabulary

def skip(text: Buffer, at: int, count: int) -> tuple[int, int]: ...
def scan(
    text: memoryview, start: int, stop: int, word_count: int, label_count: int
) -> Vocabulary: ...
