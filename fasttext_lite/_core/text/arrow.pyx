"""Arrays of strings of other libraries, read through the Arrow C data interface."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.math cimport isnan
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t

from fasttext_lite.errors import InputTypeError, InputValueError
from fasttext_lite.texts import advice

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
    b"n": NOTHING,
}
# Layouts of arrays that may hold missing items only: numbers, dates and times.
cdef dict OTHERS = {b"f": FLOATS_32, b"g": FLOATS_64}


cdef class ArrowText:
    """An array of strings, which is released with this object."""

    def __dealloc__(self):
        if self.array.release != NULL:
            self.array.release(&self.array)

    def __len__(self):
        return self.size

    cdef void check(self, Py_ssize_t before, str noun, bint skips) except *:
        """Look for missing items; `before` is the number of items in all previous arrays."""
        cdef Py_ssize_t i
        if self.array.release == NULL:
            raise InputValueError(f"the Arrow array of {noun}s was consumed before")
        self.size = <Py_ssize_t>self.array.length
        self.values = &self.array if self.index == 0 else self.array.dictionary
        if self.index == 0 and self.layout <= VIEWS and (
            self.array.null_count == 0 or self.array.buffers[0] == NULL
        ):
            return
        for i in range(self.size):
            if self.index and _is_valid(&self.array, self.array.offset + i) and not (
                0 <= self._place(i) - self.values.offset < self.values.length
            ):
                raise InputValueError(f"{noun}s[{before + i}] is not in the Arrow dictionary")
            if self.is_missing(i):
                self.gaps = True
                if not skips:
                    raise InputValueError(f"{noun}s[{before + i}] is null: {advice(noun)}")
            elif self.layout > VIEWS:
                raise InputTypeError(f"{noun}s[{before + i}]: {_unsuitable(self.format, noun, skips)}")

    cdef int64_t _place(self, Py_ssize_t i) noexcept nogil:
        """Return where the values hold an item that is not null itself."""
        cdef int64_t at = self.array.offset + i
        cdef const void* ids
        if self.index == 0:
            return at
        ids = self.array.buffers[1]
        if self.index == c"c":
            at = (<const int8_t*>ids)[at]
        elif self.index == c"C":
            at = (<const uint8_t*>ids)[at]
        elif self.index == c"s":
            at = (<const int16_t*>ids)[at]
        elif self.index == c"S":
            at = (<const uint16_t*>ids)[at]
        elif self.index == c"i":
            at = (<const int32_t*>ids)[at]
        elif self.index == c"I":
            at = (<const uint32_t*>ids)[at]
        else:
            at = (<const int64_t*>ids)[at]
        return self.values.offset + at

    cdef bint is_missing(self, Py_ssize_t i) noexcept nogil:
        """Return whether an item is null or NaN."""
        cdef int64_t at
        if self.index and not _is_valid(&self.array, self.array.offset + i):
            return True
        if self.layout == NOTHING:
            return True
        at = self._place(i)
        if not _is_valid(self.values, at):
            return True
        if self.layout == FLOATS_32:
            return isnan((<const float*>self.values.buffers[1])[at])
        return self.layout == FLOATS_64 and isnan((<const double*>self.values.buffers[1])[at])

    cdef const uint8_t* item(self, Py_ssize_t i, size_t* length) noexcept nogil:
        """Return the bytes of a string."""
        cdef int64_t at = self._place(i)
        cdef const void* first = self.values.buffers[1]
        cdef const int32_t* view
        cdef int64_t start
        if self.layout == VIEWS:
            view = <const int32_t*>first + 4 * at
            length[0] = <size_t>view[0]
            if view[0] <= INLINE:
                return <const uint8_t*>(view + 1)
            return <const uint8_t*>self.values.buffers[2 + view[2]] + view[3]
        if self.layout == OFFSETS_32:
            start = (<const int32_t*>first)[at]
            length[0] = <size_t>((<const int32_t*>first)[at + 1] - start)
        else:
            start = (<const int64_t*>first)[at]
            length[0] = <size_t>((<const int64_t*>first)[at + 1] - start)
        return <const uint8_t*>self.values.buffers[2] + start


cdef inline bint _is_valid(const ArrowArray* array, int64_t at) noexcept nogil:
    cdef const uint8_t* valid = <const uint8_t*>array.buffers[0]
    return valid == NULL or (valid[at >> 3] >> (at & 7)) & 1


cdef str _unsuitable(bytes format, str noun, bint skips):
    found = f"expected an Arrow array of strings, not of format {format.decode()!r}"
    if noun == "text" and not skips:
        found += "; if all its items are missing, pass missing='empty'"
    return found


cdef ArrowText _empty(const ArrowSchema* schema, str noun, bint skips):
    """Return an object for an array with this schema."""
    cdef ArrowText text = ArrowText()
    cdef bytes format
    if schema.release == NULL:
        raise InputValueError(f"the Arrow type of the {noun}s was consumed before")
    if schema.dictionary != NULL:
        text.index = schema.format[0]
        schema = schema.dictionary
    format = schema.format
    layout = LAYOUTS.get(format)
    if layout is None and skips and format[:1] in b"bcCsSiIlLefgt":
        layout = OTHERS.get(format, ANYTHING)
    if layout is None:
        raise InputTypeError(_unsuitable(format, noun, skips))
    text.layout = layout
    text.format = format
    return text


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


cdef list collect(object words, str noun, bint skips):
    """Return the arrays of an object with ``__arrow_c_array__`` or ``__arrow_c_stream__``.

    None means that the object cannot export its items, see `_export`. `skips` allows missing items.

    Raises
    ------
    InputTypeError
        The arrays do not hold strings.
    InputValueError
        An item is null and `skips` is not set, an array was consumed before, or the stream fails.
    """
    cdef ArrowText text
    cdef ArrowArray* moved
    cdef ArrowArrayStream* given
    cdef ArrowArrayStream stream
    exported = _export(words)
    if exported is None:
        return None
    if hasattr(words, "__arrow_c_array__"):
        capsules = exported
        text = _empty(
            <const ArrowSchema*>PyCapsule_GetPointer(capsules[0], "arrow_schema"), noun, skips
        )
        moved = <ArrowArray*>PyCapsule_GetPointer(capsules[1], "arrow_array")
        text.array = moved[0]
        moved.release = NULL
        text.check(0, noun, skips)
        return [text]
    given = <ArrowArrayStream*>PyCapsule_GetPointer(exported, "arrow_array_stream")
    if given.release == NULL:
        raise InputValueError(f"the Arrow stream of {noun}s was consumed before")
    stream = given[0]
    given.release = NULL
    try:
        return _read(&stream, noun, skips)
    finally:
        stream.release(&stream)


cdef list _read(ArrowArrayStream* stream, str noun, bint skips):
    """Return the arrays of a stream."""
    cdef ArrowText text
    cdef ArrowText model
    cdef ArrowSchema schema
    cdef Py_ssize_t before = 0
    _raise_failure(stream, stream.get_schema(stream, &schema), noun)
    try:
        model = _empty(&schema, noun, skips)
    finally:
        schema.release(&schema)
    found = []
    while True:
        text = ArrowText()
        text.index = model.index
        text.layout = model.layout
        text.format = model.format
        _raise_failure(stream, stream.get_next(stream, &text.array), noun)
        if text.array.release == NULL:
            return found
        text.check(before, noun, skips)
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
