// SPDX-License-Identifier: BSD-3-Clause
// inspect.h: osv-image inspect.
#ifndef SIM_IMAGE_INSPECT_H
#define SIM_IMAGE_INSPECT_H

// Prints what is in the image.
void inspect(const char *file);

#endif
