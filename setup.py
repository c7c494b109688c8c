"""Compiled kernels; everything else about the package is in pyproject.toml."""

from pathlib import Path

from setuptools import Extension, setup

KERNELS = Path("pipeline/features/fast/kernels")
# No fused multiply-add: the numbers must not depend on what a processor can fuse.
FLAGS = ["-O3", "-ffp-contract=off"]

setup(
    ext_modules=[
        Extension(".".join(source.with_suffix("").parts), [str(source)], extra_compile_args=FLAGS)
        for source in sorted(KERNELS.glob("*.pyx"))
    ]
)
