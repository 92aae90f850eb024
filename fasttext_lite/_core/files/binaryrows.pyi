from fasttext_lite._core.files.rowparser import RowParser

class BinaryRows(RowParser):
    def take(self, data: memoryview, last: bool) -> int: ...
