/* Fresh arrays through the C API of NumPy, without its headers, so that the build needs no NumPy.

   The API is a table of functions. Their places in it (numpy/_core/code_generators/numpy_api.py:
   "the API is defined by its index") and the head of an array are an ABI that every NumPy 1 and 2
   keeps. `np.empty` and the buffer protocol take twice the time, which is half of a look-up. */

#ifndef FASTTEXT_LITE_NUMPY_ARRAY_H
#define FASTTEXT_LITE_NUMPY_ARRAY_H

#include <Python.h>

enum { FTL_PLACE_OF_TYPE = 2, FTL_PLACE_OF_NEW = 93, FTL_NUMPY_FLOAT32 = 11 };

typedef PyObject *ftl_new_array(PyTypeObject *type, int ndim, const Py_ssize_t *shape, int number,
                                const Py_ssize_t *strides, void *data, int item_size, int flags,
                                PyObject *like);

typedef struct {
    PyObject_HEAD
    float *data;
} ftl_array;

/* A new float32 array of one dimension, its numbers not set. */
static inline PyObject *ftl_empty(void **api, Py_ssize_t size)
{
    ftl_new_array *make = (ftl_new_array *)api[FTL_PLACE_OF_NEW];
    return make((PyTypeObject *)api[FTL_PLACE_OF_TYPE], 1, &size, FTL_NUMPY_FLOAT32, NULL, NULL, 0,
                0, NULL);
}

static inline float *ftl_numbers(PyObject *array)
{
    return ((ftl_array *)array)->data;
}

#endif
