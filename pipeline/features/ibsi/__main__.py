"""Print how well the standard is met: ``python -m pipeline.features.ibsi [--data DIR]``.

Computes the IBSI phantoms with ``preset: ibsi`` and compares with the published values. Exit code 1
where the data are absent or a comparable value does not match.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, run_command

if TYPE_CHECKING:
    from pipeline.features.ibsi.compliance import Compliance

DEFAULT_DATA = Path("../shared/data/ibsi")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    return run_command(_main, argv)


def format_table(results: Sequence["Compliance"]) -> Iterator[str]:
    """Yield the lines of the table, then what does not match, then what we do not compute."""
    from pipeline.features.ibsi.compliance import list_missing
    from pipeline.features.ibsi.configurations import OTHER_FILTERS

    yield f"{'configuration':<17}{'matched':>9}{'comparable':>12}{'not ours':>10}"
    for result in results:
        matched = len(result.compared) - len(result.failed)
        missing = len(result.without_counterpart)
        yield f"{result.name:<17}{matched:>9}{len(result.compared):>12}{missing:>10}"
    yield "\nNot matched:"
    failed = [one for result in results for one in result.failed]
    for one in failed:
        place = " ".join((one.reference.config, one.name, one.reference.aggregation)).strip()
        expected = f"{one.reference.value:g} +- {one.reference.tolerance:g}"
        yield f"  {place}: {one.value:.6g}, expected {expected}"
    if not failed:
        yield "  nothing"
    yield "\nIn the standard, not among our features:"
    for family, features in list_missing(results).items():
        yield f"  {family}: {', '.join(features)}"
    yield f"  Filters: {OTHER_FILTERS}"


def _main(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(prog="python -m pipeline.features.ibsi", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=DEFAULT_DATA, help="IBSI phantoms and values (%(default)s)"
    )
    args = parser.parse_args(argv)

    from pipeline.features.ibsi.compliance import compare_all

    results = list(compare_all(args.data))
    print("\n".join(format_table(results)))
    failed = any(result.failed for result in results)
    return ExitCode.INPUT_HAS_PROBLEMS if failed else ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
