"""osv_image: a program, the files it needs and the x86_64 kernel as one file that boots."""

def osv_image(name, program, files = {}, args = [], env = {}, options = [], **kwargs):
    """An image in ELF format, by osv-image. Files of the build are as old as 1970: the same files make the same image.

    Args:
      name: the file; NAME.osv.
      program: its path in the image, one of files' or the host's.
      files: paths in the image by label.
      args: of the program.
      env: the program's environment.
      options: more options of osv-image.
      **kwargs: of genrule.
    """
    words = options + ["--env='%s=%s'" % pair for pair in env.items()]
    words += ["--file=$(location %s):%s" % pair for pair in files.items()]
    native.genrule(
        name = name,
        srcs = files.keys() + ["//hal-x86_64:kernel", "//sim:osv-image"],
        outs = [name + ".osv"],
        # A tool of the build, but one that is built with the rest: it needs no second compilation of core's files.
        cmd = " ".join([
            "SOURCE_DATE_EPOCH=0 ASAN_OPTIONS=detect_leaks=0 $(location //sim:osv-image) build",
            "--kernel=$(location //hal-x86_64:kernel) -o $@",
        ] + words + [program] + ["'%s'" % arg for arg in args]),
        target_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
        **kwargs
    )
