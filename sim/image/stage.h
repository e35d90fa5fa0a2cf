// SPDX-License-Identifier: BSD-3-Clause
// stage.h: from a tree to a file system in EROFS format.
#ifndef SIM_IMAGE_STAGE_H
#define SIM_IMAGE_STAGE_H

#include "sim/image/tree.h"

// Copies what the tree names to the scratch directory and makes mkfs.erofs write the file path. No
// file is younger than SOURCE_DATE_EPOCH, where that is set. The same tree makes the same bytes.
void stage_make(const struct node *root, const char *path);

#endif
