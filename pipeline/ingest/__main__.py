"""Import scans into a cohort folder: ``python -m pipeline.ingest SOURCE --format F --out DIR``.

Exit code 0 where everything was imported or has a reason not to be, 1 where nothing could be, 3
where some could not; those are listed. What is written to DIR carries no identifier of a header.
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
    from pipeline.ingest.collections.plan import ImportPlan, ReportRow

FORMATS = ("hcc-tace-seg", "waw-tace", "dicom")
REASONS_SHOWN = 20
"""Reasons listed on the terminal; the report has all."""


def format_summary(summary: "ImportSummary", out: Path) -> str:
    """Return what an import has come to, as text for the terminal."""
    from pipeline.ingest.collections.import_report import count
    from pipeline.ingest.collections.plan import Fate

    not_used = summary.of_fate(Fate.NOT_USED)
    lines = [
        f"{count(summary.patients, 'patient')}, {count(summary.scans, 'scan')},"
        f" {count(summary.rows, 'row')} in scans.csv;"
        f" {len(not_used)} series and masks not used, with the reason in"
        f" {out / 'ingest_report.csv'}.",
        *_listed("Notes", summary.of_fate(Fate.NOTE)),
        *_listed("Failed", summary.of_fate(Fate.FAILED)),
    ]
    return "\n".join(lines)


def _listed(title: str, rows: Sequence["ReportRow"]) -> list[str]:
    """Return the rows as lines, those of one reason together; none where there are no rows."""
    from pipeline.ingest.collections.import_report import alike, describe

    groups = alike(rows)
    lines = [f"  {describe(group)}" for group in groups[:REASONS_SHOWN]]
    more = len(groups) - REASONS_SHOWN
    lines += [f"  and {more} more reasons, see the report"] if more > 0 else []
    return [f"{title} ({len(rows)}):", *lines] if rows else []


def _where_files_are(args: argparse.Namespace, report: Sequence["ReportRow"]) -> list[str]:
    """Say how to get from a row of the report to files; WAW-TACE's rows name them."""
    if not any(row.files for row in report):
        return []
    if args.key:
        return [
            f"Which files each row of the report is about: {_files_beside(args.key)} (private)."
        ]
    return ["Paths may hold names: --key FILE writes which files each row is about beside FILE."]


def _files_beside(key: Path) -> Path:
    return key.with_name(f"{key.stem}_files.csv")


def _next_steps(args: argparse.Namespace) -> list[str]:
    fill_in = (
        f"fill in the outcome in {args.out / 'patients.csv'}, add the covariates of"
        " configs/cohort.yaml that are not there (or take them out of it),"
    )
    return [
        f"Next: correct the column phase in {args.out / 'scans.csv'} where the report doubts it,",
        *([fill_in] if args.format == "dicom" else []),
        f"then python -m pipeline.check {args.out}",
    ]


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
    add(
        "--key",
        type=Path,
        metavar="FILE",
        help="write which pseudonym is whom, and beside it (FILE_files.csv) which files and"
        " segments each row of the report is about; not inside --out",
    )
    args = parser.parse_args(argv)
    _check_usage(parser, args)
    return args


def _check_usage(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if not args.source.is_dir():
        parser.error(f"SOURCE is not a folder: {args.source}")
    out, source = args.out.resolve(), args.source.resolve()
    if out.is_relative_to(source):
        parser.error("--out lies inside SOURCE and would be imported next time")
    if args.format != "dicom" and args.pseudonyms:
        parser.error("--pseudonyms is for --format dicom; public identifiers are kept")
    if args.format == "waw-tace" and args.key:
        parser.error("--key is for DICOM; WAW-TACE keeps its identifiers and names of files")
    if args.key and args.key.resolve().is_relative_to(out):
        parser.error("--key lies inside --out: the key must not travel with the cohort")
    if args.key:
        _check_key(parser, args)


def _check_key(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    files = _files_beside(args.key)
    for file in (args.key, files):
        is_free = not file.exists() or (file is files and _is_left_over(files, args.out))
        if not is_free or not file.parent.is_dir():
            parser.error(f"--key must name a new file in a folder that exists: {file}")


def _is_left_over(files: Path, out: Path) -> bool:
    """Tell whether an import of nothing wrote a list of files; such an import writes no key."""
    from pipeline.ingest.collections.cohort_folder import is_import_of_nothing
    from pipeline.ingest.collections.import_report import is_list_of_files

    return files.is_file() and is_import_of_nothing(out) and is_list_of_files(files)


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)
    try:
        return _import(args)
    except KeyboardInterrupt:
        print(_interrupted(args), file=sys.stderr)
        return ExitCode.INTERRUPTED


def _import(args: argparse.Namespace) -> ExitCode:
    from pipeline.domain.errors import CohortError
    from pipeline.executor.machine import default_jobs
    from pipeline.ingest.collections.cohort_folder import check_output, write_cohort
    from pipeline.ingest.collections.import_report import nothing_usable
    from pipeline.ingest.collections.plan import Fate

    check_output(args.out)
    print(f"Reading the headers below {args.source}", file=sys.stderr, flush=True)
    plan, pseudonyms = _plan(args)
    summary = write_cohort(plan, args.out, args.jobs or default_jobs())
    if args.key:
        _write_key(args, pseudonyms, summary)
    if not summary.scans:
        lines = [f"Nothing imported; {args.out / 'ingest_report.csv'} lists what was found."]
        print("\n".join([*lines, *_where_files_are(args, summary.report)]), file=sys.stderr)
        raise CohortError(nothing_usable(summary.report))
    print(format_summary(summary, args.out))
    print("\n".join([*_where_files_are(args, summary.report), *_next_steps(args)]))
    return ExitCode.SOME_CASES_FAILED if summary.of_fate(Fate.FAILED) else ExitCode.DONE


def _write_key(
    args: argparse.Namespace, pseudonyms: dict[str, str], summary: "ImportSummary"
) -> None:
    from pipeline.ingest.collections.import_report import write_files
    from pipeline.ingest.pseudonyms import write_key

    if summary.scans:  # else the key would be in the way of the corrected command
        write_key(args.key, pseudonyms)
    write_files(_files_beside(args.key), args.source, summary.report)


def _interrupted(args: argparse.Namespace) -> str:
    """Say what an interrupted import leaves: the folder comes into being whole, at the end."""
    if (args.out / "scans.csv").is_file():
        return f"Interrupted. {args.out} is complete{', its key may not be' if args.key else ''}."
    return (
        f"Interrupted. Nothing is kept: {args.out} is only made when all is imported."
        " The same command starts again from the beginning."
    )


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

        plan = plan_hcc_tace_seg(args.source, rules, args.clinical)
        return plan, {patient.patient_id: patient.patient_id for patient in plan.patients}
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
