// SPDX-License-Identifier: BSD-3-Clause
// fs.h: file-system devices over the host's directories and streams.
#ifndef HAL_LINUX_DEV_FS_H
#define HAL_LINUX_DEV_FS_H

#include <stdbool.h>

// Hosted. Adds a HAL_FS device that serves the host directory path under the tag name. 0 or -errno.
int fs_add_directory(const char *name, const char *path, bool read_only);

// Hosted. Adds a HAL_FS device whose files 0, 1 and 2 are this process's standard streams; ignores
// SIGPIPE and clears the umask, which core applies itself: whoever wants to know it asks before. 0
// or -errno.
int fs_add_streams(const char *name);

#endif
