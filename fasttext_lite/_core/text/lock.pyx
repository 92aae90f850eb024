"""Whether a call gives up the global interpreter lock, by what it cost to get it back.

A thread that wants the lock back gets it at once unless another thread runs Python code; that one
keeps it for the switch interval, 5 ms by default. So where a thread is busy with Python code, giving
up the lock for less than some milliseconds costs more than it brings. Where the other threads call
this package, they give up the lock as well, and nobody waits.

Calls therefore measure how long they wait, and how long they work without the lock. Where the waits
are long and the work does not make up for them, short calls and the beginnings of long ones keep the
lock for a second; then one call tries again. In an interpreter without the lock nobody waits.

    away = leave(worth)
    ...
    come_back(away)

Unlike `with nogil`, this is not checked by the compiler: what stands between is C, with local
variables for the objects that functions get, since others are counted as references.
"""

from libc.stdint cimport int64_t

cdef extern from "Python.h" nogil:
    PyThreadState* PyEval_SaveThread()
    void PyEval_RestoreThread(PyThreadState* state)

cdef extern from "clock.h" nogil:
    int64_t now "ftl_now"()

cdef extern from "Python.h":
    """
    #ifdef Py_GIL_DISABLED
    #define FTL_LOCKED 0
    #else
    #define FTL_LOCKED 1
    #endif
    """
    const bint LOCKED "FTL_LOCKED"

cdef enum:
    # In microseconds: a wait that only a busy thread explains, how long it is remembered, and the
    # time over which waits and work are summed.
    LONG = 2500
    MEMORY = 1000000
    SPAN = 200000
    # Work without the lock that lasts so many times as long as the waits is worth them in any case.
    WORTH = 16

# Threads change these while they hold the lock.
cdef int64_t until = 0
cdef int64_t waited = 0
cdef int64_t freed = 0
cdef int holders = 0
# While the lock is kept: since when there has been work, and how much before.
cdef int64_t begun = 0
cdef int64_t worked = 0


cdef bint busy() noexcept nogil:
    """Return whether another thread is busy with Python code, as far as calls have noticed."""
    return LOCKED and until > 0 and now() < until


cdef Away leave(bint worth) noexcept nogil:
    """Give up the lock if that is worth it, and nobody has asked to keep it."""
    global begun
    cdef Away away
    away.state = NULL
    away.since = 0
    if holders:
        begun = now()
    elif worth:
        away.since = now()
        away.state = PyEval_SaveThread()
    return away


cdef void come_back(Away away) noexcept nogil:
    """Take the lock again if `leave` gave it up, and note how long that takes."""
    global freed, until, waited, worked
    cdef int64_t left, time
    if away.state == NULL:
        if holders:
            worked += now() - begun
        return
    left = now()
    PyEval_RestoreThread(away.state)
    time = now()
    waited += time - left
    freed += left - away.since
    if waited + freed > SPAN:
        waited //= 2
        freed //= 2
    if waited < 2 * LONG or waited * WORTH < freed:
        until = 0
    elif time - left >= LONG:
        until = time + MEMORY


def contended():
    """Return whether another thread is busy with Python code, as far as calls have noticed."""
    return busy()


def hold(bint more):
    """Keep the lock in the calls of all threads from here on, or end that: in pairs."""
    global holders, worked
    holders += 1 if more else -1
    worked = 0


def held_time():
    """Return the seconds of work since `hold` with the lock kept, without those of other threads."""
    return worked * 1e-6
