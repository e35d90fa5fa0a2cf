"""debian_kernel: Linux's kernel from Debian's package, for side-by-side figures.

The newest that linux-image-cloud-amd64 of the machine's own mirror stands for, which apt checks; nothing is installed. It is
fetched when something first needs it, and stays: from then on no network is used. $OSV_LINUX, a kernel's file, is taken instead. Beside it
are the modules by which it has virtio's network, in the order in which it takes them; with $OSV_LINUX there are none.
"""

_FETCH = """
set -eu
package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" {print $2; exit}')
[ -n "$package" ] || { echo "apt knows no linux-image-cloud-amd64; run hal/tools/setup" >&2; exit 1; }
apt-get -q -o APT::Sandbox::User=root download "$package"
dpkg-deb -x "$package"_*.deb unpacked
mv unpacked/boot/vmlinuz-* vmlinuz
number=0
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net; do
    mv "$(find unpacked/lib/modules -name $module.ko)" modules/$number-$module.ko
    number=$((number + 1))
done
rm -rf unpacked ./*.deb
"""

def _impl(rctx):
    rctx.file("modules/marker", "")
    kernel = rctx.os.environ.get("OSV_LINUX")
    if kernel:
        rctx.symlink(kernel, "vmlinuz")
    else:
        rctx.file("fetch.sh", _FETCH, executable = True)
        result = rctx.execute(["bash", "fetch.sh"], timeout = 300)
        if result.return_code:
            fail("no kernel from Debian's archive; set OSV_LINUX to one:\n" + result.stdout + result.stderr)
    rctx.file("BUILD.bazel", "exports_files([\"vmlinuz\", \"modules/marker\"])\n" +
                             "filegroup(name = \"modules\", srcs = glob([\"modules/*\"]), visibility = [\"//visibility:public\"])\n")
    rctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % rctx.name)

debian_kernel = repository_rule(implementation = _impl, environ = ["OSV_LINUX"])
