"""Compiled kernels; everything else about the package is in pyproject.toml."""

import hashlib
import json
import os
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = Path("pipeline/features/fast/kernels")
RECORD = "built.json"
# No fused multiply-add: the numbers must not depend on what a processor can fuse.
FLAGS = ["-O3", "-ffp-contract=off"]


class BuildKernels(build_ext):
    """Compile, and record what was compiled: the package refuses kernels of another source."""

    def finalize_options(self) -> None:
        """Compile as many kernels at once as there are processors, unless told otherwise."""
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def run(self) -> None:
        """Compile all kernels and write their sources' checksums beside them."""
        super().run()
        sources = sorted(KERNELS.glob("*.pyx"))
        checksums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sources}
        folder = Path(self.get_ext_fullpath(self.extensions[0].name)).parent
        (folder / RECORD).write_text(json.dumps(checksums, indent=1) + "\n")


setup(
    cmdclass={"build_ext": BuildKernels},
    ext_modules=[
        Extension(".".join(source.with_suffix("").parts), [str(source)], extra_compile_args=FLAGS)
        for source in sorted(KERNELS.glob("*.pyx"))
    ],
)
