// SPDX-License-Identifier: BSD-3-Clause
// io_vector.h: a piece of an application's memory that bytes are moved to or from, by hal_copy_safe
// alone. Laid out as struct iovec is.
#ifndef CORE_LIB_IO_VECTOR_H
#define CORE_LIB_IO_VECTOR_H

#include <stddef.h>

struct io_vector {
    char *data;
    size_t size;
};

#endif
