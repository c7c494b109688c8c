"""Writes small DICOM trees for tests: CT of an invented liver in contrast phases, SEG on it.

Every header holds the same planted identifiers, so that a test can look for them in what comes out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
import pandas as pd
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SHAPE = (12, 32, 32)
SPACING_MM = (5.0, 5.0, 5.0)
ORIGIN_MM = (-80.0, -70.0, -500.0)

PLANTED = {
    "PatientName": "Quixote^Alonso",
    "PatientBirthDate": "19370612",
    "AccessionNumber": "ACC7788123",
    "InstitutionName": "Sankt Nirgendwo Spital",
    "StationName": "CTSTATION77",
    "ReferringPhysicianName": "Panza^Sancho",
    "OperatorsName": "Rocinante",
    "PatientComments": "lives in La Mancha",
    "ImageComments": "for Dulcinea",
    "StudyID": "STUDY4711",
    "DeviceSerialNumber": "SERIAL9931",
}
"""What must never come out, by keyword."""

TISSUE_HU = {
    "native": {"liver": 55, "aorta": 40, "portal_vein": 40, "mass": 45},
    "arterial": {"liver": 65, "aorta": 320, "portal_vein": 90, "mass": 110},
    "portal": {"liver": 110, "aorta": 150, "portal_vein": 170, "mass": 85},
}
"""Typical enhancement of each phase."""

_BOXES = {
    "liver": (slice(2, 11), slice(8, 22), slice(5, 18)),
    "aorta": (slice(1, 11), slice(22, 26), slice(17, 21)),
    "portal_vein": (slice(4, 8), slice(14, 18), slice(12, 16)),
    "mass": (slice(5, 9), slice(9, 13), slice(6, 10)),
}

ORIGINAL_SEGMENTS = ("Liver", "Mass", "Portal vein", "Abdominal aorta")


def region(name: str) -> npt.NDArray[np.bool_]:
    """Voxels of a tissue, shape (z, y, x); the liver without what lies in it."""
    inside = np.zeros(SHAPE, dtype=bool)
    inside[_BOXES[name]] = True
    if name == "liver":
        inside &= ~(region("mass") | region("portal_vein"))
    return inside


def phantom(phase: str, seed: int = 0) -> npt.NDArray[np.int16]:
    """Hounsfield units of a body in air, with noise of 3 HU."""
    _, y, x = np.indices(SHAPE)
    body = ((y - 16) / 14) ** 2 + ((x - 16) / 15) ** 2 < 1
    voxels = np.where(body, 30.0, -1000.0)
    for name, hu in TISSUE_HU[phase].items():
        voxels[region(name)] = hu
    noise = np.random.default_rng(seed).normal(0, 3, SHAPE)
    return np.where(body, np.rint(voxels + noise), -1000).astype(np.int16)


@dataclass(frozen=True, kw_only=True)
class Study:
    """What the series of a study share."""

    patient_id: str
    date: str
    folder: Path
    extra: dict[str, Any] = field(default_factory=dict)
    has_frame: bool = True

    @property
    def uid(self) -> str:
        return generate_uid(entropy_srcs=[self.patient_id, self.date])

    @property
    def frame(self) -> str:
        """Frame of reference; empty where the header is to lack it."""
        parts = [self.patient_id, self.date, "frame"]
        return generate_uid(entropy_srcs=parts) if self.has_frame else ""


def write_ct(
    study: Study, number: int, description: str, *phases: str, seed: int | None = None
) -> list[Dataset]:
    """Write one series; several phases lie one after the other in it, as acquisitions 1, 2 ..."""
    volumes = [phantom(phase, number if seed is None else seed) for phase in phases]
    return write_series(study, number, description, volumes)


def write_series(
    study: Study, number: int, description: str, volumes: Sequence[npt.NDArray[np.int16]]
) -> list[Dataset]:
    """Write one series with the given voxels (HU)."""
    slices: list[Dataset] = []
    for acquisition, voxels in enumerate(volumes, start=1):
        for index in range(SHAPE[0]):
            item = _header(study, number, description)
            item.AcquisitionNumber = acquisition
            item.InstanceNumber = len(slices) + 1
            item.SOPInstanceUID = generate_uid(
                entropy_srcs=[study.uid, str(number), str(len(slices))]
            )
            item.ImagePositionPatient = [
                *ORIGIN_MM[:2],
                ORIGIN_MM[2] + index * SPACING_MM[2],
            ]
            item.PixelData = (voxels[index] + 1024).astype(np.uint16).tobytes()
            slices.append(item)
    folder = study.folder / f"CT_{number}"
    folder.mkdir(parents=True)
    for item in slices:
        item.file_meta = FileMetaDataset()
        item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        item.file_meta.MediaStorageSOPClassUID = item.SOPClassUID
        item.file_meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID
        item.save_as(folder / f"IM{item.InstanceNumber:04d}", enforce_file_format=True)
    return slices


def _header(study: Study, number: int, description: str) -> Dataset:
    item = Dataset()
    for keyword, value in {"PatientSex": "", **PLANTED, **study.extra}.items():
        setattr(item, keyword, value)
    item.SOPClassUID = CTImageStorage
    item.PatientID = study.patient_id
    item.StudyInstanceUID, item.FrameOfReferenceUID = study.uid, study.frame
    item.SeriesInstanceUID = generate_uid(entropy_srcs=[study.uid, str(number)])
    item.StudyDate, item.StudyTime = study.date, "101112"
    item.Modality, item.SeriesNumber, item.SeriesDescription = "CT", number, description
    item.Manufacturer, item.KVP, item.ConvolutionKernel = "GE", "120", "STANDARD"
    item.SliceThickness = SPACING_MM[2]
    item.Rows, item.Columns = SHAPE[1:]
    item.PixelSpacing = [SPACING_MM[1], SPACING_MM[0]]
    item.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit = 16, 12, 11
    item.PixelRepresentation = 0
    item.RescaleSlope, item.RescaleIntercept = "1", "-1024"
    return item


def write_seg(
    study: Study,
    sources: Sequence[Dataset],
    description: str = "Segmentation",
    names: Sequence[str] = ORIGINAL_SEGMENTS,
    number: int = 300,
    algorithm: str = "MANUAL",
) -> Path:
    """Write the segments liver, mass, portal vein and aorta, under other names where given."""
    regions = ("liver", "mass", "portal_vein", "aorta")[: len(names)]
    mask = np.stack([region(name) for name in regions], axis=-1).astype(np.uint8)
    mask[..., 0] |= mask[..., 1]  # the liver holds its tumour
    uids = [str(generate_uid(entropy_srcs=[study.uid, description, str(n)])) for n in range(2)]
    dataset = hd.seg.Segmentation(
        source_images=list(sources),
        pixel_array=mask,
        segmentation_type="BINARY",
        segment_descriptions=[
            hd.seg.SegmentDescription(
                segment_number=place,
                segment_label=name,
                segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
                segmented_property_type=codes.SCT.Neoplasm,
                algorithm_type=algorithm,
                algorithm_identification=_program(algorithm),
            )
            for place, name in enumerate(names, start=1)
        ],
        series_instance_uid=uids[0],
        series_number=number,
        sop_instance_uid=uids[1],
        instance_number=1,
        manufacturer="Test",
        manufacturer_model_name="Test",
        software_versions="1",
        device_serial_number=PLANTED["DeviceSerialNumber"],
        series_description=description,
    )
    file = study.folder / f"SEG_{generate_uid(entropy_srcs=uids)[-12:]}.dcm"
    dataset.save_as(file)
    return file


def _program(algorithm: str) -> hd.AlgorithmIdentificationSequence | None:
    if algorithm == "MANUAL":
        return None
    family = codes.DCM.ArtificialIntelligence
    return hd.AlgorithmIdentificationSequence(name="Test", family=family, version="1")


def write_hcc_tace_seg(root: Path) -> None:
    """Four patients as the collection has them; the descriptions and numbers are the real ones.

    HCC_001: PRE + one contrast series, two AI masks, a follow-up study. HCC_002: arterial and
    portal phase in one series. HCC_005: the phase is in no description, drawn on the portal one.
    HCC_017: Recon 2 and 3, drawn on the arterial one.
    """

    def study(patient: str, date: str) -> Study:
        return Study(patient_id=patient, date=date, folder=root / patient / date)

    first = study("HCC_001", "19991130")
    write_ct(first, 2, "PRE LIVER", "native")
    drawn_on = write_ct(first, 3, "C-A-P", "portal")
    write_seg(first, drawn_on)
    write_seg(first, drawn_on, "AIMI liver-tumor AI segmentation", ("Liver", "Tumor"))
    later = study("HCC_001", "20000421")
    followup = write_ct(later, 3, "Recon 2: PRE LIVER", "native", seed=8)
    write_seg(later, followup, "AIMI liver-tumor AI segmentation", ("Liver", "Tumor"))
    second = study("HCC_002", "19970926")
    both = write_ct(second, 4, "Recon 2: LIVER 3 PHASE (AP)", "arterial", "portal")
    write_seg(second, both[12:])
    fifth = study("HCC_005", "19990123")
    write_seg(fifth, write_ct(fifth, 103, "LIVER 3 PHASE (AP)", "portal", seed=5))
    last = study("HCC_017", "19981023")
    write_seg(last, write_ct(last, 4, "Recon 2: 3 PHASE LIVER (ABD)", "arterial", seed=6))
    write_ct(last, 5, "Recon 3: 3 PHASE LIVER (ABD)", "portal", seed=7)
    _write_clinical(root / "HCC-TACE-Seg_clinical_data-V2.csv")


def _write_clinical(file: Path) -> None:
    ids = ["HCC_001", "HCC_002", "HCC_003", "HCC_005", "HCC_017"]
    rows = pd.DataFrame({"TCIA_ID": ids, "AFP": ["5.0", "2910.5", "1555.2", "12", "7"]})
    fixed = {
        "Interval_BL": "-18", "age": "71", "Sex": "1", "hepatitis": "HCV only", "Smoking": "1",
        "Alcohol": "1", "Diabetes": "0", "fhx_can": "1", "fhx_livc": "0",
        "Personal history of cancer": "1", "Evidence_of_cirh": "1", "CPS": "A",
        "PS_bclc_0_0_1-2_1_3-4_3": "0", "BCLC": "Stage-A", "TNM": "Stage-II",
        "CLIP_Score": "Stage_1", "Okuda": "Stage I", "Tr_Size": "0.8",
        "tumor_nodul": "multinodular", "T_involvment": "< or = 50%", "Vascular invasion": "0",
        "Portal Vein Thrombosis": "0", "Metastasis": "0", "Lymphnodes": "0",
        "Pathology": "Well differentiated", "chemotherapy": "Cisplatin", "Interval_FU": "20.43",
        "TTP": "197", "Censored_0_progressed_1": "1", "OS": "350", "agegp": ">70",
        "Death_1_StillAliveorLostToFU_0": "1", "AFP_group": "<400", "CLIP": "Stage_ 0-2",
        "1_EASL_BL": "1628.7", "1_EASL_FU": "0", "1_EASL": "3",
    }  # fmt: skip
    for name, value in fixed.items():
        rows[name] = value
    for reader in "123":
        for criterion in ("RECIST", "mRECIST"):
            rows[f"{reader}_{criterion}_BL"], rows[f"{reader}_{criterion}_FU"] = "44", "36"
            rows[f"{reader}_{criterion}"] = ["1", "2", "3", "3", "4"]
    rows.to_csv(file, index=False)
