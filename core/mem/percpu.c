// SPDX-License-Identifier: BSD-3-Clause
// percpu.c: what core/sched gives to its CPUs; apart from the heap, which it does not need.
#include "core/mem/percpu.h"

struct heap_cpu *percpu_heaps[HAL_CPU_MAX];
