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
from pipeline.visits import Visit, VisitRows, group_visits, load_visit

_CODE = (
    *("pipeline/regions.py", "pipeline/visit_images.py", "pipeline/visits.py"),
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
        code = identify_region_code(case.region)
        if not code:
            return own  # which names the masks as they were drawn
        settings: dict[str, object] = {"region": str(case.region)}
        if case.region.needs_visit:
            settings |= self._visit_settings(case)
        return derived_key(own, settings, code)

    def load(self, case: RegionCase) -> tuple[PreparedCase, Region]:
        """Return a prepared volume and the region of it.

        Raises
        ------
        RegionAbsentError
            If the lesion has no such region.
        ImageError, CaseError
            As :meth:`Preparation.load`.
        """
        if not case.region.needs_visit:
            prepared = self.preparation.load(case.row)
            return prepared, find_on_image(case.region, prepared.regions)
        visit = _LAST_VISIT.load(case.visit, self.preparation)
        region = find_region(case.region, visit, case.row.phase, self._needed_measure())
        return visit.phases[case.row.phase], region

    def _needed_measure(self) -> MeasureConfig:
        if self.measure is None:
            msg = "regions of a visit need the settings of measure.yaml. Give --measure-config."
            raise ConfigError(msg)
        return self.measure

    def _visit_settings(self, case: RegionCase) -> dict[str, object]:
        """Return what decides a region of a visit: all its volumes, how they are laid, limits."""
        rows, key = case.visit, self.preparation.key
        return {
            "phase": case.row.phase,
            "phases": [[phase, key(row)] for phase, row in rows.rows.items()],
            "guides": [[phase, key(row)] for phase, row in rows.guides.items()],
            "registration": self.preparation.config.registration.model_dump(mode="json"),
            "measure": self._needed_measure().model_dump(mode="json"),
        }


@dataclass(slots=True)
class KeptVisit:
    """Loads visits, one once as long as it is asked for again and again."""

    _asked: tuple[VisitRows, Preparation] | None = field(default=None, init=False)
    _visit: Visit | None = field(default=None, init=False, repr=False)

    def load(self, rows: VisitRows, preparation: Preparation) -> Visit:
        """Return a visit; see :func:`pipeline.visits.load_visit`."""
        if self._visit is None or self._asked != (rows, preparation):
            self._visit = None  # not two visits in memory
            visit = load_visit(rows, preparation)
            self._asked, self._visit = (rows, preparation), visit
        return self._visit


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
