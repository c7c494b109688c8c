import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.extraction import ExtractionParameters, load_extraction_parameters
from pipeline.domain.errors import CaseError, ConfigError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.cohort import list_feature_names
from pipeline.features.engine import identify_engine, load_engine
from pipeline.features.extraction import Extraction
from pipeline.imaging.intensity import IntensityReference
from pipeline.store.results import ResultStore

CONFIGS = Path(__file__).parents[2] / "configs"
GRID = Geometry((12, 11, 10), (1.0, 1.0, 1.5), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
NOISE = np.random.default_rng(0).normal(60, 30, GRID.shape_zyx)
SCAN = Scan(NOISE.astype(np.int16), GRID, Modality.CT)
MR = replace(SCAN, modality=Modality.MR)
OFFSETS = np.indices(GRID.shape_zyx) - np.reshape((5, 5, 6), (3, 1, 1, 1))
REGION = Region((OFFSETS**2).sum(axis=0) <= 9, GRID, "tumour")
EMPTY = replace(REGION, inside=np.zeros(GRID.shape_zyx, dtype=bool))


@dataclass
class CountingEngine:
    """An engine whose one feature is the mean, and which counts how often it is asked."""

    name: str = "counting"
    version: str = "1"
    answer: dict[str, float] | None = None
    calls: list[str] = field(default_factory=list)

    def feature_names(
        self,
        parameters: ExtractionParameters,  # noqa: ARG002 - the protocol has it
    ) -> tuple[str, ...]:
        return ("mean",)

    def extract(
        self,
        scan: Scan,
        region: Region,
        parameters: ExtractionParameters,  # noqa: ARG002 - the protocol has it
    ) -> dict[str, float]:
        self.calls.append(region.name)
        if scan.voxels.max() > 10_000:
            msg = "too bright"
            raise CaseError(msg)
        return self.answer or {"mean": float(scan.voxels[region.inside].mean())}


def extract_features(
    scan: Scan,
    region: Region,
    references: dict[str, IntensityReference],
    parameters: ExtractionParameters,
    engine: CountingEngine,
    store: ResultStore | None,
) -> dict[str, float]:
    extraction = Extraction(parameters, engine)
    if store is None:
        return extraction.compute(scan, region, references)
    key = extraction.key_of(scan, region, references)
    return extraction.load_or_compute(store, key, scan, region, references)


def _parameters(folder: Path, text: str) -> ExtractionParameters:
    file = folder / "parameters.yaml"
    file.write_text(text)
    return load_extraction_parameters(file)


def test_a_result_is_computed_once_and_again_for_anything_that_changes_it(tmp_path: Path) -> None:
    engine, store, plain = CountingEngine(), ResultStore(tmp_path), ExtractionParameters()
    first = extract_features(SCAN, REGION, {}, plain, engine, store)
    assert extract_features(SCAN, REGION, {}, plain, engine, store) == first
    assert len(engine.calls) == 1
    extract_features(SCAN, REGION, {}, ExtractionParameters(settings={"a": 1}), engine, store)
    extract_features(replace(SCAN, voxels=SCAN.voxels + 1), REGION, {}, plain, engine, store)
    extract_features(SCAN, REGION, {}, plain, replace(engine, version="2"), store)
    assert len(engine.calls) == 4


@pytest.mark.parametrize("name", ["fast", "pyradiomics"])
def test_changed_code_of_an_engine_makes_other_keys(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    extraction = Extraction(ExtractionParameters(), load_engine(name))
    before = extraction.key_of(SCAN, REGION, {}), extraction.key_from("prepared", "tumour")
    monkeypatch.setattr("pipeline.features.extraction.identify_engine", lambda _: "other code")
    after = extraction.key_of(SCAN, REGION, {}), extraction.key_from("prepared", "tumour")
    assert len({*before, *after}) == 4


def test_engines_are_named_by_code_and_libraries_of_their_own() -> None:
    assert len({identify_engine(name) for name in ("fast", "pyradiomics", "none")}) == 3


def test_a_failed_case_is_not_kept(tmp_path: Path) -> None:
    engine, store = CountingEngine(), ResultStore(tmp_path)
    bright = replace(SCAN, voxels=SCAN.voxels + np.int16(20_000))
    for _ in range(2):
        with pytest.raises(CaseError, match="too bright"):
            extract_features(bright, REGION, {}, ExtractionParameters(), engine, store)
    assert len(engine.calls) == 2
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_damaged_result_is_computed_again(tmp_path: Path) -> None:
    engine, store, plain = CountingEngine(), ResultStore(tmp_path), ExtractionParameters()
    first = extract_features(SCAN, REGION, {}, plain, engine, store)
    (file,) = tmp_path.rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:-3])
    assert extract_features(SCAN, REGION, {}, plain, engine, store) == first
    assert len(engine.calls) == 2


