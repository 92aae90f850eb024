/* A clock that only moves forward. */

#ifndef FASTTEXT_LITE_CLOCK_H
#define FASTTEXT_LITE_CLOCK_H

#include <stdint.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <time.h>
#endif

/* Return the time since some moment, in microseconds. */
static inline int64_t ftl_now(void)
{
#ifdef _WIN32
    LARGE_INTEGER ticks, rate;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&rate);
    return ticks.QuadPart / rate.QuadPart * 1000000
           + ticks.QuadPart % rate.QuadPart * 1000000 / rate.QuadPart;
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
#endif
}

#endif
