from fasttext_lite._core.batch cimport Span
from fasttext_lite._core.line cimport LineReader


cdef bint mean_in_order(LineReader reader, Span line, float* out) noexcept nogil
