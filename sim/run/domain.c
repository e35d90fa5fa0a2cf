// SPDX-License-Identifier: BSD-3-Clause
// domain.c: the description of a machine as libvirt's XML (libvirt.org/formatdomain.html).
// qemu_arguments.c says the same in QEMU's words.
//
// libvirt has no words for isa-debug-exit, nor for devices without PCI: those are arguments of QEMU
// here, too.
#include "sim/run/domain.h"

#include <libxml/xmlwriter.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/run/failure.h"
#include "sim/run/machine.h"
#include "sim/run/qemu_arguments.h"

#define QEMU_SCHEMA "http://libvirt.org/schemas/domain/qemu/1.0"

// Nothing here fails but for want of memory.
static void check(int result)
{
    if (result < 0) {
        fail(STATUS_CANNOT, "the domain's XML cannot be written: is there no memory?");
    }
}

static void element_start(xmlTextWriter *xml, const char *name)
{
    check(xmlTextWriterStartElement(xml, BAD_CAST name));
}

static void element_end(xmlTextWriter *xml)
{
    check(xmlTextWriterEndElement(xml));
}

static void attribute(xmlTextWriter *xml, const char *name, const char *value)
{
    check(xmlTextWriterWriteAttribute(xml, BAD_CAST name, BAD_CAST value));
}

static void text_element(xmlTextWriter *xml, const char *name, const char *text)
{
    check(xmlTextWriterWriteElement(xml, BAD_CAST name, BAD_CAST text));
}

// <name a1="v1" a2="v2" .../>, up to a NULL; the caller ends it if it is to have content.
static void attributes(xmlTextWriter *xml, const char *name, ...)
{
    va_list list;
    const char *key;
    element_start(xml, name);
    va_start(list, name);
    while ((key = va_arg(list, const char *)) != NULL) {
        attribute(xml, key, va_arg(list, const char *));
    }
    va_end(list);
}

static void boot_write(xmlTextWriter *xml, const struct machine *machine)
{
    element_start(xml, "os");
    attributes(xml, "type", "arch", "x86_64", "machine", machine->board, NULL);
    check(xmlTextWriterWriteString(xml, BAD_CAST "hvm"));
    element_end(xml);
    if (machine->kernel != NULL) {
        text_element(xml, "kernel", machine->kernel);
        if (machine->initrd != NULL) {
            text_element(xml, "initrd", machine->initrd);
        }
        text_element(xml, "cmdline", machine->command_line);
    } else {
        attributes(xml, "boot", "dev", "hd", NULL);
        element_end(xml);
    }
    element_end(xml);
}

static void board_write(xmlTextWriter *xml, const struct machine *machine)
{
    text_element(xml, "name", machine->name);
    attributes(xml, "memory", "unit", "KiB", NULL);
    check(xmlTextWriterWriteFormatString(xml, "%lu", machine->memory_size >> 10));
    element_end(xml);
    if (machine->mount_count > 0) {
        element_start(xml, "memoryBacking");
        attributes(xml, "source", "type", "memfd", NULL);
        element_end(xml);
        attributes(xml, "access", "mode", "shared", NULL);
        element_end(xml);
        element_end(xml);
    }
    element_start(xml, "vcpu");
    check(xmlTextWriterWriteFormatAttribute(xml, BAD_CAST "current", "%u", machine->cpu_count));
    check(xmlTextWriterWriteFormatString(xml, "%u", machine_cpu_places(machine)));
    element_end(xml);
    boot_write(xml, machine);
    element_start(xml, "features");
    text_element(xml, "acpi", "");
    text_element(xml, "apic", "");
    element_end(xml);
    attributes(xml, "cpu", "mode",
               machine->accelerator == ACCELERATOR_KVM ? "host-passthrough" : "maximum", NULL);
    element_end(xml);
    text_element(xml, "on_poweroff", "destroy");
    text_element(xml, "on_reboot", "destroy");
    text_element(xml, "on_crash", "destroy");
}

static void source_write(xmlTextWriter *xml, const char *path)
{
    attributes(xml, "source", "mode", "connect", "path", path, NULL);
    element_end(xml);
}

static void debug_console_write(xmlTextWriter *xml, const char *path, const char *port)
{
    attributes(xml, "serial", "type", "unix", NULL);
    source_write(xml, path);
    attributes(xml, "target", "type", "isa-debug", NULL);
    attributes(xml, "model", "name", "isa-debugcon", NULL);
    element_end(xml);
    element_end(xml);
    attributes(xml, "address", "type", "isa", "iobase", port, NULL);
    element_end(xml);
    element_end(xml);
}

static void port_write(xmlTextWriter *xml, const char *path, const char *name)
{
    attributes(xml, "channel", "type", "unix", NULL);
    source_write(xml, path);
    attributes(xml, "target", "type", "virtio", "name", name, NULL);
    element_end(xml);
    element_end(xml);
}

static void channels_write(xmlTextWriter *xml, const struct machine *machine)
{
    attributes(xml, "serial", "type", "unix", NULL);
    source_write(xml, machine->sockets[CHANNEL_CONSOLE]);
    attributes(xml, "target", "type", "isa-serial", NULL);
    element_end(xml);
    element_end(xml);
    debug_console_write(xml, machine->sockets[CHANNEL_SIGN], "0xf9");
    debug_console_write(xml, machine->sockets[CHANNEL_CODE], "0xf8");
    if (machine->has_streams && machine_has_pci(machine)) {
        attributes(xml, "controller", "type", "virtio-serial", "index", "0", NULL);
        element_end(xml);
        port_write(xml, machine->sockets[CHANNEL_INPUT], "stdin");
        port_write(xml, machine->sockets[CHANNEL_OUTPUT], "stdout");
    }
}

