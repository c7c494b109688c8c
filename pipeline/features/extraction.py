"""Radiomics of one region of one scan, computed once and kept in the per-case store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.errors import CaseError
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.engine import RadiomicsEngine, choose_engine, identify_engine
from pipeline.imaging.intensity import IntensityReference, standardise
from pipeline.store.keys import content_key, derived_key
from pipeline.store.results import Kind, ResultStore
from pipeline.store.value_rows import from_row, to_row

FEATURES = Kind("features", ".parquet")
"""The results in the per-case store."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """What is extracted and by what.

    Parameters
    ----------
    parameters : ExtractionParameters
        What to compute.
    engine : RadiomicsEngine
        What computes it.
    """

    parameters: ExtractionParameters
    engine: RadiomicsEngine

    @property
    def made_by(self) -> str:
        """Name and version of the engine."""
        return f"{self.engine.name} {self.engine.version}"

    @property
    def software(self) -> str:
        """What names the engine in keys: also its code and libraries, which versions may miss."""
        return f"{self.made_by} {identify_engine(self.engine.name)}"

    @property
    def settings(self) -> dict[str, object]:
        """All settings that decide a result."""
        own = self.parameters.pipeline
        return {
            **self.parameters.native(),
            "standardise": own.standardise,
            "intensity": own.intensity,
            "preset": own.preset,
            "outlier_sigma": own.outlier_sigma,
        }

    def key_from(self, prepared: str, region: str) -> str:
        """Name the features of a region of a prepared volume that has this key."""
        return derived_key(prepared, {**self.settings, "region": region}, self.software)

    def key_of(
        self, scan: Scan, region: Region, references: Mapping[str, IntensityReference]
    ) -> str:
        """Name the features of a region of a scan.

        Raises
        ------
        CaseError
            As :meth:`compute`, where intensities cannot be standardised.
        """
        scan = _standardised(scan, references, self.parameters.pipeline.standardise)
        return content_key(scan, {"region": region}, self.settings, self.software)

    def compute(
        self, scan: Scan, region: Region, references: Mapping[str, IntensityReference]
    ) -> dict[str, float]:
        """Compute the features of a region.

        Parameters
        ----------
        scan, region : Scan, Region
            On one grid.
        references : mapping of str to IntensityReference
            What ``pipeline.standardise`` can name: ``image``, ``liver``, ``muscle``.

        Returns
        -------
        dict of str to float
            Exactly the engine's ``feature_names``, NaN where there is no value.

        Raises
        ------
        CaseError
            If the region is empty, the engine refuses the case, the reference is missing or has one
            value everywhere, or a CT is to be standardised.
        """
        if not region.inside.any():
            msg = (
                f"the {region.name} region is empty: expected at least one voxel, got none."
                " Check mask and mask_label of this scan."
            )
            raise CaseError(msg)
        scan = _standardised(scan, references, self.parameters.pipeline.standardise)
        if self.parameters.pipeline.intensity == "float":
            # Interpolated values keep their fractions, and no filter computes in single precision
            # because the file does.
            scan = replace(scan, voxels=scan.voxels.astype(np.float64, copy=False))
        return self.engine.extract(scan, region, self.parameters)

    def load(self, store: ResultStore, key: str) -> dict[str, float] | None:
        """Return what the store has under the key, or None."""
        stored = store.load(FEATURES, key)
        return None if stored is None else from_row(stored)

    def load_or_compute(
        self,
        store: ResultStore,
        key: str,
        scan: Scan,
        region: Region,
        references: Mapping[str, IntensityReference],
    ) -> dict[str, float]:
        """Return what the store has under the key, else compute and keep it.

        A case that fails is not kept; for the errors see :meth:`compute`.
        """
        values = self.load(store, key)
        if values is None:
            values = self.compute(scan, region, references)
            self.save(store, key, values)
        return values

    def save(self, store: ResultStore, key: str, values: Mapping[str, float]) -> None:
        """Keep features under the key."""
        row = to_row(values, key, self.made_by, self.settings)
        store.save(FEATURES, key, row, {"made_by": self.made_by})


def plan_extraction(parameters: ExtractionParameters) -> Extraction:
    """Choose the engine for a parameter file."""
    return Extraction(parameters, choose_engine(parameters).engine)


def _standardised(scan: Scan, references: Mapping[str, IntensityReference], reference: str) -> Scan:
    if reference == "none":
        return scan
    if scan.modality is Modality.CT:
        msg = (
            "CT is not standardised, its values (HU) mean the same in every patient: expected"
            f" pipeline.standardise: none, got {reference}. Correct the parameter file of CT."
        )
        raise CaseError(msg)
    if reference not in references or references[reference].deviation == 0:
        msg = (
            f"intensities cannot be standardised by the {reference}: expected a {reference} region"
            f" without lesions and with some spread, got references"
            f" {', '.join(references) or 'none'}."
            " Give the scan such a mask (liver_mask, muscle_mask), or set pipeline.standardise:"
            " image."
        )
        raise CaseError(msg)
    return standardise(scan, references[reference])
