"""Look into the store of results of single cases, and free space in it.

The store only ever grows. Nothing in it is needed to keep results right: what was removed is
computed again when it is asked for.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, run_command

if TYPE_CHECKING:
    from pipeline.store.cleaning import Entry

_GB = 10**9


def _size(text: str) -> float:
    value = float(text)
    if not value >= 0:
        msg = f"expected a number from 0, got {text}"
        raise argparse.ArgumentTypeError(msg)
    return value


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.store",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--root", type=Path, help="default: NECROSIS_STORE, else data/store")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="entries and size by kind")
    gc = commands.add_parser("gc", help="remove what was not used for long")
    gc.add_argument("--max-gb", type=_size, help="size to come down to, the longest unused first")
    gc.add_argument("--unused-days", type=_size, help="remove what was not used for longer")
    gc.add_argument("--dry-run", action="store_true", help="only say what would go")
    args = parser.parse_args(argv)
    if args.command == "gc" and args.max_gb is None and args.unused_days is None:
        gc.error("expected --max-gb or --unused-days")
    return args


def _summary(entries: "Sequence[Entry]", title: str) -> str:
    count: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for entry in entries:
        kind = entry.files[-1].parent.parent.name
        count[kind] += 1
        size[kind] += entry.size_bytes
    rows = [f"  {kind}: {count[kind]} entries, {size[kind] / _GB:.3f} GB" for kind in sorted(count)]
    total = f"{title}: {len(entries)} entries, {sum(size.values()) / _GB:.3f} GB"
    return "\n".join([total, *rows])


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)

    from pipeline.store.cleaning import choose_removals, list_entries, remove
    from pipeline.store.results import ResultStore, default_store_root

    store = ResultStore(args.root or default_store_root())
    if args.command == "list":
        print(_summary(list_entries(store), str(store.root)))
        return ExitCode.DONE
    limit = None if args.max_gb is None else int(args.max_gb * _GB)
    chosen = choose_removals(store, limit, args.unused_days)
    if not args.dry_run:
        remove(chosen)
    print(_summary(chosen, "would go" if args.dry_run else "removed"))
    return ExitCode.DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
