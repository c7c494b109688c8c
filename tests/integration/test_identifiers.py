"""No identifier of a DICOM header reaches any file that the pipeline writes."""

import csv
import gzip
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import SimpleITK as sitk
from conftest import Project
from dicom_trees import Study, write_ct, write_seg
from mask_files import rectangle, write_structure_set
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from pipeline import check

pytestmark = pytest.mark.slow

UIDS = {
    keyword: generate_uid(entropy_srcs=[keyword])
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
}
PLANTED = {
    "PatientName": "Quixote^Alonso",
    "PatientID": "HEADERID4711",
    "OtherPatientIDs": "OTHERID4712",
    "PatientBirthDate": "19370612",
    "PatientComments": "lives in La Mancha",
    "AccessionNumber": "ACC7788123",
    "StudyID": "STUDY4713",
    "StudyDate": "20230405",
    "InstitutionName": "Sankt Nirgendwo Spital",
    "ReferringPhysicianName": "Panza^Sancho",
    "OperatorsName": "Rocinante",
    "DeviceSerialNumber": "SERIAL9931",
}
NEVER = [*PLANTED.values(), *UIDS.values(), "2023-04-05", "Quixote", "Alonso", "Mancha"]
PATIENT = "DEMO_001"


def write_dicom(image: sitk.Image, folder: Path) -> None:
    """Write an image as a CT series whose headers hold the identifiers."""
    folder.mkdir(parents=True)
    direction = image.GetDirection()
    row_axis, column_axis = direction[0::3], direction[1::3]
    voxels = sitk.GetArrayFromImage(image)
    for index, plane in enumerate(voxels):
        item = Dataset()
        item.file_meta = FileMetaDataset()
        item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = CTImageStorage
        uid = generate_uid(entropy_srcs=[str(folder), str(index)])
        item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = uid
        for keyword, value in {**PLANTED, **UIDS}.items():
            setattr(item, keyword, value)
        item.Modality = "CT"
        # Free text does hold names; the folder is named by the phase, which must agree.
        item.SeriesDescription = f"Quixote Alonso {folder.name.upper()}"
        item.Rows, item.Columns = plane.shape
        spacing_x, spacing_y, _ = image.GetSpacing()
        item.PixelSpacing = [spacing_y, spacing_x]
        item.ImageOrientationPatient = [*row_axis, *column_axis]
        item.ImagePositionPatient = list(image.TransformIndexToPhysicalPoint((0, 0, index)))
        item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
        item.BitsAllocated = item.BitsStored = 16
        item.HighBit, item.PixelRepresentation = 15, 1
        item.RescaleSlope, item.RescaleIntercept = 1, 0
        item.PixelData = plane.astype("<i2").tobytes()
        item["PixelData"].VR = "OW"
        item.save_as(folder / f"{index:03d}", enforce_file_format=True)


