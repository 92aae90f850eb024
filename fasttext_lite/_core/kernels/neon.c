/* NEON, which every 64-bit ARM CPU has. */

#include "elements.h"
#include "loops.h"

#ifdef FTL_ARM64
#include <arm_neon.h>

#define TARGET
#define ROWS ftl_rows_neon
#define SCAN ftl_scan_neon
#define NARROWER ftl_rows_scalar
#define MOST_SUMS 16
#define PANEL_SUMS 16

typedef float32x4_t vector;
typedef int32x4_t integers;
typedef int8x16_t codes; /* none is above 127 */
typedef int32x4_t code_sums;
enum { LANES = 4, CODES = 16, QUERIES = 4 };

INLINE vector load(const float *numbers)
{
    return vld1q_f32(numbers);
}

INLINE void store(float *numbers, vector a)
{
    vst1q_f32(numbers, a);
}

INLINE vector broadcast(float number)
{
    return vdupq_n_f32(number);
}

INLINE vector add(vector a, vector b)
{
    return vaddq_f32(a, b);
}

INLINE vector subtract(vector a, vector b)
{
    return vsubq_f32(a, b);
}

INLINE vector multiply(vector a, vector b)
{
    return vmulq_f32(a, b);
}

INLINE vector multiply_add(vector sum, vector a, vector b)
{
    return vfmaq_f32(sum, a, b);
}

INLINE vector least_of(vector a, vector b)
{
    return vminq_f32(a, b);
}

INLINE vector most_of(vector a, vector b)
{
    return vmaxnmq_f32(a, b);
}

INLINE integers truncate(vector a)
{
    return vcvtq_s32_f32(a);
}

INLINE vector convert(integers a)
{
    return vcvtq_f32_s32(a);
}

INLINE void store_bytes(uint8_t *out, integers a)
{
    const int16x4_t shorts = vmovn_s32(a);
    const int8x8_t bytes = vmovn_s16(vcombine_s16(shorts, shorts));
    const uint32_t four = vget_lane_u32(vreinterpret_u32_s8(bytes), 0);
    memcpy(out, &four, sizeof four);
}

INLINE vector read_f16(const uint8_t *numbers)
{
#ifndef FTL_NO_FLOAT16
    return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(numbers)));
#else
    /* As widen_f16 does. */
    const uint32x4_t halves = vmovl_u16(vreinterpret_u16_u8(vld1_u8(numbers)));
    const uint32x4_t magnitude = vandq_u32(halves, vdupq_n_u32(0x7FFF));
    const uint32x4_t sign = vshlq_n_u32(veorq_u32(halves, magnitude), 16);
    const uint32x4_t special = vcgtq_u32(magnitude, vdupq_n_u32(0x7BFF));
    const float32x4_t value = vmulq_f32(vreinterpretq_f32_u32(vshlq_n_u32(magnitude, 13)),
                                        vdupq_n_f32(FTL_TWO_TO_112));
    const uint32x4_t ends = vorrq_u32(sign, vandq_u32(special, vdupq_n_u32(0x7F800000)));
    return vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(value), ends));
#endif
}

INLINE vector read_i8(const uint8_t *numbers)
{
    uint32_t four;
    memcpy(&four, numbers, sizeof four);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(four)))));
}

INLINE vector read(int type, const uint8_t *numbers)
{
    if (type == FTL_F32)
        return vreinterpretq_f32_u8(vld1q_u8(numbers));
    return type == FTL_F16 ? read_f16(numbers) : read_i8(numbers);
}

INLINE void store_totals(float *out, vector a, vector b, vector c, vector d)
{
    vst1q_f32(out, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
}

INLINE code_sums no_sums(void)
{
    return vdupq_n_s32(0);
}

INLINE codes load_codes(const void *bytes)
{
    return vld1q_s8(bytes);
}

INLINE codes low_codes(codes row)
{
    return vandq_s8(row, vdupq_n_s8(15));
}

INLINE codes high_codes(codes row)
{
    return vreinterpretq_s8_u8(vshrq_n_u8(vreinterpretq_u8_s8(row), 4));
}

INLINE code_sums add_products(code_sums sum, codes row, codes query)
{
    sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(row), vget_low_s8(query)));
    return vpadalq_s16(sum, vmull_high_s8(row, query));
}

INLINE void store_sums(int32_t *out, code_sums a, code_sums b, code_sums c, code_sums d)
{
    vst1q_s32(out, vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)));
}

#include "rows_template.h"
#include "scan_template.h"
#endif
