"""Which segment is what, which visit is which, and which scan a mask belongs to."""

from pathlib import Path

import pytest
from dicom_trees import Study, write_ct, write_seg
from pydicom import dcmread

from pipeline.domain.scan import Timepoint
from pipeline.ingest.collections.dicom_rules import DicomRules
from pipeline.ingest.collections.dicom_tree import plan_patient, read_tree
from pipeline.ingest.collections.plan import Fate, PatientSource, ReportRow
from pipeline.ingest.collections.segment_names import RegionNames, region_kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Mass", "tumour"),
        ("Tumor_1", "tumour"),
        ("GTV-1", "tumour"),
        ("GTVp", "tumour"),
        ("GTVn", ""),
        ("HCC lesion", "tumour"),
        ("livertumor01", "tumour"),
        ("Liver", "liver"),
        ("whole liver", "liver"),
        ("Liver Remnant", ""),
        ("Liver minus GTV", ""),
        ("non-tumor liver", ""),
        ("Abdominal aorta", "aorta"),
        ("Portal vein", "portal_vein"),
        ("Hepatic", ""),
        ("", ""),
    ],
)
def test_names_of_segments(name: str, kind: str) -> None:
    assert region_kind(name, RegionNames()) == kind


def test_names_given_by_the_user_replace_the_usual_ones() -> None:
    names = RegionNames(tumour=("viable part",))
    assert region_kind("Viable part ", names) == "tumour"
    assert region_kind("Mass", names) == ""
    assert region_kind("Liver", names) == "liver"


def plan(root: Path, **rules: object) -> tuple[PatientSource, list[ReportRow]]:
    return plan_patient(read_tree(root), "X", "P001", DicomRules(**rules))  # type: ignore[arg-type] # by name


def study(root: Path, date: str) -> Study:
    return Study(patient_id="X", date=date, folder=root / (date or "undated"))


def test_first_and_last_visit_count_and_the_middle_is_listed(tmp_path: Path) -> None:
    for date in ("20200110", "20200301", "20200201"):
        visit = study(tmp_path, date)
        write_seg(visit, write_ct(visit, 1, "portal", "portal"))
    patient, report = plan(tmp_path)
    found = [(scan.timepoint, scan.days_from_first_scan) for scan in patient.scans]
    assert found == [(Timepoint.BASELINE, 0), (Timepoint.PREOP, 51)]
    reasons = [row.reason for row in report if row.fate is Fate.NOT_USED]
    assert reasons == ["neither the first nor the last visit"]


