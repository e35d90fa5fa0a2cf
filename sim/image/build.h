// SPDX-License-Identifier: BSD-3-Clause
// build.h: osv-image build.
#ifndef SIM_IMAGE_BUILD_H
#define SIM_IMAGE_BUILD_H

struct build_options;

// Makes the image, or ends the run without one.
void build(const struct build_options *options);

#endif
