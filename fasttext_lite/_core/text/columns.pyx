"""Arrays for other libraries, which read them through the Arrow C data interface.

Who owns what: an exported struct owns its children and, by a reference to the `Array`, the buffers
that it points into. Its release callback gives these back; any thread may call it, with the GIL or
without. A capsule releases what its consumer has not moved out of it.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcpy

from fasttext_lite._core.text.arrow cimport ArrowArray, ArrowSchema

from fasttext_lite.errors import InputTypeError, InputValueError

cdef extern from "Python.h":
    bint Py_IsInitialized() nogil

cdef enum:
    # ARROW_FLAG_NULLABLE
    NULLABLE = 2


cdef class Array:
    """An array in the layout of Arrow, over buffers that are not copied.

    Parameters
    ----------
    format : str
        The type, as the Arrow C data interface writes it.
    length : int
    buffers : tuple of (buffer or None)
        Those of the type, the validity bitmap first: None if nothing is null. They do not change
        any more.
    null_count : int
    children : dict of str to Array
    dictionary : Array, optional
        The values whose indices this array holds.
    """

    cdef readonly str format
    cdef readonly Py_ssize_t length
    cdef readonly tuple buffers
    cdef readonly Py_ssize_t null_count
    cdef readonly dict children
    cdef readonly Array dictionary

    def __init__(
        self,
        str format not None,
        Py_ssize_t length,
        tuple buffers not None,
        Py_ssize_t null_count=0,
        dict children=None,
        Array dictionary=None,
    ):
        self.format = format
        self.length = length
        self.buffers = buffers
        self.null_count = null_count
        self.children = children or {}
        self.dictionary = dictionary

    def __reduce__(self):
        return Array, (
            self.format, self.length, self.buffers, self.null_count, self.children, self.dictionary
        )

    def schema_capsule(self):
        """Return the type as a capsule ``arrow_schema``."""
        cdef ArrowSchema* schema = <ArrowSchema*>_zeros(sizeof(ArrowSchema))
        capsule = _capsule(schema, "arrow_schema", _free_schema_capsule)
        _export_schema(self, "", schema)
        return capsule

    def array_capsule(self):
        """Return the array as a capsule ``arrow_array``."""
        cdef ArrowArray* array = <ArrowArray*>_zeros(sizeof(ArrowArray))
        capsule = _capsule(array, "arrow_array", _free_array_capsule)
        _export_array(self, array)
        return capsule


ctypedef void (*Destructor)(object) noexcept


cdef void* _zeros(size_t size) except NULL:
    cdef void* memory = PyMem_RawCalloc(max(size, <size_t>1), 1)
    if memory == NULL:
        raise MemoryError
    return memory


cdef object _capsule(void* memory, const char* name, Destructor destructor):
    try:
        return PyCapsule_New(memory, name, destructor)
    except MemoryError:
        PyMem_RawFree(memory)
        raise


# A struct has its release callback before its content, so that a half-filled one is released.

cdef void _export_schema(Array array, str name, ArrowSchema* out) except *:
    cdef bytes texts = array.format.encode() + b"\0" + name.encode() + b"\0"
    cdef char* own
    out.release = _release_schema
    own = <char*>_zeros(<size_t>len(texts))
    out.private_data = own
    memcpy(own, <const char*>texts, <size_t>len(texts))
    out.format = own
    out.name = own + len(array.format) + 1
    out.flags = NULLABLE
    out.children = <ArrowSchema**>_zeros(len(array.children) * sizeof(void*))
    for name, child in array.children.items():
        out.children[out.n_children] = <ArrowSchema*>_zeros(sizeof(ArrowSchema))
        out.n_children += 1
        _export_schema(child, name, out.children[out.n_children - 1])
    if array.dictionary is not None:
        out.dictionary = <ArrowSchema*>_zeros(sizeof(ArrowSchema))
        _export_schema(array.dictionary, "", out.dictionary)


cdef void _release_schema(ArrowSchema* schema) noexcept nogil:
    cdef int64_t i
    for i in range(schema.n_children):
        _drop_schema(schema.children[i])
    _drop_schema(schema.dictionary)
    PyMem_RawFree(schema.children)
    PyMem_RawFree(schema.private_data)
    schema.release = NULL


cdef void _drop_schema(ArrowSchema* schema) noexcept nogil:
    if schema != NULL:
        if schema.release != NULL:
            schema.release(schema)
        PyMem_RawFree(schema)


cdef void _export_array(Array array, ArrowArray* out) except *:
    cdef Py_ssize_t i
    out.release = _release_array
    out.length = array.length
    out.null_count = array.null_count
    out.n_buffers = len(array.buffers)
    out.buffers = <const void**>_zeros(<size_t>out.n_buffers * sizeof(void*))
    for i in range(len(array.buffers)):
        if array.buffers[i] is not None:
            out.buffers[i] = _address(array.buffers[i])
    out.children = <ArrowArray**>_zeros(len(array.children) * sizeof(void*))
    for child in array.children.values():
        out.children[out.n_children] = <ArrowArray*>_zeros(sizeof(ArrowArray))
        out.n_children += 1
        _export_array(child, out.children[out.n_children - 1])
    if array.dictionary is not None:
        out.dictionary = <ArrowArray*>_zeros(sizeof(ArrowArray))
        _export_array(array.dictionary, out.dictionary)
    Py_INCREF(array)
    out.private_data = <void*>array


cdef const void* _address(object buffer) except? NULL:
    """Return where a contiguous buffer begins; its owner has to be kept."""
    cdef Py_buffer view
    PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE)
    PyBuffer_Release(&view)
    return view.buf


cdef void _release_array(ArrowArray* array) noexcept nogil:
    cdef int64_t i
    for i in range(array.n_children):
        _drop_array(array.children[i])
    _drop_array(array.dictionary)
    PyMem_RawFree(array.children)
    PyMem_RawFree(array.buffers)
    # After the end of the interpreter nothing can be given back to it.
    if array.private_data != NULL and Py_IsInitialized():
        with gil:
            Py_DECREF(<object>array.private_data)
    array.release = NULL


cdef void _drop_array(ArrowArray* array) noexcept nogil:
    if array != NULL:
        if array.release != NULL:
            array.release(array)
        PyMem_RawFree(array)


cdef void _free_schema_capsule(object capsule) noexcept:
    _drop_schema(<ArrowSchema*>PyCapsule_GetPointer(capsule, "arrow_schema"))


cdef void _free_array_capsule(object capsule) noexcept:
    _drop_array(<ArrowArray*>PyCapsule_GetPointer(capsule, "arrow_array"))


def read_schema(capsule):
    """Return the format of a requested schema, the schemas of its children, and its dictionary's.

    Raises
    ------
    InputTypeError
        The object is not a capsule with a schema.
    """
    cdef ArrowSchema* schema
    try:
        schema = <ArrowSchema*>PyCapsule_GetPointer(capsule, "arrow_schema")
    except ValueError:
        raise InputTypeError("requested_schema must be a capsule 'arrow_schema'") from None
    if schema.release == NULL:
        raise InputValueError("requested_schema was released")
    return _read_schema(schema)


cdef tuple _read_schema(const ArrowSchema* schema):
    cdef int64_t i
    children = [_read_schema(schema.children[i]) for i in range(schema.n_children)]
    dictionary = None if schema.dictionary == NULL else _read_schema(schema.dictionary)
    return schema.format.decode(), children, dictionary


def take_strings(
    const uint8_t[::1] data not None, const int32_t[::1] offsets not None,
    const int32_t[::1] ids not None, uint8_t[::1] out not None,
):
    """Write strings of an Arrow array one after the other; ids of -1 have none.

    Parameters
    ----------
    data, offsets : buffer
        Those of the array.
    ids : int32 buffer
    out : uint8 buffer
        Of the size of all these strings.
    """
    cdef size_t at = 0
    cdef size_t size
    cdef Py_ssize_t i
    for i in range(ids.shape[0]):
        if ids[i] >= offsets.shape[0] - 1:
            raise InputValueError(f"{ids[i]} is not the index of a string")
        if ids[i] < 0:
            continue
        size = <size_t>(offsets[ids[i] + 1] - offsets[ids[i]])
        if at + size > <size_t>out.shape[0]:
            raise InputValueError("the output is too small")
        memcpy(&out[at], &data[offsets[ids[i]]], size)
        at += size
