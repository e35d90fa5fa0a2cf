"""Which tests of osv-sim run on the x86_64 kernel in QEMU, too: all of these packages, but for those with a reason."""

# The ends of the names of tests, and what compare.py calls the machines.
KERNEL_MACHINES = {
    "%s_%dcpu" % (board, count): "%s:%d" % (board, count)
    for board in ["q35", "microvm"]
    for count in [1, 2, 4]
}

# Not at all: their subject is osv-sim itself.
KERNEL_EXEMPT = {
    "tests/apps": {},
    "tests/apps/libc_same_as_glibc": {},
    "tests/differ": {},
    "tests/system": {
        "notices": "signals from the host: a machine gets none",
        "streams": "files, terminals and sockets of the host as streams: a machine has ports",
        "terminal_test": "a terminal of the host: a machine's console does not know its size",
        "unprivileged": "osv-sim as another user",
        "wrong_options": "osv-sim's options",
    },
    "tests/system/elf": {},
    "tests/system/heap": {},
    "tests/system/large": {},
    "tests/system/libc": {},
    "tests/system/packets": {},
    "tests/system/pages": {},
    "tests/system/pressure": {},
}

# Not in bazel test //..., but in the full matrix: they take long on QEMU's own processor.
KERNEL_SLOW = {
    "tests/apps": [
        "bench",
        "compress",
        "java",
        "sqlite",
        "vm_1g",
    ],
}
