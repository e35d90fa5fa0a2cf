// SPDX-License-Identifier: BSD-3-Clause
// liblazy.c: functions whose arguments lie in every register that may hold one, for lazy.c; and one
// that calls what nobody defines.
#include <immintrin.h>
#include <stdarg.h>

long lazy_integers(long a, long b, long c, long d, long e, long f, long g, long h);
double lazy_doubles(double a, double b, double c, double d, double e, double f, double g, double h);
double lazy_variable(int count, ...);
double lazy_wide(__m256d a, __m256d b);
long double lazy_long(long double a, double b);

long lazy_integers(long a, long b, long c, long d, long e, long f, long g, long h)
{
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h;
}

double lazy_doubles(double a, double b, double c, double d, double e, double f, double g, double h)
{
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h;
}

double lazy_variable(int count, ...)
{
    double sum = 0;
    va_list list;
    va_start(list, count);
    for (int i = 0; i < count; i++) {
        sum = 2 * sum + va_arg(list, double);
    }
    va_end(list);
    return sum;
}

__attribute__((target("avx"))) double lazy_wide(__m256d a, __m256d b)
{
    double x[4], y[4];
    _mm256_storeu_pd(x, a);
    _mm256_storeu_pd(y, b);
    return x[0] + 2 * x[1] + 3 * x[2] + 4 * x[3] + 5 * y[0] + 6 * y[1] + 7 * y[2] + 8 * y[3];
}

long double lazy_long(long double a, double b)
{
    return a / b;
}

#ifdef LOST
int lazy_nowhere(int number);
int lazy_call(int number);

int lazy_call(int number)
{
    return number == 0 ? 7 : lazy_nowhere(number);
}
#endif
