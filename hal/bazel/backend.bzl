"""backend_library: a part of a machine (hal-linux, hal-x86_64, hal-aarch64, hal/common).

A back-end never includes core; it knows hal/hal.h and hal/upcall.h. On Linux its files
are hosted C, but some of them run in a guest's context, where the thread pointer is the
application's: so no stack protector, no sanitizer run-time.
"""

load(":core.bzl", "HAL_INCLUDE", "WARNINGS")

def backend_library(name, deps = [], copts = [], **kwargs):
    native.cc_library(
        name = name,
        copts = ["-std=gnu11", "-D_GNU_SOURCE", "-fno-strict-aliasing", "-fno-stack-protector"] +
                WARNINGS + HAL_INCLUDE + copts,
        features = ["backend", "-asan", "-ubsan", "-tsan", "-fuzzer", "-llvmcov"],
        linkstatic = True,
        deps = deps + ["//hal", "//hal:inline"],
        **kwargs
    )
