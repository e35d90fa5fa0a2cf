// SPDX-License-Identifier: BSD-3-Clause
// mathematics.c: libm's functions give the same bits: each one's results over many arguments, mixed
// into one number.
#include <complex.h>
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ARGUMENTS = 4000 };

static uint64_t seed;

static double argument(double low, double high)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(seed >> 11) / 9007199254740992.0;
}

static uint64_t mix(uint64_t sum, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (sum ^ bits) * 1099511628211u;
}

static const struct {
    const char *name;
    double (*call)(double);
    double low, high;
} unary[] = {
    {"acos", acos, -1, 1},       {"acosh", acosh, 1, 50},     {"asin", asin, -1, 1},
    {"asinh", asinh, -50, 50},   {"atan", atan, -50, 50},     {"atanh", atanh, -1, 1},
    {"cbrt", cbrt, -1e3, 1e3},   {"ceil", ceil, -1e3, 1e3},   {"cos", cos, -1e3, 1e3},
    {"cosh", cosh, -20, 20},     {"erf", erf, -5, 5},         {"erfc", erfc, -5, 5},
    {"exp", exp, -700, 700},     {"exp2", exp2, -1000, 1000}, {"exp10", exp10, -300, 300},
    {"expm1", expm1, -5, 5},     {"floor", floor, -1e3, 1e3}, {"j0", j0, 0, 50},
    {"lgamma", lgamma, 0.1, 50}, {"log", log, 1e-9, 1e9},     {"log10", log10, 1e-9, 1e9},
    {"log1p", log1p, -0.99, 5},  {"log2", log2, 1e-9, 1e9},   {"rint", rint, -1e3, 1e3},
    {"round", round, -1e3, 1e3}, {"sin", sin, -1e3, 1e3},     {"sinh", sinh, -20, 20},
    {"sqrt", sqrt, 0, 1e9},      {"tan", tan, -1e3, 1e3},     {"tanh", tanh, -5, 5},
    {"tgamma", tgamma, 0.1, 50}, {"trunc", trunc, -1e3, 1e3}, {"y1", y1, 0.1, 50},
};

static const struct {
    const char *name;
    double (*call)(double, double);
    double low, high;
} binary[] = {
    {"atan2", atan2, -50, 50},           {"fmod", fmod, -1e6, 1e6},
    {"hypot", hypot, -1e9, 1e9},         {"pow", pow, 0.01, 60},
    {"remainder", remainder, -1e6, 1e6}, {"fdim", fdim, -5, 5},
    {"nextafter", nextafter, -5, 5},
};

static const struct {
    const char *name;
    float (*call)(float);
    double low, high;
} singles[] = {
    {"sinf", sinf, -1e3, 1e3},   {"cosf", cosf, -1e3, 1e3}, {"tanf", tanf, -1e3, 1e3},
    {"expf", expf, -80, 80},     {"logf", logf, 1e-9, 1e9}, {"exp2f", exp2f, -100, 100},
    {"log2f", log2f, 1e-9, 1e9},
};

int main(void)
{
    for (size_t i = 0; i < sizeof unary / sizeof unary[0]; ++i) {
        uint64_t sum = seed = 1;
        for (int k = 0; k < ARGUMENTS; ++k) {
            sum = mix(sum, unary[i].call(argument(unary[i].low, unary[i].high)));
        }
        printf("%s %016lx\n", unary[i].name, sum);
    }
    for (size_t i = 0; i < sizeof binary / sizeof binary[0]; ++i) {
        uint64_t sum = seed = 2;
        for (int k = 0; k < ARGUMENTS; ++k) {
            double x = argument(binary[i].low, binary[i].high);
            sum = mix(sum, binary[i].call(x, argument(binary[i].low, binary[i].high)));
        }
        printf("%s %016lx\n", binary[i].name, sum);
    }
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; ++i) {
        uint64_t sum = seed = 3;
        for (int k = 0; k < ARGUMENTS; ++k) {
            sum = mix(sum, singles[i].call((float)argument(singles[i].low, singles[i].high)));
        }
        printf("%s %016lx\n", singles[i].name, sum);
    }
    uint64_t sum = seed = 4;
    for (int k = 0; k < ARGUMENTS; ++k) {
        double complex z = cexp(argument(-5, 5) + I * argument(-5, 5)) + clog(argument(-5, 5) + I);
        double x = argument(-5, 5), y = argument(-5, 5);
        sum = mix(mix(mix(sum, creal(z)), cimag(z)), fma(x, y, argument(-1, 1)));
    }
    feclearexcept(FE_ALL_EXCEPT);
    volatile double zero = 0, negative = -1;
    double infinite = 1 / zero, none = sqrt(negative);
    printf("complex, fma %016lx %f %d\n", sum, infinite, isnan(none));
    printf("exceptions %d %d\n", fetestexcept(FE_DIVBYZERO) != 0, fetestexcept(FE_INVALID) != 0);
    return 0;
}
