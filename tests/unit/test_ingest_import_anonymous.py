"""Who is who among files without a PatientID."""

from pathlib import Path

import pytest

from pipeline.ingest.collections.anonymous import AnonymousFile, name_anonymous

SOURCE = Path("exports")


def name(*files: tuple[str, str], taken: tuple[str, ...] = ()) -> list[str]:
    """Name the patients of files, each given as its place below the source and its study."""
    items = [AnonymousFile(SOURCE / place, study) for place, study in files]
    names = name_anonymous(SOURCE, items, taken)
    return [names[item.file] for item in items]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # One patient's own folder: image and mask in folders of their own, or not.
        ([("CT/1", "s"), ("SEG/1", "s")], ["CT", "CT"]),
        ([("CT/1", "s"), ("mask.dcm", "s")], ["CT", "CT"]),
        ([("1", "s"), ("2", "s")], ["exports", "exports"]),
        # A flat export of two patients.
        ([("CT_1/1", "s"), ("CT_2/1", "t"), ("a", "s"), ("b", "t")], ["CT_1", "CT_2"] * 2),
        ([("1", "s"), ("2", "t")], ["study s", "study t"]),
        # A folder a patient with several studies, as masks of 3D-IRCADb have.
        ([("p1/a/1", "s"), ("p1/b/1", "t"), ("p2/1", "u")], ["p1", "p1", "p2"]),
        ([("PATIENT_DICOM/1", "s"), ("MASKS_DICOM/liver/1", "t")], ["exports", "exports"]),
        # Nothing tells files without a study in the source itself apart.
        ([("1", ""), ("2", "")], ["exports", "exports"]),
    ],
)
def test_studies_and_top_folders_tell_patients_apart(
    files: list[tuple[str, str]], expected: list[str]
) -> None:
    assert name(*files) == expected


def test_a_folder_is_never_taken_for_the_patient_of_its_name() -> None:
    files = [("p1/1", "s"), ("p2/1", "t")]
    taken = ("p1", "p1 (folder)")
    assert name(*files, taken=taken) == ["p1 (folder) (folder)", "p2"]
