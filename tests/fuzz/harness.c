/* libFuzzer's two entry points, for targets in Python (targets.py) and in Cython (native.pyx).

   FUZZ_TARGET names the target. The interpreter runs in this process; the process and the compiled
   modules of the package are built with AddressSanitizer. Every input is passed in memory of
   exactly its size, and the memory that the target allocates is counted. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef void native_target(const uint8_t *data, size_t size);

/* The limit on what one input may allocate: FIXED bytes for buffers of fixed sizes (blocks of text,
   a window of xz, small tables), plus MULTIPLE times its size. */
enum { FIXED = 48 << 20, MULTIPLE = 32 };

void __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
                                               void (*)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *);
size_t __sanitizer_get_current_allocated_bytes(void);

static native_target *native;
static PyObject *target;
static _Atomic size_t live, most;

static void count_malloc(const volatile void *block, size_t size)
{
    (void)block;
    const size_t now = atomic_fetch_add(&live, size) + size;
    if (now > atomic_load_explicit(&most, memory_order_relaxed))
        atomic_store(&most, now);
}

static void count_free(const volatile void *block)
{
    if (block != NULL)
        atomic_fetch_sub(&live, __sanitizer_get_allocated_size(block));
}

static void give_up(const char *why)
{
    fprintf(stderr, "==fuzz== %s\n", why);
    if (PyErr_Occurred())
        PyErr_Print();
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    const char *name = getenv("FUZZ_TARGET");
    if (name == NULL)
        give_up("FUZZ_TARGET is not set");
    Py_InitializeEx(0);
    PyObject *module = PyImport_ImportModule("targets");
    if (module == NULL)
        give_up("targets.py cannot be imported");
    target = PyObject_GetAttrString(module, name);
    if (target == NULL)
        give_up("FUZZ_TARGET names an unknown target");
    if (PyCapsule_CheckExact(target))
        native = (native_target *)PyCapsule_GetPointer(target, NULL);
    live = __sanitizer_get_current_allocated_bytes();
    __sanitizer_install_malloc_and_free_hooks(count_malloc, count_free);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t before = live;
    most = before;
    if (native != NULL) {
        native(data, size);
    } else {
        PyObject *result = PyObject_CallFunction(target, "y#", data, (Py_ssize_t)size);
        if (result == NULL)
            give_up("the target raised");
        Py_DECREF(result);
    }
    if (most > before && most - before > FIXED + MULTIPLE * size) {
        fprintf(stderr, "==fuzz== %zu bytes allocated for an input of %zu\n", most - before, size);
        abort();
    }
    return 0;
}
