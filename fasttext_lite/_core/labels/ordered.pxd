from fasttext_lite._core.text.batch cimport Span
from fasttext_lite._core.labels.line cimport LineReader


cdef bint mean_in_order(LineReader reader, Span line, float* out) noexcept nogil
