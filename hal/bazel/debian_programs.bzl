"""debian_programs: programs of Debian's archive that tests run, and that no machine has only because it builds this: servers, which
their packages start where they are installed. Unpacked into `root`, with those libraries that the machine lacks; nothing is
installed. Fetched when something first needs it, by the machine's own apt, which checks what it gets.
"""

_FETCH = """
set -eu
root=$PWD/apt
mkdir -p $root/archives/partial $root/lists/partial
with() {
    apt-get -q -y -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Dir::Cache=$root -o Dir::Cache::archives=$root/archives "$@"
}
fetch() {
    with --no-install-recommends --reinstall --download-only "$@"
}
# The machine may have no lists of packages, or old ones.
fetch install "$@" || {
    with -o Dir::State::lists=$root/lists update
    fetch -o Dir::State::lists=$root/lists install "$@"
}
mkdir root
for package in $root/archives/*.deb; do
    dpkg-deb -x "$package" root
done
rm -rf $root
"""

def _impl(rctx):
    rctx.file("fetch.sh", _FETCH, executable = True)
    result = rctx.execute(["bash", "fetch.sh"] + rctx.attr.packages, timeout = 300)
    if result.return_code:
        fail("not to be had from Debian's archive:\n" + result.stdout + result.stderr)
    rctx.file("root/marker", "")
    rctx.file("BUILD.bazel", "exports_files([\"root/marker\"], visibility = [\"//visibility:public\"])\n" +
                             "filegroup(name = \"files\", srcs = glob([\"root/usr/bin/**\", \"root/usr/sbin/**\", \"root/usr/lib/**\"]), " +
                             "visibility = [\"//visibility:public\"])\n")
    rctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % rctx.name)

debian_programs = repository_rule(
    implementation = _impl,
    attrs = {"packages": attr.string_list()},
)