def test_missing_and_infinite_values_survive_the_store(tmp_path: Path) -> None:
    odd = {"a": float("nan"), "b": float("inf"), "c": 0.1 + 0.2}
    engine = CountingEngine(answer=odd)
    store = ResultStore(tmp_path)
    for _ in range(2):
        values = extract_features(SCAN, REGION, {}, ExtractionParameters(), engine, store)
        assert np.isnan(values["a"])
        assert values["b"] == float("inf")
        assert values["c"] == 0.1 + 0.2


def test_an_empty_region_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="tumour region is empty"):
        extract_features(
            SCAN, EMPTY, {}, ExtractionParameters(), CountingEngine(), ResultStore(tmp_path)
        )


@pytest.mark.parametrize("tissue", ["liver", "muscle"])
def test_mr_is_standardised_by_the_reference_that_is_named(tmp_path: Path, tissue: str) -> None:
    parameters = _parameters(tmp_path, f"pipeline: {{standardise: {tissue}}}")
    references = {tissue: IntensityReference(mean=60.0, deviation=10.0)}
    plain = extract_features(MR, REGION, {}, ExtractionParameters(), CountingEngine(), None)
    scaled = extract_features(MR, REGION, references, parameters, CountingEngine(), None)
    assert scaled["mean"] == pytest.approx((plain["mean"] - 60) * 10, rel=1e-5)
    even = {tissue: IntensityReference(mean=60.0, deviation=0.0)}
    for useless in ({}, even):
        with pytest.raises(CaseError, match=f"by the {tissue}: expected a {tissue} region"):
            extract_features(MR, REGION, useless, parameters, CountingEngine(), None)


def test_ct_is_never_standardised(tmp_path: Path) -> None:
    parameters = _parameters(tmp_path, "pipeline: {standardise: liver}")
    references = {"liver": IntensityReference(mean=60.0, deviation=10.0)}
    with pytest.raises(CaseError, match=r"CT is not standardised.* none, got liver"):
        extract_features(SCAN, REGION, references, parameters, CountingEngine(), None)


def test_without_settings_the_defaults_are_pyradiomics_own() -> None:
    engine = load_engine("pyradiomics")
    values = engine.extract(SCAN, REGION, ExtractionParameters())
    assert len(values) == 107
    assert not np.isnan(list(values.values())).any()
    inside = SCAN.voxels[REGION.inside]
    assert values["original_firstorder_Mean"] == pytest.approx(inside.mean())
    assert values["original_firstorder_Energy"] == float((inside.astype(float) ** 2).sum())
    assert values["original_shape_VoxelVolume"] == REGION.volume_mm3