@pytest.fixture(scope="module")
def with_dicom(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the finished project whose cohort has one patient's pre-operative CT as DICOM."""
    folder = tmp_path_factory.mktemp("identifiers") / "project"
    shutil.copytree(project.folder, folder, symlinks=True)
    copy = Project(folder)
    shutil.copytree(project.folder / "data/demo", folder / "cohort")
    table = folder / "cohort/scans.csv"
    with table.open() as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if (row["patient_id"], row["timepoint"]) == (PATIENT, "preop") and row["modality"] == "CT":
            image = sitk.ReadImage(str(folder / "cohort" / row["image"]))
            row["image"] = f"dicom/{row['phase']}"
            write_dicom(image, folder / "cohort" / row["image"])
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert any((folder / "cohort/dicom").iterdir())
    copy.edit("cohort.yaml", root="cohort")
    return copy


def texts(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield what every file says, unpacked where it is packed, and its name."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.relative_to(folder).parts[0] in ("cohort", "tests", ".git"):
            continue  # what the test itself has written
        content = path.read_bytes()
        yield path, str(path.relative_to(folder)).encode()
        yield path, content
        if content[:2] == b"\x1f\x8b":
            yield path, gzip.decompress(content)
        if content[:4] == b"PAR1":
            yield path, pd.read_parquet(path).to_csv().encode()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from ((path, archive.read(name)) for name in archive.namelist())


def assert_nothing_planted(folder: Path, *streams: str) -> None:
    found = {
        (str(path.relative_to(folder)), word)
        for path, content in texts(folder)
        for word in NEVER
        if word.encode() in content
    }
    assert sorted(found) == []
    assert [word for word in NEVER for stream in streams if word in stream] == []


def test_the_search_sees_what_is_there(with_dicom: Project, tmp_path: Path) -> None:
    series = next((with_dicom.folder / "cohort/dicom").iterdir())
    shutil.copytree(series, tmp_path / "leak")
    with pytest.raises(AssertionError, match="leak/000"):
        assert_nothing_planted(tmp_path)


@pytest.mark.parametrize("kind", ["SEG", "RTSTRUCT"])
@pytest.mark.parametrize("label", ["", "absent"])
def test_names_of_segments_do_not_come_out_of_a_check(
    kind: str, label: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The label is missing or wrong, so that the problem lists what the mask holds."""
    study = Study(patient_id="HEADERID4711", date="20230405", folder=tmp_path / "cohort")
    names = ("Quixote", "Mancha 1")
    mask = write_seg(study, write_ct(study, 1, "portal", "portal"), names=names)
    if kind == "RTSTRUCT":
        drawn = [rectangle((-50, -25), (-30, -5), -480)]
        mask.unlink()
        write_structure_set(mask, [(n, name, drawn) for n, name in enumerate(names, start=1)])
    (tmp_path / "cohort/scans.csv").write_text(
        "patient_id,timepoint,modality,phase,image,mask,mask_label\n"
        f"P1,preop,CT,portal,CT_1,{mask.name},{label}\n"
    )
    (tmp_path / "cohort/patients.csv").write_text("patient_id,necrosis_percent\nP1,100\n")
    written = [tmp_path / "out" / name for name in ("check.json", "check.html")]
    options = ["--json", str(written[0]), "--html", str(written[1]), "--jobs", "1"]
    assert check.main([str(tmp_path / "cohort"), *options]) == 1
    printed = capfd.readouterr()
    assert f"label-{label or 'missing'}" in written[0].read_text()
    assert_nothing_planted(tmp_path / "out", printed.out, printed.err)


def test_no_output_of_the_pipeline_holds_an_identifier(with_dicom: Project) -> None:
    commands = {
        "repro": ["dvc", "repro"],
        "check": "python -m pipeline.check cohort --json out/check.json --html out/check.html",
        "predict": "python -m pipeline.predict --bundle models/bundle --cohort cohort --out out/p",
        "extract": "python -m pipeline.extract --image cohort/dicom/arterial"
        f" --mask cohort/images/{PATIENT}/preop_tumour.nii.gz"
        " --config configs/extraction_ct.yaml --out out/features.csv",
        "ingest": "python -m pipeline.ingest cohort/dicom --format dicom --out out/ingested",
        "ingest a mask": "python -m pipeline.ingest cohort --format dicom --out out/ingested2",
    }
    streams: list[str] = []
    for name, command in commands.items():
        words = command.split() if isinstance(command, str) else command
        done = with_dicom.run(*words)
        streams += [done.stdout, done.stderr]
        assert done.returncode in (0, 1, 3) if "ingest" in name else done.returncode == 0, (
            name,
            done.stdout + done.stderr,
        )
    for output in ("out/check.html", "out/p/predictions.csv", "out/features.csv"):
        assert (with_dicom.folder / output).is_file()
    assert PATIENT in (with_dicom.folder / "out/p/predictions.csv").read_text()
    assert_nothing_planted(with_dicom.folder, *streams)
