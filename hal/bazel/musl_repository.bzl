"""musl_repository: unpack musl's source from Debian's source package.

Order: (1) $OSV_MUSL_TARBALL, a local file; (2) `apt-get source --download-only`
with a private apt configuration (nothing below /etc is written, no root needed).
Whatever the way, the tarball must have the given sha256.

`edits` maps a file of musl to a sed script: for lines that no header found earlier can
replace. An edit that changes nothing is an error. Each has its reason in WORKSPACE.
"""

_FETCH = """
set -eu
root=$PWD/apt
mkdir -p $root/lists/partial $root/archives/partial
# the machine's own Debian mirror
uri=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
    awk '$2 == "Debian" && $3 == "Debian" {print $1; exit}')
cat > $root/sources.list <<EOF
deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${uri:-http://deb.debian.org/debian/} bookworm main
EOF
cat > $root/apt.conf <<EOF
Dir::Etc::sourcelist "$root/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$root/lists";
Dir::Cache "$root";
Dir::Cache::archives "$root/archives";
APT::Sandbox::User "root";
EOF
export APT_CONFIG=$root/apt.conf
apt-get -q update
apt-get -q source --download-only "$1"
rm -rf $root
"""

def _edit(rctx, path, script):
    before = rctx.read(path)
    result = rctx.execute(["sed", "-i", script, path])
    if result.return_code:
        fail("sed '%s' %s: %s" % (script, path, result.stderr))
    if rctx.read(path) == before:
        fail("sed '%s' changes nothing in %s" % (script, path))

def _impl(rctx):
    tarball = rctx.os.environ.get("OSV_MUSL_TARBALL")
    if tarball:
        rctx.symlink(tarball, "musl.tar.gz")
    else:
        rctx.file("fetch.sh", _FETCH, executable = True)
        result = rctx.execute(["bash", "fetch.sh", "musl"], timeout = 300)
        if result.return_code:
            fail("apt-get source musl failed:\n" + result.stdout + result.stderr)
        rctx.symlink("musl_%s.orig.tar.gz" % rctx.attr.version, "musl.tar.gz")
    result = rctx.execute(["sha256sum", "musl.tar.gz"])
    if result.stdout.split(" ")[0] != rctx.attr.sha256:
        fail("musl tarball has sha256 " + result.stdout + ", expected " + rctx.attr.sha256)
    rctx.extract("musl.tar.gz", stripPrefix = "musl-" + rctx.attr.version)
    for path, script in rctx.attr.edits.items():
        _edit(rctx, path, script)
    rctx.symlink(rctx.attr.build_file, "BUILD.bazel")
    rctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % rctx.name)

musl_repository = repository_rule(
    implementation = _impl,
    attrs = {
        "version": attr.string(mandatory = True),
        "sha256": attr.string(mandatory = True),
        "build_file": attr.label(mandatory = True, allow_single_file = True),
        "edits": attr.string_dict(),
    },
    environ = ["OSV_MUSL_TARBALL"],
)
