"""Radiomics of one region of one scan, computed once and kept in the per-case store."""

import json
from collections.abc import Mapping

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.errors import CaseError
from pipeline.domain.scan import Region, Scan
from pipeline.features.engine import RadiomicsEngine
from pipeline.imaging.intensity import IntensityReference, standardise
from pipeline.store import ResultStore, content_key

STORE_KIND = "features"
"""Folder of the results in the per-case store."""


def extract_features(
    scan: Scan,
    region: Region,
    references: Mapping[str, IntensityReference],
    parameters: ExtractionParameters,
    engine: RadiomicsEngine,
    store: ResultStore | None,
) -> dict[str, float]:
    """Compute the features of a region, or take them from the store.

    Parameters
    ----------
    scan, region : Scan, Region
        On one grid.
    references : mapping of str to IntensityReference
        What ``pipeline.standardise`` can name: ``image``, ``liver``.
    parameters : ExtractionParameters
        What to compute.
    engine : RadiomicsEngine
        What computes it.
    store : ResultStore or None
        Where results are kept; a case that fails is not. None keeps nothing.

    Returns
    -------
    dict of str to float
        Exactly the engine's ``feature_names``, NaN where there is no value.

    Raises
    ------
    CaseError
        If the region is empty, the engine refuses the case, or the reference is missing.
    """
    if not region.inside.any():
        msg = (
            f"the {region.name} region is empty: expected at least one voxel, got none."
            " Check mask and mask_label of this scan."
        )
        raise CaseError(msg)
    scan = _standardised(scan, references, parameters.pipeline.standardise)
    if store is None:
        return engine.extract(scan, region, parameters)
    identity = f"{engine.name} {engine.version}"
    key = content_key(scan, {"region": region}, parameters.native(), identity)
    stored = store.load(STORE_KIND, key)
    if stored is not None:
        return {name: float(value) for name, value in json.loads(stored).items()}
    values = engine.extract(scan, region, parameters)
    store.save(STORE_KIND, key, json.dumps(values).encode())
    return values


def _standardised(scan: Scan, references: Mapping[str, IntensityReference], reference: str) -> Scan:
    if reference == "none":
        return scan
    if reference not in references:
        msg = (
            f"intensities cannot be standardised by the {reference}: expected a {reference} region"
            f" with tumour-free voxels, got references {', '.join(references) or 'none'}."
            " Give the scan a liver_mask, or set pipeline.standardise: image."
        )
        raise CaseError(msg)
    return standardise(scan, references[reference])
