// SPDX-License-Identifier: BSD-3-Clause
// entropy.h: the entropy device (virtio 1.1, 5.4).
#ifndef HAL_LINUX_DEV_ENTROPY_H
#define HAL_LINUX_DEV_ENTROPY_H

// Hosted. Adds the device. 0 or -errno.
int entropy_add(void);

#endif
