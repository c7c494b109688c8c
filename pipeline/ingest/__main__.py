"""Import scans into a cohort folder: ``python -m pipeline.ingest SOURCE --format F --out DIR``.

Exit code 0 where everything was imported or has a reason not to be, 1 where nothing could be, 3
where some could not; those are listed. What is written carries no identifier of a header.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    from pipeline.domain.reading import Reading
    from pipeline.ingest.collections.cohort_folder import ImportSummary
    from pipeline.ingest.collections.dicom_rules import DicomRules
    from pipeline.ingest.collections.plan import ImportPlan

FORMATS = ("hcc-tace-seg", "waw-tace", "dicom")
FAILURES_SHOWN = 20
"""Failures listed on the terminal; the report has all."""


def format_summary(summary: "ImportSummary", out: Path) -> str:
    """Return what an import has come to, as text for the terminal."""
    lines = [
        f"{summary.patients} patients, {summary.scans} scans, {summary.rows} rows in scans.csv;"
        f" {summary.not_used} series and masks not used, with the reason in"
        f" {out / 'ingest_report.csv'}."
    ]
    if summary.failed:
        lines.append(f"Failed ({len(summary.failed)}):")
        for row in summary.failed[:FAILURES_SHOWN]:
            where = "  ".join(part for part in (row.patient_id, row.source) if part)
            lines.append(f"  {where}: {row.reason}")
        if len(summary.failed) > FAILURES_SHOWN:
            lines.append(f"  and {len(summary.failed) - FAILURES_SHOWN} more, see the report")
    lines.append(
        f"Next: correct the column phase in {out / 'scans.csv'} where the report doubts it,"
    )
    lines.append(f"then python -m pipeline.check {out}")
    return "\n".join(lines)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.ingest",
        description="Import a public collection or a DICOM tree into a de-identified cohort"
        " folder.",
    )
    add = parser.add_argument
    add("source", type=Path, metavar="SOURCE", help="folder that holds the files, in any layout")
    add("--format", choices=FORMATS, required=True, help="what SOURCE is")
    add("--out", type=Path, required=True, metavar="DIR", help="new or empty folder to write")
    add("--jobs", type=at_least_one, help="processes (default: as many as fit)")
    add("--clinical", type=Path, metavar="FILE", help="clinical table of the collection")
    add(
        "--resample-masks",
        action="store_true",
        help="resample masks that lie on another grid of the same frame onto their image",
    )
    dicom = parser.add_argument_group("DICOM (dicom, hcc-tace-seg)")
    add = dicom.add_argument
    add("--tumour", action="append", default=[], metavar="NAME", help="segment or contour to use")
    add("--liver", action="append", default=[], metavar="NAME", help="segment or contour to use")
    add(
        "--share-masks",
        action="store_true",
        help="use a mask for all series of its study and frame of reference; breathing between"
        " the phases may have moved the tumour out of it",
    )
    add(
        "--unmasked",
        action="store_true",
        help="also write series without a mask of the tumour; their rows have an empty mask, to be"
        " filled when it has been drawn",
    )
    add(
        "--timepoint",
        choices=("baseline", "preop"),
        default="preop",
        help="what a patient's only visit is (default: %(default)s; format dicom)",
    )
    add("--pseudonyms", type=Path, metavar="FILE", help="CSV header_id,patient_id (format dicom)")
    add("--key", type=Path, metavar="FILE", help="write which pseudonym is whom; not inside --out")
    args = parser.parse_args(argv)
    _check_usage(parser, args)
    return args


def _check_usage(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if not args.source.is_dir():
        parser.error(f"SOURCE is not a folder: {args.source}")
    out, source = args.out.resolve(), args.source.resolve()
    if out.is_relative_to(source):
        parser.error("--out lies inside SOURCE and would be imported next time")
    if args.format != "dicom" and (args.pseudonyms or args.key):
        parser.error("--pseudonyms and --key are for --format dicom; public identifiers are kept")
    if args.key and args.key.resolve().is_relative_to(out):
        parser.error("--key lies inside --out: the key must not travel with the cohort")
    if args.key and (args.key.exists() or not args.key.parent.is_dir()):
        parser.error(f"--key must name a new file in a folder that exists: {args.key}")


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)

    from pipeline.executor import default_jobs
    from pipeline.ingest.collections.cohort_folder import check_output, write_cohort
    from pipeline.ingest.pseudonyms import write_key

    check_output(args.out)
    print(f"Reading the headers below {args.source}", file=sys.stderr, flush=True)
    try:
        plan, key = _plan(args)
        summary = write_cohort(plan, args.out, args.jobs or default_jobs())
    except KeyboardInterrupt:
        print("Interrupted; nothing was written.", file=sys.stderr)
        return ExitCode.INTERRUPTED
    if args.key:
        write_key(args.key, key)
    print(format_summary(summary, args.out))
    return ExitCode.SOME_CASES_FAILED if summary.failed else ExitCode.DONE


def _plan(args: argparse.Namespace) -> tuple["ImportPlan", dict[str, str]]:
    """Return what to import, and which pseudonym stands for which header identifier."""
    from pipeline.domain.reading import Reading

    reading = Reading(resample_masks=args.resample_masks)
    if args.format == "waw-tace":
        from pipeline.ingest.collections.waw_tace import plan_waw_tace

        return plan_waw_tace(args.source, reading, args.clinical), {}
    rules = _rules(args, reading)
    if args.format == "hcc-tace-seg":
        from pipeline.ingest.collections.hcc_tace_seg import plan_hcc_tace_seg

        return plan_hcc_tace_seg(args.source, rules, args.clinical), {}
    from pipeline.ingest.collections.dicom_folder import plan_dicom
    from pipeline.ingest.pseudonyms import read_pseudonyms

    given = read_pseudonyms(args.pseudonyms) if args.pseudonyms else None
    return plan_dicom(args.source, rules, given)


def _rules(args: argparse.Namespace, reading: "Reading") -> "DicomRules":
    from pipeline.domain.scan import Timepoint
    from pipeline.ingest.collections.dicom_rules import DicomRules
    from pipeline.ingest.collections.segment_names import RegionNames

    return DicomRules(
        names=RegionNames(tuple(args.tumour), tuple(args.liver)),
        only_visit=Timepoint(args.timepoint),
        share_masks=args.share_masks,
        unmasked=args.unmasked,
        reading=reading,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Import from the command line."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
