// SPDX-License-Identifier: BSD-3-Clause
// qemu_arguments.c: the description of a machine as arguments of QEMU. domain.c says the same in
// libvirt's words.
#include "sim/run/qemu_arguments.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/run/failure.h"
#include "sim/run/machine.h"

enum { ARGUMENTS_MAX = 256 };

struct list {
    char **items;
    size_t count;
};

static void item_add(struct list *list, char *item)
{
    if (list->count == ARGUMENTS_MAX - 1) {
        fail(STATUS_USAGE, "too many arguments for QEMU");
    }
    list->items[list->count++] = item;
}

static void pair_add(struct list *list, const char *name, char *value)
{
    item_add(list, text_make("%s", name));
    item_add(list, value);
}

// In an option of QEMU's a comma that belongs to the value is written twice.
static char *escaped(const char *path)
{
    char *text = memory_new(2 * strlen(path) + 1);
    for (size_t at = 0; *path != 0; ++path) {
        text[at++] = *path;
        if (*path == ',') {
            text[at++] = ',';
        }
    }
    return text;
}

static void socket_add(struct list *list, const char *id, const char *path)
{
    char *text = escaped(path);
    pair_add(list, "-chardev", text_make("socket,id=%s,path=%s", id, text));
    free(text);
}

static void board_add(struct list *list, const struct machine *machine)
{
    const bool is_kvm = machine->accelerator == ACCELERATOR_KVM;
    const bool is_shared = machine->mount_count > 0;
    pair_add(list, "-name", escaped(machine->name));
    pair_add(list, "-machine",
             text_make("%s%s", machine->board, is_shared ? ",memory-backend=memory" : ""));
    pair_add(list, "-accel", text_make("%s", is_kvm ? "kvm" : "tcg"));
    pair_add(list, "-cpu", text_make("%s", is_kvm ? "host" : "max"));
    pair_add(list, "-smp",
             text_make("%u,maxcpus=%u", machine->cpu_count, machine_cpu_places(machine)));
    pair_add(list, "-m", text_make("%luk", machine->memory_size >> 10));
    if (is_shared) {
        pair_add(
            list, "-object",
            text_make("memory-backend-memfd,id=memory,size=%lu,share=on", machine->memory_size));
    }
}

static void channels_add(struct list *list, const struct machine *machine)
{
    socket_add(list, "console", machine->sockets[CHANNEL_CONSOLE]);
    pair_add(list, "-serial", text_make("chardev:console"));
    socket_add(list, "sign", machine->sockets[CHANNEL_SIGN]);
    pair_add(list, "-device", text_make("isa-debugcon,iobase=0xf9,chardev=sign"));
    socket_add(list, "code", machine->sockets[CHANNEL_CODE]);
    pair_add(list, "-device", text_make("isa-debugcon,iobase=0xf8,chardev=code"));
    pair_add(list, "-device", text_make("isa-debug-exit,iobase=0xf4,iosize=4"));
}

// "pci", or "device" where registers of devices are pieces of memory.
static const char *transport(const struct machine *machine)
{
    return machine_has_pci(machine) ? "pci" : "device";
}

static void streams_add(struct list *list, const struct machine *machine)
{
    socket_add(list, "stdin", machine->sockets[CHANNEL_INPUT]);
    socket_add(list, "stdout", machine->sockets[CHANNEL_OUTPUT]);
    pair_add(list, "-device", text_make("virtio-serial-%s,id=serial", transport(machine)));
    pair_add(list, "-device", text_make("virtserialport,bus=serial.0,chardev=stdin,name=stdin"));
    pair_add(list, "-device", text_make("virtserialport,bus=serial.0,chardev=stdout,name=stdout"));
}

static void disks_add(struct list *list, const struct machine *machine)
{
    for (size_t i = 0; i < machine->disk_count; ++i) {
        const struct machine_disk *disk = &machine->disks[i];
        const char *read_only = disk->read_only ? "on" : "off";
        char *path = escaped(disk->path);
        pair_add(list, "-blockdev",
                 text_make("driver=%s,node-name=disk%zu,read-only=%s,file.driver=file,"
                           "file.filename=%s,file.read-only=%s",
                           disk->format, i, read_only, path, read_only));
        pair_add(list, "-device", text_make("virtio-blk-%s,drive=disk%zu", transport(machine), i));
        free(path);
    }
}

static void mounts_add(struct list *list, const struct machine *machine)
{
    for (size_t i = 0; i < machine->mount_count; ++i) {
        const struct machine_mount *mount = &machine->mounts[i];
        socket_add(list, mount->tag, mount->socket);
        pair_add(list, "-device",
                 text_make("vhost-user-fs-%s,chardev=%s,tag=%s", transport(machine), mount->tag,
                           mount->tag));
    }
}

