"""The images of one lesion at one time point on one modality, by phase."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.resample import resample_onto
from pipeline.response.measured import Measured, Missing
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
    muscle_mean : float or None
        Mean of the image in muscle; None without a muscle mask.
    unregistered : bool
        Whether its registration failed: no other phase is compared with it place by place.
    misplaced : Missing or None
        Why the tumour mask says nothing about this phase, if so.
    """

    scan: Scan
    tumour: Region
    reference: Region | None
    muscle_mean: float | None = None
    unregistered: bool = False
    misplaced: Missing | None = None

    def measure_tumour(self) -> Measured:
        """Return the mean of the tumour."""
        return self.misplaced or measure_mean(self.scan, self.tumour)


@dataclass(frozen=True, slots=True)
class LesionImages:
    """All phases of a lesion at one time point on one modality; each may have its own grid.

    Parameters
    ----------
    modality : Modality
        Of every phase.
    phases : mapping of str to PhaseImage
        By phase; at least one, the reference phase first.
    laid : mapping of str to Scan
        Native and arterial phase on the grid of the reference phase, NaN where not covered; empty
        where there is not either.
    liver_reference : str
        Which liver the lesion is compared with, in words.
    interpolated : bool
        Whether native or arterial phase had to be interpolated to be laid.
    """

    modality: Modality
    phases: Mapping[str, PhaseImage]
    laid: Mapping[str, Scan] = field(default_factory=dict)
    liver_reference: str = ""
    interpolated: bool = False

    @property
    def reference(self) -> PhaseImage:
        """The phase that the others are laid on."""
        return next(iter(self.phases.values()))

    def scan(self, phase: str) -> Scan | None:
        """Return the image of a phase, None where there is none."""
        return self.phases[phase].scan if phase in self.phases else None

    def tumour_means(self) -> PhaseMeans:
        """Return the mean of the tumour on every phase."""
        means = {name: one.measure_tumour() for name, one in self.phases.items()}
        return PhaseMeans("tumour", means)

    def reference_means(self) -> PhaseMeans:
        """Return the mean of reference liver on every phase."""
        return PhaseMeans(
            "liver",
            {
                name: _say_no_liver(name, one)
                if one.reference is None
                else measure_mean(one.scan, one.reference)
                for name, one in self.phases.items()
            },
        )

    def muscle_means(self) -> PhaseMeans:
        """Return the mean of muscle on every phase."""
        absent = Missing("no muscle mask")
        return PhaseMeans(
            "muscle",
            {
                name: absent if one.muscle_mean is None else one.muscle_mean
                for name, one in self.phases.items()
            },
        )

    def subtraction(self) -> tuple[Scan, PhaseImage] | Missing:
        """Return arterial minus native, NaN where either does not reach, and the phase of its grid.

        Of registered phases (``laid``) that is the reference phase; else the arterial one, onto
        which the native one is brought by position, with the breath between them. Missing where a
        registration failed.
        """
        pair = self._pair()
        if isinstance(pair, Missing):
            return pair
        arterial, native, image = pair
        return subtract_native(arterial, native), image

    def native_below_gain(self) -> Scan | None:
        """Return the native phase on the grid of :meth:`subtraction`; None where there is none."""
        pair = self._pair()
        return None if isinstance(pair, Missing) else pair[1]

    def _pair(self) -> tuple[Scan, Scan, PhaseImage] | Missing:
        for phase in ("native", "arterial"):
            if phase not in self.phases:
                return Missing(f"no {phase} phase")
            if self.phases[phase].unregistered:
                return _not_registered(phase)
        if self.laid:
            return self.laid["arterial"], self.laid["native"], self.reference
        arterial = self.phases["arterial"]
        native = resample_onto(
            self.phases["native"].scan, arterial.scan.geometry, fill=float("nan")
        )
        return arterial.scan, native, arterial


def _say_no_liver(name: str, image: PhaseImage) -> Missing:
    return _not_registered(name) if image.unregistered else Missing("no reference liver")


def _not_registered(phase: str) -> Missing:
    return Missing(f"the {phase} phase is not registered")


def keep_covered(region: Region, scan: Scan) -> Region:
    """Return the part of a region where an image on its grid has values."""
    return Region(region.inside & np.isfinite(scan.voxels), region.geometry, region.name)
