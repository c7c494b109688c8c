#!/bin/sh
# Say what this machine lacks before an installation fails half-way.
# usage: check_machine.sh PYTHON
python=$1
missing=0

complain() {
    echo "set-up: $1" >&2
    missing=1
}

if [ -z "$python" ]; then
    complain "no Python found. Install Python 3.11, or name it: make setup PYTHON=/path/to/python3.11"
else
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
    if [ "$version" != 3.11 ]; then
        complain "$python is Python ${version:-unknown}, but 3.11 is needed (pyradiomics 3.0.1 does not build on later ones). Install it, or name it: make setup PYTHON=/path/to/python3.11"
    else
        "$python" -c 'import venv, ensurepip' 2>/dev/null ||
            complain "$python lacks the modules venv and ensurepip. On Debian and Ubuntu: apt-get install python3.11-venv"
        headers=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
        [ -f "$headers/Python.h" ] ||
            complain "Python's C headers are missing ($headers/Python.h), pyradiomics and our own kernels are compiled against them. On Debian and Ubuntu: apt-get install python3.11-dev"
    fi
fi
command -v "${CC:-cc}" >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 ||
    complain "no C compiler (cc, gcc) found; pyradiomics and our own kernels are compiled during set-up. On Debian and Ubuntu: apt-get install build-essential"
command -v git >/dev/null 2>&1 ||
    complain "git not found; DVC and the record of each run need it."
exit $missing
