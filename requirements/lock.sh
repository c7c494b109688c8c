#!/bin/sh
# Renew the locked versions from pyproject.toml. Needs uv; run from the project's root.
# Hashes and no index addresses: pip takes the packages from the index it is configured for.
set -eu
# pyradiomics' set-up imports numpy; 72.0.0 is the one setuptools release that cannot build it.
# Cython compiles our own kernels.
build='setuptools==80.9.0
numpy==2.4.6
cython==3.3.1'
header='# Written by `make lock` from pyproject.toml; do not edit.'

compile() {
    target=$1
    shift
    # Extras stay named: pip looks for the newest coverage[toml] even where coverage is pinned.
    { echo "$header"; uv pip compile "$@" --universal --generate-hashes --no-header --no-strip-extras \
        --no-annotate --python-version 3.11 --quiet; } > "$target.new"
    mv "$target.new" "$target"
}

echo "$build" | compile requirements/build.lock.txt -
compile requirements/all.lock.txt pyproject.toml --all-extras
compile requirements/predict.lock.txt pyproject.toml --constraint requirements/all.lock.txt
