/* Print the levels of a CPU that has the features named by the arguments, best first. */

#include "cpu_features.h"
#include "kernels.h"

#include <stdio.h>
#include <string.h>

const char *const ftl_feature_names[FTL_FEATURES] = {
    "sse2", "avx", "f16c", "fma", "avx2", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
    "avx_vnni", "neon",
};

const ftl_row_kernels ftl_rows_scalar, ftl_rows_sse2, ftl_rows_avx2, ftl_rows_avx512, ftl_rows_neon;
const ftl_scan_kernels ftl_scan_scalar, ftl_scan_sse2, ftl_scan_avx2, ftl_scan_avx512vnni,
    ftl_scan_neon;

static uint32_t features;

uint32_t ftl_features(void)
{
    return features;
}

int main(int count, char **arguments)
{
    const ftl_level *found[FTL_MOST_LEVELS];
    for (int i = 1; i < count; i++)
        for (int feature = 0; feature < FTL_FEATURES; feature++)
            if (!strcmp(arguments[i], ftl_feature_names[feature]))
                features |= 1u << feature;
    const size_t levels = ftl_runnable_levels(found);
    for (size_t k = 0; k < levels; k++)
        printf("%s%c", found[k]->name, k + 1 < levels ? ' ' : '\n');
    return 0;
}
