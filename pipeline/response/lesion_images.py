"""The images of one lesion at one time point on one modality, by phase."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.resample import resample_onto
from pipeline.response.measured import Missing
from pipeline.response.phase_ratios import PhaseMeans
from pipeline.response.qeasl import subtract_native
from pipeline.response.values import measure_mean


@dataclass(frozen=True, slots=True)
class PhaseImage:
    """One phase with its regions, all on one grid.

    Parameters
    ----------
    scan : Scan
        The image.
    tumour : Region
        The lesion.
    reference : Region or None
        Tumour-free liver; None without a liver mask or where too little liver is left.
    """

    scan: Scan
    tumour: Region
    reference: Region | None


@dataclass(frozen=True, slots=True)
class LesionImages:
    """All phases of a lesion at one time point on one modality; each may have its own grid.

    Parameters
    ----------
    modality : Modality
        Of every phase.
    phases : mapping of str to PhaseImage
        By phase; at least one.
    """

    modality: Modality
    phases: Mapping[str, PhaseImage]

    def scan(self, phase: str) -> Scan | None:
        """Return the image of a phase, None where there is none."""
        return self.phases[phase].scan if phase in self.phases else None

    def tumour_means(self) -> PhaseMeans:
        """Return the mean of the tumour on every phase."""
        means = {name: measure_mean(image.scan, image.tumour) for name, image in self._items()}
        return PhaseMeans("tumour", means)

    def reference_means(self) -> PhaseMeans:
        """Return the mean of reference liver on every phase."""
        absent = Missing("no reference liver")
        return PhaseMeans(
            "liver",
            {
                name: absent
                if image.reference is None
                else measure_mean(image.scan, image.reference)
                for name, image in self._items()
            },
        )

    def subtraction(self) -> tuple[Scan, PhaseImage] | Missing:
        """Return arterial minus native, NaN where either does not reach, with the arterial phase.

        The native phase is brought onto the arterial grid by position; breathing between them is
        corrected only where the scans were registered before.
        """
        for phase in ("native", "arterial"):
            if phase not in self.phases:
                return Missing(f"no {phase} phase")
        arterial = self.phases["arterial"]
        native = resample_onto(
            self.phases["native"].scan, arterial.scan.geometry, fill=float("nan")
        )
        return subtract_native(arterial.scan, native), arterial

    def _items(self) -> list[tuple[str, PhaseImage]]:
        return list(self.phases.items())


def keep_covered(region: Region, scan: Scan) -> Region:
    """Return the part of a region where an image on its grid has values."""
    return Region(region.inside & np.isfinite(scan.voxels), region.geometry, region.name)
