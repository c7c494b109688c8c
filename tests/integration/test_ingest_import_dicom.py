"""The command on DICOM trees: the right scans, masks and phases come out, and nobody's name."""

import gzip
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pydicom
import pytest
import SimpleITK as sitk
from dicom_trees import (
    ORIGIN_MM,
    PLANTED,
    Study,
    phantom,
    region,
    write_ct,
    write_hcc_tace_seg,
    write_seg,
    write_series,
)

from pipeline import check
from pipeline.ingest.__main__ import main

ROOT = Path(__file__).parents[2]


def table(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, dtype=str, keep_default_na=False)


def voxels(file: Path) -> npt.NDArray[Any]:
    return np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(str(file))))


def run(source: Path, kind: str, *options: str) -> tuple[int, Path]:
    out = source.parent / "cohort"
    return main([str(source), "--format", kind, "--out", str(out), "--jobs", "1", *options]), out


def check_with_preset(out: Path, preset: str, folder: Path) -> int:
    """Run `pipeline.check` with the project's settings and a preset."""
    folder.mkdir()
    (folder / "presets").symlink_to(ROOT / "configs" / "presets")
    text = (ROOT / "configs" / "cohort.yaml").read_text()
    (folder / "cohort.yaml").write_text(text.replace("preset: null", f"preset: {preset}"))
    biomarkers = str(ROOT / "configs" / "biomarkers.yaml")
    config = str(folder / "cohort.yaml")
    return check.main([str(out), "--config", config, "--biomarkers", biomarkers, "--jobs", "1"])


@pytest.fixture
def hcc(tmp_path: Path) -> Path:
    write_hcc_tace_seg(tmp_path / "hcc_tace_seg")
    return tmp_path / "hcc_tace_seg"


def test_hcc_tace_seg_becomes_a_cohort_without_errors(hcc: Path) -> None:
    code, out = run(hcc, "hcc-tace-seg")
    assert code == 0
    scans = table(out / "scans.csv").set_index("patient_id")
    assert scans["phase"].to_dict() == {
        "HCC_001": "portal",
        "HCC_002": "portal",
        "HCC_005": "portal",
        "HCC_017": "arterial",
    }
    assert set(scans["timepoint"]) == {"baseline"}
    assert set(scans["scan_date"]) == {"2000-01-01"}
    # HCC_002: the mask names the second half of the series.
    np.testing.assert_array_equal(voxels(out / scans["image"]["HCC_002"]), phantom("portal", 4))
    np.testing.assert_array_equal(voxels(out / scans["mask"]["HCC_002"]), region("mass"))
    liver = region("liver") | region("mass")
    np.testing.assert_array_equal(voxels(out / scans["liver_mask"]["HCC_017"]), liver)
    image = sitk.ReadImage(str(out / scans["image"]["HCC_017"]))
    assert image.GetOrigin() == ORIGIN_MM
    assert image.GetPixelIDValue() == sitk.sitkInt16
    patients = table(out / "patients.csv")
    assert list(patients["post_responder_mrecist"]) == ["1", "1", "0", "0", "0"]
    assert check_with_preset(out, "hcc-tace-seg", hcc.parent / "configs") == 0


def test_hcc_tace_seg_lists_what_it_does_not_use(hcc: Path) -> None:
    _, out = run(hcc, "hcc-tace-seg")
    report = table(out / "ingest_report.csv")
    unused = report[(report["fate"] == "not used") & (report["patient_id"] == "HCC_001")]
    assert sorted(zip(unused["description"], unused["reason"], strict=True)) == [
        ("AIMI liver-tumor AI segmentation",
         "not one of the collection's own masks (described as Segmentation)"),
        ("AIMI liver-tumor AI segmentation",
         "not one of the collection's own masks (described as Segmentation)"),
        ("PRE LIVER", "no mask of the tumour"),
        ("Recon 2: PRE LIVER", "no mask of the tumour"),
    ]  # fmt: skip
    absent = report.loc[report["reason"].str.contains("no image below"), "patient_id"]
    assert list(absent) == ["HCC_003"]
    used = report[report["fate"] == "used"].set_index("patient_id")
    reason = used.loc[used["source"] == "visit 1, series 103", "phase_reason"]
    assert reason.str.contains("HU").all()


