cdef extern from "numpy_array.h":
    object new_array "ftl_empty"(void** api, Py_ssize_t size)
    float* numbers "ftl_numbers"(object array) noexcept


# The functions of NumPy.
cdef void** api


cdef inline object empty(Py_ssize_t size):
    """A new float32 array of shape (size,), its `numbers` not set."""
    return new_array(api, size)
