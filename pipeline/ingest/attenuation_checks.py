"""What the attenuation under a tumour's region says of it: air, iodised oil.

Only CT has a scale on which these are known. On MR and PET nothing is said about the body's
outline: a mask beside the body is found there by eye only.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.row_problem import about


def find_attenuation_problems(
    scan: Scan, row: ScanRow, tumour: Region, limits: Checks
) -> Iterator[Problem]:
    """List what the voxels under a row's tumour region say.

    Parameters
    ----------
    scan : Scan
        A CT in Hounsfield units.
    row : ScanRow
        Iodised oil is looked for where its phase is native: contrast is as dense.
    tumour : Region
        Not empty, on the grid of the scan.
    limits : Checks
        Attenuations and shares.
    """
    values = scan.voxels[tumour.inside]
    yield from _find_air(row, values, limits)
    if row.phase == "native":
        yield from _find_lipiodol(row, values, limits)


def _find_air(row: ScanRow, values: npt.NDArray[Any], limits: Checks) -> Iterator[Problem]:
    share = float(np.mean(values < limits.air_hu))
    if share > limits.air_share_warning:
        is_error = share > limits.air_share_error
        allowed = limits.air_share_error if is_error else limits.air_share_warning
        key = "air_share_error" if is_error else "air_share_warning"
        yield about(row, row.mask)(
            code=Code.MASK_OUTSIDE_BODY,
            what="the tumour lies in air" if is_error else "part of the tumour lies in air",
            expected=f"at most {allowed:.0%} of its voxels below {limits.air_hu:g} HU"
            f" (checks.{key})",
            got=f"{share:.0%} of {values.size} voxels",
            next_step="Look at mask and image together: the mask may be mirrored or another's.",
            severity=Severity.ERROR if is_error else Severity.WARNING,
        )


def _find_lipiodol(row: ScanRow, values: npt.NDArray[Any], limits: Checks) -> Iterator[Problem]:
    share = float(np.mean(values > limits.lipiodol_hu))
    if share > limits.lipiodol_share:
        yield about(row, row.mask)(
            code=Code.LIPIODOL_PRESENT,
            what="the tumour holds voxels as dense as iodised oil on an unenhanced CT",
            expected=f"at most {limits.lipiodol_share:.0%} of its voxels above"
            f" {limits.lipiodol_hu:g} HU (checks.lipiodol_share)",
            got=f"{share:.0%} of {values.size} voxels, up to {float(values.max()):g} HU",
            next_step="Texture and enhancement of this CT are not the tumour's own; prefer MR.",
            severity=Severity.WARNING,
        )