def test_masks_are_shared_only_when_asked(hcc: Path) -> None:
    code, out = run(hcc, "hcc-tace-seg", "--share-masks")
    assert code == 0
    scans = table(out / "scans.csv")
    phases = scans.groupby("patient_id")["phase"].apply(sorted).to_dict()
    assert phases == {
        "HCC_001": ["native", "portal"],
        "HCC_002": ["arterial", "portal"],
        "HCC_005": ["portal"],
        "HCC_017": ["arterial", "portal"],
    }
    for file in scans["mask"]:
        np.testing.assert_array_equal(voxels(out / file), region("mass"))


def test_series_without_masks_are_written_only_when_asked(hcc: Path) -> None:
    code, out = run(hcc, "hcc-tace-seg", "--unmasked")
    assert code == 0
    scans = table(out / "scans.csv")
    rows = scans[scans["patient_id"] == "HCC_001"]
    assert rows[["timepoint", "phase", "mask"]].values.tolist() == [
        ["baseline", "native", ""],
        ["baseline", "portal", "images/HCC_001/baseline_CT_portal_tumour.nii.gz"],
        ["preop", "native", ""],
    ]
    np.testing.assert_array_equal(voxels(out / rows["image"].iloc[0]), phantom("native", 2))
    report = table(out / "ingest_report.csv")
    unmasked = report[(report["fate"] == "used") & (report["reason"] == "no mask of the tumour")]
    assert "PRE LIVER" in set(unmasked["description"])


