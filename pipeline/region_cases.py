"""Regions of the scans of a cohort: which are extracted, how one is loaded, how it is named."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from pipeline.cases import Preparation, key_of
from pipeline.config.extraction import ExtractionParameters
from pipeline.config.measure import MeasureConfig
from pipeline.domain.cohort import ScanRow
from pipeline.domain.errors import ConfigError
from pipeline.domain.regions import RegionName
from pipeline.domain.scan import Modality, Region
from pipeline.imaging.prepared import PreparedCase
from pipeline.regions import find_on_image, find_region
from pipeline.store.keys import derived_key, identify_software
from pipeline.visits import (
    Visit,
    VisitRows,
    VolumeKeys,
    group_visits,
    load_visit,
    name_volumes,
)

_CODE = (
    *("pipeline/regions.py", "pipeline/visit_images.py", "pipeline/visits.py"),
    *("pipeline/domain/geometry.py", "pipeline/domain/scan.py"),
    *("pipeline/imaging", "pipeline/response"),
)
_LIBRARIES = ("numpy", "scipy", "SimpleITK")


@dataclass(frozen=True, slots=True)
class RegionCase:
    """One region of one row of ``scans.csv``: one row of the feature table.

    Parameters
    ----------
    row : ScanRow
        The scan.
    region : RegionName
        The region.
    visit : VisitRows
        The lesion's phases, of which the row is one.
    """

    row: ScanRow
    region: RegionName
    visit: VisitRows

    @property
    def key(self) -> dict[str, str]:
        """The key columns of its row in the table."""
        return {**key_of(self.row), "region": str(self.region)}

    @property
    def together(self) -> Hashable:
        """What should be worked on by one process: the regions that need one visit loaded."""
        owner = self.visit.key if self.region.needs_visit else self.key
        return tuple(owner.values())


@dataclass(frozen=True, slots=True)
class RegionLoader:
    """Loads regions of prepared volumes.

    Parameters
    ----------
    preparation : Preparation
        Where the volumes come from.
    measure : MeasureConfig or None
        What counts as enhancing and as lipiodol; None where no region of a visit is asked for.
    """

    preparation: Preparation
    measure: MeasureConfig | None = None

    def name(self, case: RegionCase) -> str:
        """Return the key of a volume with one of its regions; it names all that decides these."""
        own = self.preparation.key(case.row)
        volumes = name_volumes(case.visit, self.preparation) if case.region.needs_visit else {}
        return self._name(case, own, volumes)

    def load(self, case: RegionCase) -> tuple[str, PreparedCase, Region]:
        """Return a prepared volume and the region of it, after the name of both.

        The name is of the files that were read, which may have changed since :meth:`name`.

        Raises
        ------
        RegionAbsentError
            If the lesion has no such region.
        ImageError, CaseError
            As :meth:`Preparation.load`.
        """
        if not case.region.needs_visit:
            own, prepared = self.preparation.take(case.row)
            region = find_on_image(case.region, prepared.regions)
            return self._name(case, own, {}), prepared, region
        visit = _LAST_VISIT.load(case.visit, self.preparation)
        phase = case.row.phase
        region = find_region(case.region, visit, phase, self._needed_measure())
        own = dict(visit.keys["phases"])[phase]
        return self._name(case, own, visit.keys), visit.phases[phase], region

    def _name(self, case: RegionCase, own: str, volumes: VolumeKeys) -> str:
        code = identify_region_code(case.region)
        if not code:
            return own  # which names the masks as they were drawn
        settings: dict[str, object] = {"region": str(case.region)}
        if case.region.needs_visit:
            settings |= self._visit_settings(case, volumes)
        return derived_key(own, settings, code)

    def _needed_measure(self) -> MeasureConfig:
        if self.measure is None:
            msg = "regions of a visit need the settings of measure.yaml. Give --measure-config."
            raise ConfigError(msg)
        return self.measure

    def _visit_settings(self, case: RegionCase, volumes: VolumeKeys) -> dict[str, object]:
        """Return what decides a region of a visit: all its volumes, how they are laid, limits."""
        return {
            "phase": case.row.phase,
            **volumes,
            "registration": self.preparation.config.registration.model_dump(mode="json"),
            "measure": self._needed_measure().model_dump(mode="json"),
        }


@dataclass(slots=True)
class KeptVisit:
    """Loads visits, one once as long as it is asked for and its files stay as they are."""

    _asked: tuple[VisitRows, Preparation] | None = field(default=None, init=False)
    _visit: Visit | None = field(default=None, init=False, repr=False)

    def load(self, rows: VisitRows, preparation: Preparation) -> Visit:
        """Return a visit; see :func:`pipeline.visits.load_visit`."""
        asked = (rows, preparation)
        if self._asked != asked or self._is_outdated(rows, preparation):
            self._visit = None  # not two visits in memory
        if self._visit is None:
            self._asked, self._visit = asked, load_visit(rows, preparation)
        return self._visit

    def _is_outdated(self, rows: VisitRows, preparation: Preparation) -> bool:
        return self._visit is not None and self._visit.keys != name_volumes(rows, preparation)


_LAST_VISIT = KeptVisit()
"""Of this process: the regions of a visit are worked on one after the other."""


def list_region_cases(
    scans: Sequence[ScanRow],
    parameters: Mapping[Modality, ExtractionParameters],
    phase_order: Sequence[str] = (),
) -> list[RegionCase]:
    """List what is to be extracted, in the order of the scans.

    Parameters
    ----------
    scans : sequence of ScanRow
        All of a cohort: the visits are made of them.
    parameters : mapping of Modality to ExtractionParameters
        Of each modality in the cohort.
    phase_order : sequence of str
        As for :func:`pipeline.visits.group_visits`.
    """
    visits = {
        tuple(key_of(row).values()): visit
        for visit in group_visits(scans, phase_order)
        for row in visit.rows.values()
    }
    return [
        RegionCase(row, region, visits[tuple(key_of(row).values())])
        for row in scans
        for region in parameters[row.modality].pipeline.regions
    ]


@cache
def identify_region_code(region: RegionName) -> str:
    """Name the code that finds a region; empty for regions that are drawn."""
    if region.is_drawn:
        return ""
    return f"region {identify_software(_CODE, _LIBRARIES)}"
