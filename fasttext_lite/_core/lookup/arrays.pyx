"""Fresh arrays for the answers of single calls, made without a step through Python."""

from importlib import import_module

import numpy as np

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer

from fasttext_lite.errors import UnsupportedError


cdef void** _find() except NULL:
    core = "_core" if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else "core"
    capsule = import_module(f"numpy.{core}._multiarray_umath")._ARRAY_API
    return <void**>PyCapsule_GetPointer(capsule, NULL)


cdef int _check() except -1:
    """Make sure that this NumPy keeps what it promises, once, by the buffer protocol."""
    cdef Py_buffer buffer
    array = empty(7)
    if type(array) is np.ndarray and array.shape == (7,) and array.dtype == np.float32:
        PyObject_GetBuffer(array, &buffer, PyBUF_SIMPLE)
        PyBuffer_Release(&buffer)
        if buffer.buf == numbers(array):
            return 0
    raise UnsupportedError(f"NumPy {np.__version__} makes arrays in another way: update this package")


api = _find()
_check()
