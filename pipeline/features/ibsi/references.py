"""The published phantoms and reference values, in a folder that is not part of this project.

Layout of the folder: ``ibsi1_digital_phantom`` and ``ibsi1_ct_phantom`` with
``nifti/image/phantom.nii.gz`` and ``nifti/mask/mask.nii.gz``; ``ibsi2_digital_phantom/nifti``;
``ibsi1_reference/ibsi1_reference_values.csv`` (config, family, feature, tag, aggregation,
ibsi_code, reference_value, tolerance); ``ibsi2_reference`` with ``ibsi2_reference_values.csv``
(filter_id, feature, feature_tag, consensus_value, tolerance) and ``response_maps``.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.errors import ReferenceDataError
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.ingest.mask import read_region
from pipeline.ingest.volume import read_scan

SOURCES = (
    "Phantoms: github.com/theibsi/data_sets (digital phantoms CC BY 4.0, CT phantom CC BY-NC 3.0)."
    " Reference values: IBSI reference manual, arXiv:1612.07003; of filters:"
    " github.com/theibsi/ibsi_2_reference_data (CC0). Then name their folder with --data."
)
"""Where the data come from, for messages."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A published value.

    Parameters
    ----------
    config : str
        ``digital_phantom``, ``A`` ..., ``1.A`` ...
    family, feature : str
        Names in the standard.
    code : str
        Four letters.
    aggregation : str
        Of texture matrices: ``3D_avg``, ``2_5D`` ..., else empty.
    value, tolerance : float
        In the unit of the feature.
    """

    config: str
    family: str
    feature: str
    code: str
    aggregation: str
    value: float
    tolerance: float


IBSI1_COLUMNS = ("config", "family", "feature", "tag", "aggregation", "ibsi_code")
IBSI2_COLUMNS = ("filter_id", "feature", "feature_tag")


def read_ibsi1(data: Path) -> list[Reference]:
    """Read the values of IBSI-1 that are standardised; not the diagnostics of the image processing.

    Raises
    ------
    ReferenceDataError
        If the table is not there or is another one.
    """
    return [
        Reference(
            row["config"],
            row["family"],
            row["feature"],
            row["ibsi_code"],
            row["aggregation"],
            *pair,
        )
        for row, pair in _read_table(_ibsi1_file(data), IBSI1_COLUMNS, "reference_value")
        if not row["family"].startswith("Diagnostics")
    ]


def read_ibsi2(data: Path) -> list[Reference]:
    """Read the values of IBSI-2 phase 2 on which there was consensus.

    Raises
    ------
    ReferenceDataError
        If the table, or that of IBSI-1 with the codes, is not there or is another one.
    """
    ibsi1 = _read_table(_ibsi1_file(data), IBSI1_COLUMNS, "reference_value")
    codes = {row["tag"]: row["ibsi_code"] for row, _ in ibsi1}
    file = data / "ibsi2_reference/ibsi2_reference_values.csv"
    return [
        Reference(
            row["filter_id"],
            "Statistics",
            row["feature"],
            codes.get(row["feature_tag"], ""),
            "",
            *pair,
        )
        for row, pair in _read_table(file, IBSI2_COLUMNS, "consensus_value")
    ]


def read_phantom(data: Path, name: str) -> tuple[Scan, Region]:
    """Read a phantom of IBSI-1 and its region.

    Raises
    ------
    ReferenceDataError
        If it is not there.
    """
    folder = data / name / "nifti"
    scan = read_scan(_existing(folder / "image/phantom.nii.gz"), Modality.CT)
    return scan, read_region(_existing(folder / "mask/mask.nii.gz"), 1, "tumour", scan)


def read_filter_phantom(data: Path, name: str) -> Scan:
    """Read a phantom of IBSI-2.

    Raises
    ------
    ReferenceDataError
        If it is not there.
    """
    path = data / "ibsi2_digital_phantom/nifti" / name / "image" / f"{name}.nii.gz"
    return read_scan(_existing(path), Modality.CT)


def read_response_map(data: Path, name: str) -> Scan:
    """Read what a filter of IBSI-2 should give.

    Raises
    ------
    ReferenceDataError
        If it is not there.
    """
    file = f"{name.replace('.', '_')}-ValidCRM.nii.gz"
    return read_scan(_existing(data / "ibsi2_reference/response_maps" / file), Modality.CT)


def _ibsi1_file(data: Path) -> Path:
    return data / "ibsi1_reference/ibsi1_reference_values.csv"


def _read_table(
    path: Path, columns: tuple[str, ...], value: str
) -> Iterator[tuple[dict[str, str], tuple[float, float]]]:
    """Yield the rows that have a value, each with value and tolerance."""
    with _existing(path).open(newline="", encoding="utf-8") as stream:
        table = csv.DictReader(stream)
        wanted = (*columns, value, "tolerance")
        absent = [name for name in wanted if name not in (table.fieldnames or ())]
        if absent:
            msg = f"{path}: expected columns {', '.join(wanted)}, lacking {', '.join(absent)}."
            raise ReferenceDataError(f"{msg} {SOURCES}")
        for row in table:
            if row[value]:
                yield row, (_number(path, row[value]), _number(path, row["tolerance"]))


def _number(path: Path, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        msg = f"{path}: expected a number, got {text!r}. {SOURCES}"
        raise ReferenceDataError(msg) from None


def _existing(path: Path) -> Path:
    if not path.is_file():
        msg = f"{path}: not found. {SOURCES}"
        raise ReferenceDataError(msg)
    return path