def test_hcc_tace_seg_without_images_is_one_problem(
    hcc: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in hcc.rglob("*"):
        if file.is_file() and file.suffix != ".csv":
            file.unlink()
    code, out = run(hcc, "hcc-tace-seg")
    assert code == 1
    said = capsys.readouterr().err
    assert said.count("[nothing-to-import]") == 1
    assert "looked for DICOM files of CT, MR or PET" in said
    assert [file.name for file in out.iterdir()] == ["ingest_report.csv"]
    report = table(out / "ingest_report.csv")
    assert (report["fate"] == "note").sum() == 2 + 5  # AFP, groups of columns; five patients


@pytest.mark.real_data
def test_real_ct_mr_and_pet_equal_their_nifti_twins(real_data: Path, tmp_path: Path) -> None:
    source = tmp_path / "sts"
    source.symlink_to(real_data / "sts" / "dicom")
    code, out = run(source, "dicom", "--timepoint", "baseline")
    assert code == 0
    scans = table(out / "scans.csv")
    masks = scans.set_index(["patient_id", "modality"])["mask"].to_dict()
    assert len(masks) == 6
    for pseudonym, patient in (("P001", "STS_002"), ("P002", "STS_032")):
        for modality, name in (("CT", "CT"), ("MR", "MR_T1"), ("PT", "PET")):
            twin = real_data / "sts" / "nifti" / patient / f"{name}_mask.nii.gz"
            mask = out / masks[pseudonym, modality]
            ours, theirs = (sitk.ReadImage(str(file)) for file in (mask, twin))
            moved = sitk.Resample(theirs, ours, sitk.Transform(), sitk.sitkNearestNeighbor)
            np.testing.assert_array_equal(
                sitk.GetArrayFromImage(ours), sitk.GetArrayFromImage(moved)
            )


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """Two patients, Zoe was there twice, Abe once; a description holds a name."""
    root = tmp_path / "pacs"
    zoe = {"PatientSex": "F", "PatientAge": "063Y"}
    for date in ("20190317", "20190601"):
        study = Study(patient_id="ZOE4711", date=date, folder=root / "A" / date, extra=zoe)
        write_seg(study, write_ct(study, 5, "Quixote arterial", "arterial", seed=int(date[-2:])))
        write_ct(study, 6, "portal venous", "portal", seed=int(date[-2:]) + 1)
    abe = {"PatientSex": "M", "PatientAge": "093Y"}
    study = Study(patient_id="ABE0815", date="20200101", folder=root / "B", extra=abe)
    write_seg(study, write_ct(study, 1, "Leber pv", "portal", seed=3), "GTV", ("liver", "GTV-1"))
    return root


def test_a_dicom_tree_gets_pseudonyms_time_points_and_intervals(hospital: Path) -> None:
    code, out = run(hospital, "dicom")
    assert code == 0
    scans = table(out / "scans.csv")
    columns = ["patient_id", "timepoint", "phase", "scan_date"]
    assert scans[columns].values.tolist() == [
        ["P001", "preop", "portal", "2000-01-01"],
        ["P002", "baseline", "arterial", "2000-01-01"],
        ["P002", "preop", "arterial", "2000-03-17"],  # 76 days from 17 March to 1 June
    ]
    technical = table(out / "technical.csv")
    assert list(technical["days_from_first_scan"]) == ["0", "0", "76"]
    assert set(technical["ConvolutionKernel"]) == {"STANDARD"}
    patients = table(out / "patients.csv")
    assert patients.values.tolist() == [["P001", "M", "", ""], ["P002", "F", "63", ""]]
    report = table(out / "ingest_report.csv")
    assert "(withheld)" in set(report["description"])


@pytest.mark.parametrize("kind", ["dicom", "hcc"])
def test_no_identifier_comes_out(
    kind: str, request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]
) -> None:
    source = request.getfixturevalue("hospital" if kind == "dicom" else "hcc")
    _, out = run(source, "dicom" if kind == "dicom" else "hcc-tace-seg")
    printed = capfd.readouterr()
    names = [part for value in PLANTED.values() for part in value.split("^")]
    secrets = [*names, "ZOE4711", "ABE0815", "20190317", "2019-03-17", "20190601", "19991130"]
    secrets += [Study(patient_id="ZOE4711", date="20190317", folder=source).uid, "2.25.", "1.2.826"]
    texts = {"terminal": (printed.out + printed.err).encode()}
    for file in out.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            plain = gzip.decompress(content) if file.suffix == ".gz" else content
            texts[str(file.relative_to(out))] = plain + str(file.relative_to(out)).encode()
    assert len(texts) > 8
    found = [
        (name, secret)
        for name, text in texts.items()
        for secret in secrets
        if secret.lower().encode() in text.lower()
    ]
    assert found == []


