"""A slice through a lesion with its outline, as a small picture for a page."""

import base64
import io

import numpy as np
import numpy.typing as npt

from pipeline.domain.scan import Modality, Region, Scan

CT_WINDOW_HU = (-60.0, 240.0)
"""Window of an enhanced liver: level 90, width 300 HU."""

OUTLINE = "#e69f00"
"""Orange of the Okabe-Ito palette, readable on grey for colour-blind readers."""


def draw_lesion(scan: Scan, tumour: Region, caption: str) -> str:
    """Draw the axial slice with the most tumour and its outline.

    Parameters
    ----------
    scan, tumour : Scan, Region
        On one grid whose third axis is the patient's long axis.
    caption : str
        Printed under the slice; no identifiers.

    Returns
    -------
    str
        A ``data:image/png;base64`` address for an ``img`` element.
    """
    from matplotlib.figure import Figure

    number = int(np.argmax(tumour.inside.sum(axis=(1, 2))))
    spacing_x_mm, spacing_y_mm, _ = scan.geometry.spacing_mm
    figure = Figure(figsize=(4, 4), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    low, high = _window(scan)
    axes.imshow(
        scan.voxels[number], cmap="gray", vmin=low, vmax=high, aspect=spacing_y_mm / spacing_x_mm
    )
    axes.contour(tumour.inside[number], levels=[0.5], colors=OUTLINE, linewidths=1.5)
    axes.set_axis_off()
    axes.set_title(caption, fontsize=10)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _window(scan: Scan) -> tuple[float, float]:
    if scan.modality is Modality.CT:
        return CT_WINDOW_HU
    values: npt.NDArray[np.float64] = np.percentile(scan.voxels, [1, 99])
    return float(values[0]), float(values[1])
