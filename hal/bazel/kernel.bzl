"""Which tests of osv-sim run on the x86_64 kernel in QEMU, too: all of these packages, but for those with a reason."""

KERNEL_BOARDS = ["q35", "microvm"]

KERNEL_CPUS = [1, 2, 4]

# Not at all.
KERNEL_EXEMPT = {
    "tests/apps": {
        "bench": "without KVM its figures mean nothing, and it takes as long",
        "cxx_many": "200 runs in a row are for osv-sim; tests/system/boot:boots has a hundred boots of the kernel",
        "soak": "50 MB are too much for QEMU's own processor",
        "vm_1g": "touches 1 GiB in every way, which is too much for QEMU's own processor",
    },
    "tests/apps/libc_same_as_glibc": {},
    "tests/system": {
        "mounts": "osv-sim's options, and files that change on the host meanwhile",
        "paths_test": "virtiofsd, as virtio-fs on Linux, knows no files without a name (O_TMPFILE)",
        "notices": "signals from the host: a machine gets none",
        "streams": "files, terminals and sockets of the host as streams: a machine has ports",
        "surroundings": "osv-sim's options; what a program inherits is handed on by the test's own qemu.py",
        "storm_soak": "osv-sim's soak",
        "terminal_test": "a terminal of the host",
        "unprivileged": "osv-sim as another user",
        "wrong_options": "osv-sim's options",
        "wrong_programs": "osv-sim's refusals",
    },
    "tests/system/elf": {},
    "tests/system/libc": {},
}

# Not in bazel test //..., but in the full matrix: too slow on QEMU's own processor.
KERNEL_SLOW = {
    "tests/apps": [
        "compress",
        "java",
        "node",
        "sqlite",
    ],
    "tests/system/elf": [  # a storm of signals between two CPUs
        "lazy_now_test",
        "lazy_test",
    ],
}
