// SPDX-License-Identifier: BSD-3-Clause
// gshadow.h: the shadow groups of glibc, which musl has not.
#ifndef CORE_LIBC_OVERRIDE_GSHADOW_H
#define CORE_LIBC_OVERRIDE_GSHADOW_H

struct sgrp {
    char *sg_namp, *sg_passwd;
    char **sg_adm, **sg_mem;
};

#endif