// The far end of the network device.
static char *network_end(const struct network *network)
{
    char *name = network->name == NULL ? NULL : escaped(network->name);
    char *text;
    if (network->kind == NETWORK_TAP) {
        // A capture would have the headers of virtio before the frames.
        text = text_make("tap,id=net,ifname=%s,script=no,downscript=no%s", name,
                         network->capture != NULL ? ",vnet_hdr=off" : "");
    } else if (network->kind == NETWORK_BRIDGE) {
        text = text_make("bridge,id=net,br=%s", name);
    } else if (network->kind == NETWORK_SWITCH) {
        char *path = escaped(network->socket);
        text = text_make("stream,id=net,server=off,addr.type=unix,addr.path=%s", path);
        free(path);
    } else {
        text = text_make("user,id=net");
    }
    for (size_t i = 0; i < network->port_count; ++i) {
        const struct port *port = &network->ports[i];
        char *more = text_make("%s,hostfwd=%s:%s:%u-:%u", text, port->is_datagrams ? "udp" : "tcp",
                               port->address, port->host, port->guest);
        free(text);
        text = more;
    }
    free(name);
    return text;
}

// The network's far end, and who listens there.
static void network_end_add(struct list *list, const struct network *network)
{
    pair_add(list, "-netdev", network_end(network));
    if (network->capture != NULL) {
        char *name = escaped(network->capture);
        pair_add(list, "-object", text_make("filter-dump,id=capture,netdev=net,file=%s", name));
        free(name);
    }
}

// Without firmware's part of it, by which machines start over a network.
static void network_add(struct list *list, const struct machine *machine)
{
    const struct network *network = &machine->network;
    if (network->kind == NETWORK_NONE) {
        return;
    }
    network_end_add(list, network);
    pair_add(list, "-device",
             text_make("virtio-net-%s,netdev=net%s%s%s", transport(machine),
                       network->hardware[0] != 0 ? ",mac=" : "", network->hardware,
                       machine_has_pci(machine) ? ",romfile=" : ""));
}

static void virtio_add(struct list *list, const struct machine *machine)
{
    if (!machine_has_pci(machine)) {
        pair_add(list, "-global", text_make("virtio-mmio.force-legacy=false"));
    }
    if (machine->has_streams) {
        streams_add(list, machine);
    }
    disks_add(list, machine);
    mounts_add(list, machine);
    network_add(list, machine);
}

char **qemu_virtio_arguments_make(const struct machine *machine)
{
    struct list list = {.items = memory_new(ARGUMENTS_MAX * sizeof(char *))};
    virtio_add(&list, machine);
    return list.items;
}

// In JSON, as libvirt has its devices: QEMU makes those in the order of arguments, and this one
// takes no place on the bus that is another's.
char **qemu_network_arguments_make(const struct machine *machine)
{
    const struct network *network = &machine->network;
    struct list list = {.items = memory_new(ARGUMENTS_MAX * sizeof(char *))};
    if (network->kind != NETWORK_NONE) {
        const char *quote = network->hardware[0] != 0 ? "\"" : "";
        network_end_add(&list, network);
        pair_add(
            &list, "-device",
            text_make("{\"driver\":\"virtio-net-pci\",\"netdev\":\"net\",\"romfile\":\"\"%s%s%s%s}",
                      quote[0] != 0 ? ",\"mac\":" : "", quote, network->hardware, quote));
    }
    return list.items;
}

void qemu_arguments_free(char **arguments)
{
    for (char **argument = arguments; *argument != NULL; ++argument) {
        free(*argument);
    }
    free(arguments);
}

char **qemu_arguments_make(const struct machine *machine, const char *qemu, const char *monitor)
{
    struct list list = {.items = memory_new(ARGUMENTS_MAX * sizeof(char *))};
    item_add(&list, text_make("%s", qemu));
    board_add(&list, machine);
    static const char *const fixed[] = {"-nodefaults", "-no-user-config", "-display",
                                        "none",        "-no-reboot",      "-S"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; ++i) {
        item_add(&list, text_make("%s", fixed[i]));
    }
    socket_add(&list, "monitor", monitor);
    pair_add(&list, "-mon", text_make("chardev=monitor,mode=control"));
    channels_add(&list, machine);
    virtio_add(&list, machine);
    if (machine->kernel != NULL) {
        pair_add(&list, "-kernel", text_make("%s", machine->kernel));
        pair_add(&list, "-append", text_make("%s", machine->command_line));
    }
    if (machine->initrd != NULL) {
        pair_add(&list, "-initrd", text_make("%s", machine->initrd));
    }
    for (size_t i = 0; i < machine->more_count; ++i) {
        item_add(&list, text_make("%s", machine->more[i]));
    }
    return list.items;
}