static void disks_write(xmlTextWriter *xml, const struct machine *machine)
{
    for (size_t i = 0; i < machine->disk_count; ++i) {
        const struct machine_disk *disk = &machine->disks[i];
        const char name[] = {'v', 'd', (char)('a' + i), 0};
        attributes(xml, "disk", "type", "file", "device", "disk", NULL);
        attributes(xml, "driver", "name", "qemu", "type", disk->format, NULL);
        element_end(xml);
        attributes(xml, "source", "file", disk->path, NULL);
        element_end(xml);
        attributes(xml, "target", "dev", name, "bus", "virtio", NULL);
        element_end(xml);
        if (disk->read_only) {
            text_element(xml, "readonly", "");
        }
        element_end(xml);
    }
}

static void mounts_write(xmlTextWriter *xml, const struct machine *machine)
{
    for (size_t i = 0; i < machine->mount_count; ++i) {
        const struct machine_mount *mount = &machine->mounts[i];
        attributes(xml, "filesystem", "type", "mount", NULL);
        attributes(xml, "driver", "type", "virtiofs", NULL);
        element_end(xml);
        attributes(xml, "source", "socket", mount->socket, NULL);
        element_end(xml);
        attributes(xml, "target", "dir", mount->tag, NULL);
        element_end(xml);
        element_end(xml);
    }
}

// libvirt opens a tap by its own rights, and makes the one that goes on a bridge or a network.
// QEMU's user network, of whose ports libvirt 9 knows nothing without passt, is QEMU's arguments,
// and so is a switch.
static bool has_interface(const struct machine *machine)
{
    return machine_has_pci(machine) && machine->network.kind != NETWORK_NONE &&
           machine->network.kind != NETWORK_USER && machine->network.kind != NETWORK_SWITCH;
}

static void interface_write(xmlTextWriter *xml, const struct network *network)
{
    if (network->kind == NETWORK_TAP) {
        attributes(xml, "interface", "type", "ethernet", NULL);
        attributes(xml, "target", "dev", network->name, "managed", "no", NULL);
    } else if (network->kind == NETWORK_BRIDGE) {
        attributes(xml, "interface", "type", "bridge", NULL);
        attributes(xml, "source", "bridge", network->name, NULL);
    } else {
        attributes(xml, "interface", "type", "network", NULL);
        attributes(xml, "source", "network", network->name, NULL);
    }
    element_end(xml);
    attributes(xml, "mac", "address", network->hardware, NULL);
    element_end(xml);
    attributes(xml, "model", "type", "virtio", NULL);
    element_end(xml);
    attributes(xml, "rom", "enabled", "no", NULL);
    element_end(xml);
    element_end(xml);
}

static void argument_write(xmlTextWriter *xml, const char *argument)
{
    attributes(xml, "qemu:arg", "value", argument, NULL);
    element_end(xml);
}

static void list_write(xmlTextWriter *xml, char **arguments)
{
    for (char **argument = arguments; *argument != NULL; ++argument) {
        argument_write(xml, *argument);
    }
    qemu_arguments_free(arguments);
}

static void arguments_write(xmlTextWriter *xml, const struct machine *machine)
{
    element_start(xml, "qemu:commandline");
    argument_write(xml, "-device");
    argument_write(xml, "isa-debug-exit,iobase=0xf4,iosize=4");
    if (!machine_has_pci(machine)) {
        list_write(xml, qemu_virtio_arguments_make(machine));
    } else if (!has_interface(machine)) {
        list_write(xml, qemu_network_arguments_make(machine));
    }
    for (size_t i = 0; i < machine->more_count; ++i) {
        argument_write(xml, machine->more[i]);
    }
    element_end(xml);
}

char *domain_make(const struct machine *machine)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlTextWriter *xml = buffer == NULL ? NULL : xmlNewTextWriterMemory(buffer, 0);
    check(xml == NULL ? -1 : 0);
    attributes(xml, "domain", "type", machine->accelerator == ACCELERATOR_KVM ? "kvm" : "qemu",
               "xmlns:qemu", QEMU_SCHEMA, NULL);
    board_write(xml, machine);
    element_start(xml, "devices");
    attributes(xml, "controller", "type", "usb", "model", "none", NULL);
    element_end(xml);
    attributes(xml, "memballoon", "model", "none", NULL);
    element_end(xml);
    channels_write(xml, machine);
    if (machine_has_pci(machine)) {
        disks_write(xml, machine);
        mounts_write(xml, machine);
    }
    if (has_interface(machine)) {
        interface_write(xml, &machine->network);
    }
    element_end(xml);
    arguments_write(xml, machine);
    check(xmlTextWriterEndDocument(xml));
    xmlFreeTextWriter(xml);
    if (!xmlCheckUTF8(xmlBufferContent(buffer))) {
        fail(STATUS_USAGE, "libvirt takes nothing but UTF-8, in arguments and names of files; "
                           "use --direct");
    }
    char *text = text_make("%s", (const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}
