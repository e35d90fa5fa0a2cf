// SPDX-License-Identifier: BSD-3-Clause
// linkfiles.h: /proc/net of interfaces, routes and neighbours.
#ifndef CORE_LINUX_LINKFILES_H
#define CORE_LINUX_LINKFILES_H

#include "hal/hal.h"

HAL_MUST_CHECK int linkfiles_add(void); // -ENOMEM

HAL_MUST_CHECK int groupfiles_add(void); // groupfiles.c: of its files, those of groups

#endif
