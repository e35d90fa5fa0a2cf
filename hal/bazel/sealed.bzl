"""sealed_core: core and musl as one relocatable object.

1. `ld -r` of all archives; those of musl's symbols that core defines too are made weak before, so that a function of
core takes the place of musl's. (The others stay as they are: musl has weak stand-ins of its own.) 2. `nm` of it and the list of glibc's names make the export
table, an assembly file that defines libc_exports and libc_export_count. 3. `ld -r` of
both; every global symbol becomes local but `keep`. So our `read` and the host's `read`
never meet: what is undefined is the HAL (and the compiler's own run-time).

For a core in which some files are others (tests/system/seeded/core_bugs), `replaced` names libraries whose objects
take the place of those of the same name in `room`; such a core has no debug information, so that it is made in a second.
"""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

_COMMAND = """set -e
ld=$1 nm=$2 objcopy=$3 ar=$4 cc=$5 names=$6 script=$7 keep=$8 out=$9
shift 9
t=${out%.a}
strip=
if [ -n "$REPLACED" ]; then
    strip=-S
    cp "$ROOM" $t.room.a
    chmod u+w $t.room.a
    for object in $("$ar" t "$REPLACED"); do "$ar" t $t.room.a "$object" > /dev/null; "$ar" d $t.room.a "$object"; done
    set -- "$@" $t.room.a "$REPLACED"
fi
defined() { "$nm" -g --defined-only --quiet "$@" | awk 'NF == 3 { print $3 }' | LC_ALL=C sort -u; }
musl=$1
shift
defined "$musl" > $t.musl
defined "$@" > $t.core
LC_ALL=C comm -12 $t.musl $t.core > $t.weak
"$objcopy" --weaken-symbols=$t.weak "$musl" $t.weak.a
"$ld" -r $strip -o $t.all.o --whole-archive "$@" $t.weak.a --no-whole-archive
"$nm" -g --defined-only $t.all.o > $t.nm
/usr/bin/python3 "$script" "$names" $t.nm > $t.exports.s
"$cc" $CC_FLAGS -c $t.exports.s -o $t.exports.o
"$ld" -r -o $t.joined.o $t.all.o $t.exports.o
"$objcopy" --keep-global-symbols=$keep $t.joined.o $t.o
rm -f "$out" $t.room.a $t.all.o $t.joined.o $t.exports.o $t.weak.a $t.weak $t.musl $t.core
"$ar" rcsD "$out" $t.o
"""

def _archives(deps):
    """The static libraries of deps, each once."""
    found = {}
    for dep in deps:
        for linker_input in dep[CcInfo].linking_context.linker_inputs.to_list():
            for library in linker_input.libraries:
                found[library.pic_static_library or library.static_library] = True
    return found.keys()

def _impl(ctx):
    cc = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = cc,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    libc = _archives([ctx.attr.musl])
    archives = libc + [a for a in _archives(ctx.attr.deps) if a not in libc]
    replaced = ctx.file.replaced
    room = None
    if replaced:
        # lib/libmem_seed.a of //core/mem:mem_seed
        rooms = [a for a in archives if a.owner == ctx.attr.room.label]
        if len(rooms) != 1:
            fail("room: %s is not one of deps" % ctx.attr.room.label)
        room = rooms[0]
    keep = ctx.actions.declare_file(ctx.label.name + ".keep")
    ctx.actions.write(keep, "\n".join(ctx.attr.keep) + "\n")
    name = ctx.label.name
    out = ctx.actions.declare_file("lib" + name + ".a")
    sealed = ctx.actions.declare_file("lib" + name + ".o")
    table = ctx.actions.declare_file("lib" + name + ".exports.s")
    symbols = ctx.actions.declare_file("lib" + name + ".nm")
    args = ctx.actions.args()
    args.add_all([cc.ld_executable, cc.nm_executable, cc.objcopy_executable, cc.ar_executable])
    args.add_all([cc.compiler_executable, ctx.file.glibc_names, ctx.file.exports_script, keep, out])
    args.add_all([a for a in archives if a != room])
    ctx.actions.run_shell(
        inputs = depset(
            archives + [keep, ctx.file.glibc_names, ctx.file.exports_script] + ([replaced] if replaced else []),
            transitive = [cc.all_files],
        ),
        outputs = [out, sealed, table, symbols],
        command = _COMMAND,
        arguments = [args],
        env = {
            "CC_FLAGS": "",
            "REPLACED": replaced.path if replaced else "",
            "ROOM": room.path if room else "",
        },
        mnemonic = "SealCore",
        progress_message = "Sealing %s" % ctx.label,
    )
    library = cc_common.create_library_to_link(
        actions = ctx.actions,
        feature_configuration = features,
        cc_toolchain = cc,
        static_library = out,
        alwayslink = True,
    )
    return [
        DefaultInfo(files = depset([out])),
        OutputGroupInfo(
            object = depset([sealed]),
            table = depset([table]),
            symbols = depset([symbols]),
        ),
        CcInfo(
            linking_context = cc_common.create_linking_context(
                linker_inputs = depset([cc_common.create_linker_input(
                    owner = ctx.label,
                    libraries = depset([library]),
                )]),
            ),
        ),
    ]

_sealed_core = rule(
    implementation = _impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "replaced": attr.label(allow_single_file = [".a"]),
        "room": attr.label(providers = [CcInfo]),
        "musl": attr.label(providers = [CcInfo], mandatory = True),
        "keep": attr.string_list(mandatory = True),
        "glibc_names": attr.label(mandatory = True, allow_single_file = True),
        "exports_script": attr.label(mandatory = True, allow_single_file = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

UPCALLS = [
    "upcall_boot",
    "upcall_cpu",
    "upcall_timer",
    "upcall_kick",
    "upcall_dev",
    "upcall_notice",
    "upcall_fault",
    "upcall_syscall",
    "upcall_lock_order",
    "upcall_race",
    "upcall_table_get",
    "upcall_table_put",
]

def sealed_core(name, deps, **kwargs):
    """All of core and musl as one object. What it gives: the upcalls. What it asks for: hal_*.

    Args:
      name: the library.
      deps: the rooms.
      **kwargs: replaced and room, see above, and what every rule takes.
    """
    _sealed_core(
        name = name,
        exports_script = "//core/libc:exports.py",
        glibc_names = "//core/libc:glibc_names.txt",
        keep = UPCALLS,
        musl = "@musl",
        deps = deps,
        **kwargs
    )
