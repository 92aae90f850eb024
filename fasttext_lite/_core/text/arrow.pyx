"""Arrays of strings of other libraries, read through the Arrow C data interface."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t, uint8_t

from fasttext_lite.errors import InputTypeError, InputValueError

cdef enum:
    # A view holds a string of up to this many bytes itself.
    INLINE = 12

cdef dict LAYOUTS = {
    b"u": OFFSETS_32,
    b"z": OFFSETS_32,
    b"U": OFFSETS_64,
    b"Z": OFFSETS_64,
    b"vu": VIEWS,
    b"vz": VIEWS,
}


cdef class ArrowText:
    """An array of strings, which is released with this object."""

    def __dealloc__(self):
        if self.array.release != NULL:
            self.array.release(&self.array)

    def __len__(self):
        return self.size

    cdef void check(self, Py_ssize_t before, str noun) except *:
        """Raise if there are nulls; `before` is the number of items in all previous arrays."""
        cdef const uint8_t* valid = <const uint8_t*>self.array.buffers[0]
        cdef Py_ssize_t i
        cdef int64_t at
        self.size = <Py_ssize_t>self.array.length
        if self.array.null_count == 0 or valid == NULL:
            return
        for i in range(self.size):
            at = self.array.offset + i
            if not (valid[at >> 3] >> (at & 7)) & 1:
                raise InputValueError(
                    f"{noun}s[{before + i}] is null: drop the nulls, or fill them with a {noun}"
                )

    cdef const uint8_t* item(self, Py_ssize_t i, size_t* length) noexcept nogil:
        """Return the bytes of a string."""
        cdef int64_t at = self.array.offset + i
        cdef const void* first = self.array.buffers[1]
        cdef const int32_t* view
        cdef int64_t start
        if self.layout == VIEWS:
            view = <const int32_t*>first + 4 * at
            length[0] = <size_t>view[0]
            if view[0] <= INLINE:
                return <const uint8_t*>(view + 1)
            return <const uint8_t*>self.array.buffers[2 + view[2]] + view[3]
        if self.layout == OFFSETS_32:
            start = (<const int32_t*>first)[at]
            length[0] = <size_t>((<const int32_t*>first)[at + 1] - start)
        else:
            start = (<const int64_t*>first)[at]
            length[0] = <size_t>((<const int64_t*>first)[at + 1] - start)
        return <const uint8_t*>self.array.buffers[2] + start


cdef Layout _layout(const ArrowSchema* schema, str noun) except *:
    if schema.dictionary != NULL:
        raise InputTypeError(
            f"expected an Arrow array of strings, not a dictionary-encoded one: decode the {noun}s "
            "first (in pyarrow: array.dictionary_decode())"
        )
    layout = LAYOUTS.get(schema.format)
    if layout is None:
        raise InputTypeError(
            f"expected an Arrow array of strings, not of format {schema.format.decode()!r}"
        )
    return layout


cdef object _export(object words):
    """Return the capsules of an object, or None if it cannot export its items.

    pandas needs pyarrow for that, which then refuses columns of several types.
    """
    try:
        if hasattr(words, "__arrow_c_array__"):
            return words.__arrow_c_array__()
        return words.__arrow_c_stream__()
    except (ImportError, NotImplementedError, TypeError, ValueError):
        return None


cdef list collect(object words, str noun):
    """Return the arrays of an object with ``__arrow_c_array__`` or ``__arrow_c_stream__``.

    None means that the object cannot export its items, see `_export`.

    Raises
    ------
    InputTypeError
        The arrays do not hold strings, or are dictionary-encoded.
    InputValueError
        An item is null, or the stream fails.
    """
    cdef ArrowText text
    cdef ArrowArray* moved
    cdef ArrowArrayStream* stream
    cdef ArrowSchema schema
    cdef Layout layout
    cdef Py_ssize_t before = 0
    exported = _export(words)
    if exported is None:
        return None
    if hasattr(words, "__arrow_c_array__"):
        capsules = exported
        text = ArrowText()
        text.layout = _layout(
            <const ArrowSchema*>PyCapsule_GetPointer(capsules[0], "arrow_schema"), noun
        )
        moved = <ArrowArray*>PyCapsule_GetPointer(capsules[1], "arrow_array")
        text.array = moved[0]
        moved.release = NULL
        text.check(0, noun)
        return [text]
    stream = <ArrowArrayStream*>PyCapsule_GetPointer(exported, "arrow_array_stream")
    _raise_failure(stream, stream.get_schema(stream, &schema), noun)
    try:
        layout = _layout(&schema, noun)
    finally:
        schema.release(&schema)
    found = []
    while True:
        text = ArrowText()
        text.layout = layout
        _raise_failure(stream, stream.get_next(stream, &text.array), noun)
        if text.array.release == NULL:
            return found
        text.check(before, noun)
        before += text.size
        found.append(text)


cdef void _raise_failure(ArrowArrayStream* stream, int code, str noun) except *:
    cdef const char* reason
    if code:
        reason = stream.get_last_error(stream)
        raise InputValueError(
            f"the stream of {noun}s failed: "
            f"{reason.decode('utf-8', 'replace') if reason != NULL else f'error {code}'}"
        )