def test_a_single_visit_is_what_the_user_says(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    write_seg(visit, write_ct(visit, 1, "portal", "portal"))
    patient, _ = plan(tmp_path, only_visit=Timepoint.BASELINE)
    assert [scan.timepoint for scan in patient.scans] == [Timepoint.BASELINE]


def test_an_undated_study_among_others_is_not_ordered_by_chance(tmp_path: Path) -> None:
    for date in ("20200110", ""):
        visit = study(tmp_path, date)
        write_seg(visit, write_ct(visit, 1, "portal", "portal"))
    patient, report = plan(tmp_path)
    assert patient.scans == ()
    assert sum("cannot be ordered" in row.reason for row in report) == 2


def test_of_two_masks_of_one_name_the_second_is_a_failure(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    slices = write_ct(visit, 1, "portal", "portal")
    write_seg(visit, slices, "Segmentation", number=301)
    used = write_seg(visit, slices, "Manual", number=300)
    patient, report = plan(tmp_path)
    assert {region.path for region in patient.scans[0].regions} == {used}
    reasons = [row.reason for row in report if row.fate is Fate.FAILED]
    assert reasons == ["two masks of the same series name mass; remove one, or rename it"]


def test_a_program_s_mask_and_a_copy_are_no_failures(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    slices = write_ct(visit, 1, "portal", "portal")
    used = write_seg(visit, slices, number=301)
    write_seg(visit, slices, "AI", ("Liver", "Mass", "x"), 300, "AUTOMATIC")
    (visit.folder / "copy.dcm").write_bytes(used.read_bytes())
    patient, report = plan(tmp_path)
    assert {region.path.name for region in patient.scans[0].regions} <= {used.name, "copy.dcm"}
    fates = {row.source: (row.fate, row.reason) for row in report if row.fate is Fate.NOT_USED}
    assert fates == {
        "SEG, series 300": (
            Fate.NOT_USED,
            "its tumours are a program's, those of another mask are used",
        ),
        "SEG, series 301": (Fate.NOT_USED, "copy of a mask that is used"),
    }


def test_a_tumour_of_a_known_name_is_a_failure_though_its_liver_is_used(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    slices = write_ct(visit, 1, "portal", "portal")
    first = write_seg(visit, slices, "first", ("x", "GTV"), number=300)
    second = write_seg(visit, slices, "second", ("Liver", "gtv "), number=301)
    patient, report = plan(tmp_path)
    found = {(region.name, region.path) for region in patient.scans[0].regions}
    assert found == {("tumour", first), ("liver", second)}
    failed = [row.reason for row in report if row.fate is Fate.FAILED]
    assert failed == ["two masks of the same series name gtv; remove one, or rename it"]


def test_a_repeated_name_and_a_single_one_are_one_name(tmp_path: Path) -> None:
    """Regions of a repeated name go by their numbers, which the name in another file is not."""
    visit = study(tmp_path, "20200110")
    slices = write_ct(visit, 1, "portal", "portal")
    write_seg(visit, slices, "first", ("x", "Lesion", "Lesion"), number=300)
    write_seg(visit, slices, "second", ("x", "Lesion"), number=301)
    patient, report = plan(tmp_path)
    assert [region.label for region in patient.scans[0].regions] == [2, 3]
    assert [row.fate for row in report] == [Fate.USED, Fate.FAILED]


def test_all_files_of_lesions_are_shared_but_those_of_one_series_only(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    portal = write_ct(visit, 1, "portal", "portal")
    arterial = write_ct(visit, 2, "arterial", "arterial")
    write_ct(visit, 3, "native", "native")
    write_seg(visit, portal, "first", ("x", "Lesion 1"), number=300)
    write_seg(visit, arterial, "other", ("x", "GTV"), number=301)
    write_seg(visit, portal, "second", ("x", "y", "Lesion 2"), number=302)
    patient, _ = plan(tmp_path, share_masks=True)
    labels = [[region.label for region in scan.regions] for scan in patient.scans]
    assert labels == [["Lesion 1", "Lesion 2"], ["GTV"], ["Lesion 1", "Lesion 2"]]
    lesions = [[region.lesion_id for region in scan.regions] for scan in patient.scans]
    assert lesions == [["1", "2"], ["1"], ["1", "2"]]


def test_a_mask_that_is_refused_stays_a_failure_when_masks_are_shared(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    slices = write_ct(visit, 1, "portal", "portal")
    write_ct(visit, 2, "arterial", "arterial")
    write_seg(visit, slices, "first", ("x", "Lesion"), number=300)
    write_seg(visit, slices, "second", ("Liver", "Lesion"), number=301)
    _, report = plan(tmp_path, share_masks=True)
    assert [row.fate for row in report] == [Fate.USED, Fate.FAILED]


def strip_references(file: Path, *keywords: str) -> None:
    dataset = dcmread(file)
    for keyword in keywords:
        delattr(dataset, keyword)
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.DerivationImageSequence
    dataset.save_as(file)


def test_a_mask_without_reference_goes_by_its_frame_if_one_series_has_it(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    file = write_seg(visit, write_ct(visit, 1, "portal", "portal"))
    strip_references(file, "ReferencedSeriesSequence")
    patient, _ = plan(tmp_path)
    assert len(patient.scans) == 1
    write_ct(visit, 2, "arterial", "arterial")
    patient, report = plan(tmp_path)
    assert patient.scans == ()
    failed = [row.reason for row in report if row.fate is Fate.FAILED]
    assert failed == ["names no series, and 2 share its frame of reference"]


def test_a_mask_that_names_only_a_series_of_two_phases_is_not_guessed(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    file = write_seg(visit, write_ct(visit, 1, "3 PHASE", "arterial", "portal")[:12])
    patient, _ = plan(tmp_path)
    assert [scan.image.part for scan in patient.scans] == [1]  # type: ignore[union-attr] # a stack
    dataset = dcmread(file)
    del dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.DerivationImageSequence
    dataset.save_as(file)
    patient, report = plan(tmp_path)
    assert patient.scans == ()
    failed = [row.reason for row in report if row.fate is Fate.FAILED]
    assert "holds 2 phases, and it does not say which" in failed[0]
    patient, report = plan(tmp_path, share_masks=True)
    assert len(patient.scans) == 2
    assert all("breathing" in scan.report.reason for scan in patient.scans)
    assert [row.fate for row in report] == [Fate.USED]


def test_a_mask_of_a_series_that_is_absent_is_a_failure(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    slices = write_ct(visit, 1, "portal", "portal")
    write_ct(visit, 2, "arterial", "arterial")
    write_seg(visit, slices)
    for file in (visit.folder / "CT_1").iterdir():
        file.unlink()
    _, report = plan(tmp_path)
    failed = [row.reason for row in report if row.fate is Fate.FAILED]
    assert failed == ["the series it was drawn on is not here"]


def plan_of_all(root: Path) -> dict[str, int]:
    """Return how many scans are planned of each patient in the headers."""
    tree = read_tree(root)
    return {
        name: len(plan_patient(tree, name, "P", DicomRules())[0].scans) for name in tree.patients
    }


@pytest.mark.parametrize("nameless", ["images", "mask"])
def test_an_identifier_is_taken_from_the_rest_of_its_study(tmp_path: Path, nameless: str) -> None:
    visit = study(tmp_path, "20200110")
    mask = write_seg(visit, write_ct(visit, 1, "portal", "portal"))
    images = list((visit.folder / "CT_1").iterdir())
    rename(*(images if nameless == "images" else [mask]))
    assert plan_of_all(tmp_path) == {"X": 1}
    patient, report = plan(tmp_path)
    reasons = {"images": patient.scans[0].report.reason, "mask": report[0].reason}
    assert {name: reason for name, reason in reasons.items() if reason} == {
        nameless: "no PatientID in its header: that of its study is taken"
    }


def test_two_identifiers_in_one_study_stay_two_patients(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    mask = write_seg(visit, write_ct(visit, 1, "portal", "portal"))
    rename(mask, name="Y")
    assert plan_of_all(tmp_path) == {"X": 0, "Y": 0}
    _, (row,) = plan_patient(read_tree(tmp_path), "Y", "P002", DicomRules())
    assert row.reason == (
        "the series it was drawn on is here under another PatientID; correct the one that is wrong"
    )


def test_of_two_patients_in_one_study_the_series_decides(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    mask = write_seg(visit, write_ct(visit, 1, "portal", "portal"))
    write_ct(visit, 2, "arterial", "arterial")
    rename(*(visit.folder / "CT_2").iterdir(), name="Y")
    rename(mask)
    assert plan_of_all(tmp_path) == {"X": 1, "Y": 0}


def rename(*files: Path, name: str = "") -> None:
    for file in files:
        dataset = dcmread(file)
        dataset.PatientID = name
        dataset.save_as(file)


def test_segments_are_listed_by_number_and_their_names_kept_for_the_key(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    write_seg(visit, write_ct(visit, 1, "portal", "portal"), names=("Quixote", "portal", "vein"))
    _, report = plan(tmp_path)
    (row,) = [row for row in report if row.source == "SEG, series 300"]
    assert row.reason == (
        "no segment named as tumour or liver; see --tumour and --liver."
        " Segments: 1 (withheld), 2 portal, 3 vein. --key FILE lists all names."
    )
    assert row.segments == ("1 Quixote", "2 portal", "3 vein")


def test_segments_of_a_mask_without_tumour_are_listed_with_its_series(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    write_seg(visit, write_ct(visit, 1, "portal", "portal"), names=("Liver", "Quixote"))
    _, report = plan(tmp_path)
    (row,) = [row for row in report if row.source == "visit 1, series 1"]
    assert row.reason == (
        "its masks name no tumour. Segments: 1 Liver, 2 (withheld). --key FILE lists all names"
    )


def test_copies_are_listed_without_the_names_of_files(tmp_path: Path) -> None:
    visit = study(tmp_path, "20200110")
    write_seg(visit, write_ct(visit, 1, "portal", "portal"))
    whole = (visit.folder / "CT_1" / "IM0003").read_bytes()
    (visit.folder / "Quixote").write_bytes(whole)
    rows = read_tree(tmp_path).report
    assert [(row.source, row.fate, row.reason) for row in rows] == [
        ("1 file", Fate.NOT_USED, "copy of another file")
    ]
