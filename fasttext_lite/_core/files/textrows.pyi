from fasttext_lite._core.files.rowparser import RowParser

class TextRows(RowParser):
    def take(self, data: memoryview, last: bool) -> int: ...