@pytest.mark.parametrize(
    "text",
    [
        "imageType: {Original: {}, LoG: {sigma: [1.0, 2]}}",
        "imageType: {LoG: {}}\nsetting: {sigma: [1.5]}",
        "imageType: {Wavelet: {}}",
        "imageType: {Wavelet: {level: 2}}",
        "imageType: {Wavelet: {}}\nsetting: {force2D: true}",
        "imageType: {Square: , SquareRoot: , Logarithm: , Exponential: , Gradient: }",
        "featureClass: {glcm: [Contrast, Id, SumVariance], shape: , firstorder: []}",
        "setting: {resampledPixelSpacing: [2, 2, 2], geometryTolerance: 1e-4}",
        "setting: {label: 3}",
        "imageType: {LoG: {sigma: [40.0]}}",
    ],
)
def test_names_are_known_before_any_image_is_read(tmp_path: Path, text: str) -> None:
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    from pipeline.imaging.itk import region_to_itk, to_itk

    parameters = _parameters(tmp_path, text)
    engine = load_engine("pyradiomics")
    names = engine.feature_names(parameters)
    values = engine.extract(SCAN, REGION, parameters)
    assert tuple(values) == names
    plain = RadiomicsFeatureExtractor(parameters.native())
    theirs = plain.execute(to_itk(SCAN), region_to_itk(REGION), label=1)
    expected = {k: float(v) for k, v in theirs.items() if not k.startswith("diagnostics_")}
    given = {name: value for name, value in values.items() if not np.isnan(value)}
    assert given == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("imagetype: {}", r"top level: unknown imagetype. Did you mean imageType\?"),
        ("imageType: {Log: {}}", r"key imageType: unknown Log. Did you mean LoG\? Allowed: Orig"),
        ("featureClass: {textures: }", r"key featureClass: unknown textures. .*Allowed: shape, "),
        ("pipeline: {region: [tumour]}", "key pipeline.region: unknown"),
        ("pipeline: {regions: [spleen]}", "key pipeline.regions.0: .*'tumour', 'liver', 'ring"),
        ("setting: 25", "key setting: .* valid dictionary"),
    ],
)
def test_a_wrong_parameter_file_names_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=rf"parameters\.yaml: {message}"):
        _parameters(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("setting: {binwidth: 25}", "Key 'binwidth' was not defined"),
        ("setting: {binWidth: wide}", "Value 'wide' is not of type 'float'"),
        ("featureClass: {glcm: [Contrst]}", "unrecognized features: {'Contrst'}"),
        ("imageType: {LoG: {}}", "key sigma is missing"),
        ("imageType: {LBP3D: {}}", "needs the package trimesh"),
    ],
)
def test_what_only_the_engine_knows_is_refused_before_the_first_case(
    tmp_path: Path, text: str, message: str
) -> None:
    parameters = _parameters(tmp_path, text)
    with pytest.raises(ConfigError, match=rf"parameters\.yaml: PyRadiomics refuses .*{message}"):
        list_feature_names([parameters])


def test_pyradiomics_reason_is_kept() -> None:
    one_voxel = np.zeros(GRID.shape_zyx, dtype=bool)
    one_voxel[5, 5, 5] = True
    with pytest.raises(CaseError, match="tumour region: mask only contains 1 segmented voxel"):
        load_engine("pyradiomics").extract(
            SCAN, replace(REGION, inside=one_voxel), ExtractionParameters()
        )


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("spacing_mm", [1.0, 2.0, 3.0, 0.9])
def test_cutting_the_frame_before_interpolation_changes_no_number(
    dtype: str, spacing_mm: float
) -> None:
    """Whole frame and cut frame give the same, also where old and new voxels coincide."""
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    from pipeline.imaging.itk import region_to_itk, to_itk

    grid = replace(GRID, size=(130, 120, 110), spacing_mm=(3.0, 3.0, 3.0))
    values = np.random.default_rng(1).normal(60, 30, grid.shape_zyx)
    scan = Scan(values.astype(dtype), grid, Modality.CT)
    inside = np.zeros(grid.shape_zyx, dtype=bool)
    inside[50:54, 60:65, 70:76] = True
    region = Region(inside, grid, "tumour")
    parameters = ExtractionParameters(settings={"resampledPixelSpacing": [spacing_mm] * 3})
    mine = load_engine("pyradiomics").extract(scan, region, parameters)
    plain = RadiomicsFeatureExtractor(parameters.native())
    theirs = plain.execute(to_itk(scan), region_to_itk(region), label=1)
    for name, value in mine.items():
        assert value == pytest.approx(float(theirs[name]), rel=1e-9), name


@pytest.mark.parametrize("modality", list(Modality))
def test_the_project_s_parameter_files_are_native_and_alike(modality: Modality) -> None:
    file = CONFIGS / f"extraction_{modality.lower()}.yaml"
    names = list_feature_names([load_extraction_parameters(file)])
    ct = list_feature_names([load_extraction_parameters(CONFIGS / "extraction_ct.yaml")])
    assert names == ct
    assert len(names) == 107


def test_a_parameter_file_in_json_is_read_too(tmp_path: Path) -> None:
    text = json.dumps({"setting": {"binWidth": 5}, "imageType": {"Original": {}}})
    assert _parameters(tmp_path, text).settings == {"binWidth": 5}
