"""The tumours that habitats are found in, and which modalities have enough of them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pipeline.domain.errors import CaseError
from pipeline.domain.scan import Timepoint
from pipeline.imaging.habitat_table import CELLS, from_cells
from pipeline.imaging.habitat_voxels import HabitatVoxels
from pipeline.tabular import check_columns, read_parquet

TUMOUR = ("patient_id", "timepoint", "modality", "lesion_id")
"""What names a tumour."""

VOXEL_COLUMNS = (*TUMOUR, *CELLS)
"""Of the table of voxels, as the stage measure writes it."""

WEIGHT_COLUMNS = (*TUMOUR, "weight", "change")
"""Of the table of weights, as the stage assemble writes it."""


@dataclass(frozen=True, slots=True)
class HabitatData:
    """The tumours that stand for patients.

    Parameters
    ----------
    tumours : mapping of (str, str, str, str) to HabitatVoxels
        By patient, time point, modality and lesion; those without voxels are not in it.
    weights : pandas.DataFrame
        :data:`WEIGHT_COLUMNS`: which lesions stand for a patient in a visit, and which ones in the
        change over time.
    timepoint : Timepoint
        Of the prediction. The change is that from baseline.
    """

    tumours: Mapping[tuple[str, ...], HabitatVoxels] = field(repr=False)
    weights: pd.DataFrame = field(repr=False)
    timepoint: Timepoint

    @classmethod
    def read(
        cls,
        voxels: pd.DataFrame,
        weights: pd.DataFrame,
        timepoint: Timepoint,
        source: str = "voxels for habitats",
    ) -> "HabitatData":
        """Decode the table of voxels, but for lesions that stand for nobody.

        Raises
        ------
        PipelineError
            If a column is absent, or a row repeats, is damaged or has other phases than the rest of
            its modality; with ``source``, the name of the table, and the row.
        """
        check_columns(voxels, VOXEL_COLUMNS, source, "measure")
        check_columns(weights, WEIGHT_COLUMNS, "weights of lesions", "assemble")
        wanted = set(weights[list(TUMOUR)].astype(str).itertuples(index=False, name=None))
        seen: set[tuple[str, ...]] = set()
        tumours: dict[tuple[str, ...], HabitatVoxels] = {}
        for row in voxels.sort_values(list(TUMOUR)).to_dict("records"):
            key = tuple(str(row[name]) for name in TUMOUR)
            found = _decode({str(name): cell for name, cell in row.items()}, key, source)
            if key in seen:
                msg = f"{_place(source, key)}: expected one row, got several. Run measure again."
                raise CaseError(msg)
            seen.add(key)
            if key in wanted and found is not None:
                tumours[key] = found
        _check_phases(tumours, source)
        return cls(tumours, weights, timepoint)

    @classmethod
    def load(cls, voxels: Path, weights: Path, timepoint: Timepoint) -> "HabitatData":
        """Read the files of both tables, see :meth:`read`."""
        return cls.read(
            read_parquet(voxels, VOXEL_COLUMNS, "measure"),
            read_parquet(weights, WEIGHT_COLUMNS, "assemble"),
            timepoint,
            str(voxels),
        )

    @property
    def modalities(self) -> list[str]:
        """Modalities with a tumour, in alphabetical order."""
        return sorted({modality for _, _, modality, _ in self.tumours})

    def count_tumours(self, patient_ids: Collection[str]) -> Counter[str]:
        """Return the number of tumours of some patients, at all time points, by modality."""
        chosen = set(patient_ids)
        return Counter(modality for patient, _, modality, _ in self.tumours if patient in chosen)


@dataclass(frozen=True, slots=True)
class TumourCount:
    """Whether a modality has tumours enough for habitats.

    Parameters
    ----------
    tumours : int
        Of all training patients, at all time points.
    smallest_training_part : int
        Of the training part of the cross-validation that has fewest.
    left_out : str
        Why it has no habitats; empty where it has.
    """

    tumours: int
    smallest_training_part: int
    left_out: str


def count_modalities(
    data: HabitatData, trained: Collection[str], parts: Sequence[Collection[str]], minimum: int
) -> dict[str, TumourCount]:
    """Decide once, for all training parts and the final model alike, which modalities take part.

    Otherwise the model in use would have inputs that the cross-validation did not judge.

    Parameters
    ----------
    data : HabitatData
        All tumours.
    trained : collection of str
        All training patients.
    parts : sequence of collection of str
        The patients of each training part.
    minimum : int
        Tumours that each of the parts must have.
    """
    total = data.count_tumours(trained)
    by_part = [data.count_tumours(part) for part in parts]
    counts = {}
    for modality in data.modalities:
        fewest = min((part[modality] for part in by_part), default=total[modality])
        why = f"expected habitats.minimum_tumours {minimum} in each training part, got {fewest}"
        enough = fewest >= max(minimum, 1)
        counts[modality] = TumourCount(total[modality], fewest, "" if enough else why)
    return counts


def _place(source: str, key: Sequence[str]) -> str:
    patient_id, timepoint, modality, lesion_id = key
    return f"{source}: patient {patient_id}, {timepoint} {modality}, lesion {lesion_id}"


def _decode(row: Mapping[str, object], key: Sequence[str], source: str) -> HabitatVoxels | None:
    try:
        return from_cells(row)
    except CaseError as error:
        msg = f"{_place(source, key)}: {error}"
        raise CaseError(msg) from None


def _check_phases(tumours: Mapping[tuple[str, ...], HabitatVoxels], source: str) -> None:
    """Refuse a modality with several sets of phases: its columns would not be the same thing."""
    first: dict[str, tuple[str, ...]] = {}
    for key, voxels in tumours.items():
        expected = first.setdefault(key[2], voxels.phases)
        if voxels.phases != expected:
            msg = (
                f"{_place(source, key)}: expected the phases {', '.join(expected)}, as other rows"
                f" of {key[2]} have, got {', '.join(voxels.phases)}. Run the stage measure again."
            )
            raise CaseError(msg)
