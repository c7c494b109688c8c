"""Radiomics of a region under perturbations, each computed once and kept in the per-case store."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial

import numpy as np

from pipeline.config.stability import StabilityConfig
from pipeline.executor.outcome import CaseOutcome, attempt
from pipeline.features.extraction import Extraction
from pipeline.imaging.crop import bounding_box, crop_region, crop_scan
from pipeline.imaging.perturbation.chain import perturb
from pipeline.imaging.prepared import PreparedCase
from pipeline.store.keys import derived_key, identify_software
from pipeline.store.results import ResultStore

_CODE = (
    "pipeline/domain/geometry.py",
    "pipeline/domain/scan.py",
    "pipeline/features/stability/perturbed.py",
    "pipeline/imaging/crop.py",
    "pipeline/imaging/itk.py",
    "pipeline/imaging/perturbation",
)
_LIBRARIES = ("numpy", "scipy", "scikit-image", "SimpleITK", "PyWavelets")

REGION = "tumour"
"""The region that is perturbed and extracted."""


@dataclass(frozen=True)
class PerturbedCase:
    """A prepared scan whose tumour is perturbed.

    Parameters
    ----------
    name : str
        What names the scan in the cohort; chance depends on it.
    key : str
        Of the prepared volume in the store.
    load : callable
        Returns the prepared volume after its key, which is another where files have changed.
    margin_mm : float
        What extraction is shown around the tumour.
    """

    name: str
    key: str
    load: Callable[[], tuple[str, PreparedCase]]
    margin_mm: float

    @cached_property
    def cropped(self) -> tuple[str, PreparedCase]:
        """The volume cut down to the tumour and its margin, as if there were no liver; its key."""
        key, whole = self.load()
        tumour = whole.regions[REGION]
        box = bounding_box([tumour], whole.scan.geometry, self.margin_mm)
        regions = {REGION: crop_region(tumour, box)}
        return key, PreparedCase(crop_scan(whole.texture_scan, box), regions, whole.references)


def extract_perturbed(
    case: PerturbedCase, extraction: Extraction, config: StabilityConfig, store: ResultStore
) -> tuple[CaseOutcome[dict[str, float]], ...]:
    """Extract the features of every perturbation of a case.

    Each is kept as soon as it is there, so that a run that was stopped resumes. What fails is not
    kept, and does not stop the other perturbations.

    Parameters
    ----------
    case : PerturbedCase
        The volume is loaded only where a perturbation is not in the store.
    extraction : Extraction
        As for the features that models are trained on.
    config : StabilityConfig
        How many perturbations, how far they go, and the seed.
    store : ResultStore
        Where results are kept.

    Returns
    -------
    tuple of CaseOutcome
        The features, or why there are none, by number of the perturbation.
    """
    work = partial(_extract_one, case=case, extraction=extraction, config=config, store=store)
    return tuple(attempt(work, number) for number in range(config.perturbations))


def _extract_one(
    number: int,
    case: PerturbedCase,
    extraction: Extraction,
    config: StabilityConfig,
    store: ResultStore,
) -> dict[str, float]:
    identity = {"seed": config.seed, "case": digest(case.name), "number": number}
    settings = {**config.perturbation.model_dump(), **identity, "margin_mm": case.margin_mm}
    key = derived_key(extraction.key_from(case.key, REGION), settings, _software())
    known = extraction.load(store, key)
    if known is not None:
        return known
    own, cropped = case.cropped
    key = derived_key(extraction.key_from(own, REGION), settings, _software())
    seed = np.random.SeedSequence((config.seed, digest(case.name), number))
    scan, region = perturb(cropped.scan, cropped.regions[REGION], config.perturbation, seed)
    return extraction.load_or_compute(store, key, scan, region, cropped.references)


def digest(name: str) -> int:
    """Return a number that stands for a case, the same on every machine and in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


@cache
def _software() -> str:
    """Name the code that perturbs: another may draw other numbers."""
    return identify_software(_CODE, _LIBRARIES)