def test_the_key_leads_back_and_stays_outside(hospital: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.csv"
    assert run(hospital, "dicom", "--key", str(key))[0] == 0
    assert key.read_text() == "patient_id,header_id\nP001,ABE0815\nP002,ZOE4711\n"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with pytest.raises(SystemExit, match="2"):
        run(hospital, "dicom", "--key", str(tmp_path / "cohort" / "key.csv"))


def test_a_file_beside_the_key_leads_from_the_report_to_the_files(
    hospital: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (damaged := hospital / "B" / "CT_1" / "IM0007").write_bytes(b"\0" * 128 + b"DICM no more")
    code, out = run(hospital, "dicom", "--key", str(tmp_path / "key.csv"))
    assert code == 3
    files = table(tmp_path / "key_files.csv")
    assert stat.S_IMODE((tmp_path / "key_files.csv").stat().st_mode) == 0o600
    assert f"report is about: {tmp_path / 'key_files.csv'} (private)" in capsys.readouterr().out
    report = table(out / "ingest_report.csv").set_index("row")
    known = {row: set(group["file"]) for row, group in files.groupby("row")}
    assert set(known) == set(report.index[report["fate"] != "note"])
    (row,) = report.index[report["source"] == "1 file"]
    assert known[row] == {str(damaged.relative_to(hospital))}
    (row,) = report.index[report["source"].eq("visit 1, series 5")]
    assert known[row] == {f"A/20190317/CT_5/IM{number:04d}" for number in range(1, 13)}
    (row,) = report.index[(report["patient_id"] == "P001") & report["source"].eq("SEG, series 300")]
    assert set(files.loc[files["row"] == row, "segments"]) == {"1 liver; 2 GTV-1"}
    (tmp_path / "key.csv").unlink()
    with pytest.raises(SystemExit, match="2"):  # what lies beside the key is not replaced
        run(hospital, "dicom", "--key", str(tmp_path / "key.csv"))


def test_an_import_of_nothing_leaves_no_key_in_the_way(hospital: Path, tmp_path: Path) -> None:
    key, files = tmp_path / "key.csv", tmp_path / "key_files.csv"
    assert run(hospital, "dicom", "--key", str(key), "--tumour", "none")[0] == 1
    assert not key.exists()
    assert "1 liver; 2 GTV-1" in files.read_text()  # to see what the tumour is called
    assert run(hospital, "dicom", "--key", str(key))[0] == 0
    assert key.read_text() == "patient_id,header_id\nP001,ABE0815\nP002,ZOE4711\n"
    with pytest.raises(SystemExit, match="2"):
        run(hospital, "dicom", "--key", str(key))


def test_a_file_of_the_user_beside_the_key_is_kept(hospital: Path, tmp_path: Path) -> None:
    assert run(hospital, "dicom", "--tumour", "none")[0] == 1
    (files := tmp_path / "key_files.csv").write_text("mine\n")
    with pytest.raises(SystemExit, match="2"):
        run(hospital, "dicom", "--key", str(tmp_path / "key.csv"))
    assert files.read_text() == "mine\n"


def test_two_names_of_one_tumour_are_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = Study(patient_id="ZOE", date="20200101", folder=tmp_path / "pacs")
    source = write_ct(study, 1, "portal", "portal")
    write_seg(study, source, "first", ("x", "GTV a"), number=301)
    write_seg(study, source, "second", ("x", "GTV b"), number=302)
    code, out = run(tmp_path / "pacs", "dicom")
    assert code == 0
    assert list(table(out / "scans.csv")["lesion_id"]) == ["1", "2"]
    notes = table(out / "ingest_report.csv").query("fate == 'note'")
    assert notes[["patient_id", "source", "reason"]].values.tolist() == [
        ["P001", "visit 1, series 1, mask of tumour 2",
         "the same voxels as tumour 1; both are in scans.csv"],
    ]  # fmt: skip
    said = capsys.readouterr().out
    assert "1 patient, 1 scan, 2 rows in scans.csv" in said
    assert "the same voxels as tumour 1" in said


def test_a_series_of_one_slice_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = Study(patient_id="ZOE", date="20200101", folder=tmp_path / "pacs")
    write_seg(study, write_ct(study, 1, "portal", "portal"))
    for file in sorted((study.folder / "CT_1").iterdir())[1:]:
        file.unlink()
    assert run(tmp_path / "pacs", "dicom")[0] == 1
    said = capsys.readouterr().err
    assert "visit 1, series 1: is not a volume (dicom-irregular): expected an image" in said


def test_a_mask_whose_series_failed_is_not_used(hospital: Path) -> None:
    (hospital / "B" / "CT_1" / "IM0006").unlink()
    _, out = run(hospital, "dicom")
    fates = table(out / "ingest_report.csv").set_index(["patient_id", "source"])["fate"]
    assert fates["P001", "visit 1, series 1"] == "failed"
    assert fates["P001", "SEG, series 300"] == "not used"
    assert set(fates["P002", "SEG, series 300"]) == {"used"}


def test_a_mask_whose_series_cannot_be_read_is_not_used(hospital: Path) -> None:
    """The headers are whole, so that it only shows when the voxels are read."""
    file = hospital / "B" / "CT_1" / "IM0006"
    header = pydicom.dcmread(file)
    header.PixelData = header.PixelData[:-200]
    header.save_as(file)
    code, out = run(hospital, "dicom")
    assert code == 3
    fates = table(out / "ingest_report.csv").set_index(["patient_id", "source"])["fate"]
    assert fates["P001", "visit 1, series 1"] == "failed"
    assert fates["P001", "SEG, series 300"] == "not used"


@pytest.mark.parametrize("place", ["read_tree", "import_patient"])
def test_an_interrupted_import_says_that_it_starts_again(
    hospital: Path,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    module = "dicom_folder" if place == "read_tree" else "cohort_folder"
    monkeypatch.setattr(f"pipeline.ingest.collections.{module}.{place}", interrupt)
    code, out = run(hospital, "dicom", "--key", str(hospital.parent / "key.csv"))
    assert code == 130
    assert "Nothing is kept: " in (said := capsys.readouterr().err)
    assert "starts again from the beginning" in said
    assert "resumes" not in said
    assert [item.name for item in out.parent.iterdir()] == [hospital.name]


def test_given_pseudonyms_are_used_and_the_missing_listed(hospital: Path, tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text("header_id,patient_id\nZOE4711,site2-017\n")
    code, out = run(hospital, "dicom", "--pseudonyms", str(file))
    assert code == 3
    assert set(table(out / "scans.csv")["patient_id"]) == {"site2-017"}
    report = table(out / "ingest_report.csv")
    failed = report.loc[report["fate"] == "failed", "reason"]
    assert list(failed) == [
        "PatientID is not in the file of pseudonyms; add it, or leave out --pseudonyms"
    ]


def test_a_series_with_a_missing_slice_fails_alone(hospital: Path) -> None:
    (hospital / "B" / "CT_1" / "IM0006").unlink()
    code, out = run(hospital, "dicom")
    assert code == 3
    report = table(out / "ingest_report.csv")
    failed = report[report["fate"] == "failed"]
    assert list(failed["patient_id"]) == ["P001"]
    assert "slice-missing" in failed["reason"].iloc[0]


def test_a_truncated_slice_withholds_its_series(hospital: Path) -> None:
    last = sorted((hospital / "B" / "CT_1").iterdir())[-1]
    last.write_bytes(last.read_bytes()[:600])
    code, out = run(hospital, "dicom")
    assert code == 3
    assert set(table(out / "scans.csv")["patient_id"]) == {"P002"}
    failed = table(out / "ingest_report.csv").query("fate == 'failed' and patient_id == 'P001'")
    assert failed["reason"].str.contains("a damaged file or dead link lies beside").any()


def test_a_dead_link_withholds_its_series(hospital: Path) -> None:
    last = sorted((hospital / "B" / "CT_1").iterdir())[-1]
    last.unlink()
    last.symlink_to(hospital / "not fetched")
    code, out = run(hospital, "dicom")
    assert code == 3
    assert set(table(out / "scans.csv")["patient_id"]) == {"P002"}
    failed = table(out / "ingest_report.csv").query("fate == 'failed'")
    assert sorted(failed["source"]) == ["1 link", "visit 1, series 1"]


def test_a_named_pipe_does_not_stop_the_import(hospital: Path) -> None:
    os.mkfifo(hospital / "B" / "pipe")
    assert run(hospital, "dicom")[0] == 0


def test_segments_of_one_name_go_by_their_own_numbers(tmp_path: Path) -> None:
    """The numbers are 2, 3, 4: the place in the list would take the kidney for a lesion."""
    study = Study(patient_id="ZOE", date="20200101", folder=tmp_path / "pacs")
    file = write_seg(study, write_ct(study, 1, "portal", "portal"), names=("Kidney", "x", "y"))
    header = pydicom.dcmread(file)
    for item, name in zip(header.SegmentSequence, ("Kidney", "Lesion", "Lesion"), strict=True):
        item.SegmentLabel, item.SegmentNumber = name, item.SegmentNumber + 1
    for frame in header.PerFrameFunctionalGroupsSequence:
        frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber += 1
    header.save_as(file)
    code, out = run(tmp_path / "pacs", "dicom")
    assert code == 0
    scans = table(out / "scans.csv")
    first, second = (voxels(out / mask) for mask in scans["mask"])
    np.testing.assert_array_equal(first, region("mass"))
    np.testing.assert_array_equal(second, region("portal_vein"))


def test_a_file_for_each_lesion(tmp_path: Path) -> None:
    study = Study(patient_id="ZOE", date="20200101", folder=tmp_path / "pacs")
    source = write_ct(study, 1, "portal", "portal")
    write_seg(study, source, "first", ("Liver", "Lesion 1"), number=301)
    write_seg(study, source, "second", ("x", "y", "Lesion 2"), number=302)
    write_seg(study, source, "drawn again", ("x", "Lesion 1"), number=303)
    code, out = run(tmp_path / "pacs", "dicom")
    assert code == 3
    scans = table(out / "scans.csv")
    assert list(scans["lesion_id"]) == ["1", "2"]
    np.testing.assert_array_equal(voxels(out / scans["mask"][0]), region("mass"))
    np.testing.assert_array_equal(voxels(out / scans["mask"][1]), region("portal_vein"))
    fates = table(out / "ingest_report.csv").set_index("source")["fate"]
    assert fates["SEG, series 303"] == "failed"


def test_a_source_that_is_one_nameless_patient(tmp_path: Path) -> None:
    study = Study(patient_id="", date="20200101", folder=tmp_path / "export")
    write_seg(study, write_ct(study, 1, "portal", "portal"))
    write_ct(study, 2, "arterial", "arterial")
    code, out = run(tmp_path / "export", "dicom")
    assert code == 0
    assert table(out / "scans.csv")[["patient_id", "phase"]].values.tolist() == [["P001", "portal"]]


def test_two_nameless_patients_in_a_flat_folder_stay_apart(tmp_path: Path) -> None:
    for number, date in enumerate(("20200101", "20210101"), start=1):
        study = Study(patient_id="", date=date, folder=tmp_path / "flat")
        source = write_ct(study, number, "portal", "portal")
        write_seg(study, source, number=300 + number)
    code, out = run(tmp_path / "flat", "dicom")
    assert code == 0
    scans = table(out / "scans.csv")
    assert list(scans["patient_id"]) == ["P001", "P002"]
    assert list(scans["timepoint"]) == ["preop", "preop"]


def test_typed_names_of_segments_do_not_come_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One mask cannot be linked, one has no tumour, one lies beside its image."""
    study = Study(patient_id="ZOE", date="20200101", folder=tmp_path / "pacs")
    source = write_ct(study, 1, "portal", "portal")
    write_seg(study, source, "first", ("Quixote", "GTV Quixote"), number=301)
    write_seg(study, source, "second", ("Panza liver", "GTV Quixote"), number=302)
    write_seg(study, source, "third", ("Panza", "y"), number=303)
    file = write_seg(study, source, "fourth", ("x", "GTV Sancho"), number=304)
    beside = pydicom.dcmread(file)
    for frame in beside.PerFrameFunctionalGroupsSequence:
        place = frame.PlanePositionSequence[0]
        place.ImagePositionPatient = [p + 1 for p in place.ImagePositionPatient]
    beside.save_as(file)
    code, out = run(tmp_path / "pacs", "dicom")
    assert code == 3
    report = (out / "ingest_report.csv").read_text()
    assert "mask of tumour 2" in report
    printed = capfd.readouterr()
    for text in (report, printed.out, printed.err):
        assert [name for name in ("Quixote", "Panza", "Sancho") if name in text.title()] == []


def test_typed_text_of_technical_attributes_is_withheld(tmp_path: Path) -> None:
    typed = {"Manufacturer": "Sankt Nirgendwo", "ManufacturerModelName": '=HYPERLINK("x")'}
    study = Study(patient_id="ZOE", date="20200101", folder=tmp_path / "pacs", extra=typed)
    source = write_ct(study, 1, "portal", "portal")
    for file in (study.folder / "CT_1").iterdir():  # the writer has a maker of its own
        header = pydicom.dcmread(file)
        header.Manufacturer = typed["Manufacturer"]
        header.save_as(file)
    write_seg(study, source)
    code, out = run(tmp_path / "pacs", "dicom")
    assert code == 0
    row = table(out / "technical.csv").iloc[0]
    assert (row["Manufacturer"], row["ManufacturerModelName"]) == ("(withheld)", "(withheld)")
    assert row["ConvolutionKernel"] == "STANDARD"


def test_patients_without_identifier_go_by_their_folder(tmp_path: Path) -> None:
    root = tmp_path / "ircad"
    for name, date in (("left", "20200101"), ("right", "20200102")):
        study = Study(patient_id="", date=date, folder=root / name)
        write_seg(study, write_ct(study, 1, "portal", "portal", seed=len(name)))
    code, out = run(root, "dicom")
    assert code == 0
    assert list(table(out / "scans.csv")["patient_id"]) == ["P001", "P002"]
    used = table(out / "ingest_report.csv").query("fate == 'used' and phase != ''")
    assert used["reason"].str.contains("no PatientID").all()


def test_mask_series_in_named_folders(tmp_path: Path) -> None:
    """As in 3D-IRCADb: no identifier, masks of 0 and 255 in studies of their own."""
    patient = tmp_path / "ircad" / "3Dircadb1.1"
    plain: dict[str, Any] = {"patient_id": "", "has_frame": False}
    write_ct(Study(**plain, date="20200101", folder=patient), 1, "", "portal")
    masks = {"liver": region("liver"), "livertumor01": region("mass"), "bone": region("aorta")}
    for number, (name, inside) in enumerate(masks.items()):
        study = Study(**plain, date=f"2020010{number + 3}", folder=patient / "MASKS_DICOM")
        write_series(study, 1, "", [inside.astype(np.int16) * 255])
        (patient / "MASKS_DICOM" / "CT_1").rename(patient / "MASKS_DICOM" / name)
    code, out = run(tmp_path / "ircad", "dicom")
    assert code == 0
    scans = table(out / "scans.csv")
    assert scans[["patient_id", "phase"]].values.tolist() == [["P001", "portal"]]
    np.testing.assert_array_equal(voxels(out / scans["mask"][0]), region("mass"))
    np.testing.assert_array_equal(voxels(out / scans["liver_mask"][0]), region("liver"))
    report = table(out / "ingest_report.csv")
    assert list(report.loc[report["fate"] == "not used", "description"]) == ["bone"]


def test_the_proposed_cohort_passes_the_checks_but_for_its_outcome(
    hospital: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = run(hospital, "dicom")
    assert "add the covariates of configs/cohort.yaml" in capsys.readouterr().out
    (tmp_path / "configs").mkdir()
    config = tmp_path / "configs" / "cohort.yaml"
    text = (ROOT / "configs" / "cohort.yaml").read_text()
    before, _, after = text.partition("covariates:")
    kept = "covariates: {}\n" + after[after.index("# Columns (shell patterns)") :]
    config.write_text(before + kept)
    patients = table(out / "patients.csv")
    patients["necrosis_percent"] = ["100", "40"]
    patients.to_csv(out / "patients.csv", index=False)
    biomarkers = str(ROOT / "configs" / "biomarkers.yaml")
    code = check.main([str(out), "--config", str(config), "--biomarkers", biomarkers])
    assert code == 0, capsys.readouterr().out
