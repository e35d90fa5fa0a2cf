// SPDX-License-Identifier: BSD-3-Clause
// cpuinfo_aarch64.c: /proc/cpuinfo on aarch64: no more than every such processor has.
#include "core/lib/format.h"
#include "core/linux/procfiles.h"
#include "core/sched/thread.h"

size_t cpuinfo_make(char *text, size_t size, void *argument)
{
    (void)argument;
    size_t length = 0;
    for (uint32_t i = 0; i < sched_cpu_count(); ++i) {
        size_t used = length < size ? length : size;
        length += format(text + used, size - used,
                         "processor\t: %u\nFeatures\t: fp asimd\nCPU architecture: 8\n\n", i);
    }
    return length;
}
