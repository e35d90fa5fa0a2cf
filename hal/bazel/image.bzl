"""osv_image: a program, the files it needs and the x86_64 kernel as one file that boots."""

def osv_image(name, program, files = {}, args = [], env = {}, options = [], format = "elf", **kwargs):
    """An image, by osv-image. Files of the build are as old as 1970: the same files make the same image.

    Args:
      name: the file; NAME.osv, or NAME.raw or NAME.qcow2.
      program: its path in the image, one of files' or the host's.
      files: paths in the image by label.
      args: of the program.
      env: the program's environment.
      options: more options of osv-image.
      format: elf, raw or qcow2.
      **kwargs: of genrule.
    """
    words = options + ["--env='%s=%s'" % pair for pair in env.items()]
    words += ["--file=$(location %s):%s" % pair for pair in files.items()]
    native.genrule(
        name = name,
        # The tool is built with the rest: it needs no second compilation of core's files.
        srcs = files.keys() + ["//hal-x86_64:kernel", "//sim:osv-image"],
        outs = [name + {"elf": ".osv", "qcow2": ".qcow2", "raw": ".raw"}[format]],
        cmd = " ".join([
            "SOURCE_DATE_EPOCH=0 $(location //sim:osv-image) build --format=" + format,
            "--kernel=$(location //hal-x86_64:kernel) -o $@",
        ] + words + [program] + ["'%s'" % arg for arg in args]),
        target_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
        **kwargs
    )
