/* Access to the code points of a str in all versions of CPython. */

#ifndef FASTTEXT_LITE_CODE_POINTS_H
#define FASTTEXT_LITE_CODE_POINTS_H

#include <Python.h>

/* Before 3.12 a str could be created without them. */
static inline int ftl_make_ready(PyObject *text)
{
#if PY_VERSION_HEX < 0x030C0000
    return PyUnicode_READY(text);
#else
    (void)text;
    return 0;
#endif
}

#endif
