"""Whatever the tables of a cohort hold: a list of problems comes back, never another error."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.biomarkers.checks import find_measurement_problems
from pipeline.config.biomarkers import load_biomarkers_config
from pipeline.config.cohort import CohortConfig
from pipeline.domain.errors import PipelineError
from pipeline.ingest.checks import find_problems
from pipeline.ingest.cohort import read_cohort

FUZZ = settings(max_examples=150, deadline=None, derandomize=True, database=None)
CONFIG = CohortConfig.model_validate(
    {"root": ".", "outcome": {"column": "complete", "positive": "== 1"},
     "covariates": {"age": {"kind": "numeric"}}}
)  # fmt: skip
ANALYTES = load_biomarkers_config(Path(__file__).parents[2] / "configs" / "biomarkers.yaml")

TABLES = {
    "scans.csv": ["patient_id", "timepoint", "modality", "phase", "image", "mask", "scan_date"],
    "patients.csv": ["patient_id", "complete", "age", "surgery_date"],
    "biomarkers.csv": ["patient_id", "analyte", "value", "unit", "drawn_on"],
}
WORDS = [
    "P1", "P2", "baseline", "preop", "CT", "MR", "portal", "a.nii", "../a", "/etc/passwd", "~", "",
    "1", "0", "-1", "1e999", "9" * 400, "nan", "inf", "NA", "=1+1", "@SUM(A1)", "2023-02-29",
    "2023-01-01", "9999-12-31", "0001-01-01", "<5", ">1e400", "AFP", "ng/mL", "\x00", "\x1b[31m",
    '"', '""', "a\r\nb", "\ufeff", "\u202e", "٣", "²", "x" * 300,
]  # fmt: skip
fields = st.one_of(st.sampled_from(WORDS), st.text(max_size=6))


@st.composite
def tables(draw: st.DrawFn, header: list[str]) -> bytes:
    """Draw a table that is nearly right."""
    columns = [*header, *draw(st.lists(fields, max_size=1))]
    rows = draw(
        st.lists(st.lists(fields, min_size=len(columns), max_size=len(columns)), max_size=3)
    )
    separator = draw(st.sampled_from([",", ",", ",", ",", ";", "\t"]))
    text = "\n".join(separator.join(row) for row in [columns, *rows])
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"]))
    return text.encode(encoding, errors="surrogatepass")


def check(folder: Path) -> None:
    with contextlib.suppress(PipelineError):
        cohort, problems = read_cohort(folder)
        problems += find_problems(cohort, CONFIG, jobs=1)
        problems += find_measurement_problems(cohort.biomarkers, cohort.patients, ANALYTES)
        assert all(problem.what and problem.next_step for problem in problems)


@FUZZ
@given(st.tuples(*(tables(header) for header in TABLES.values())))
def test_nearly_sound_tables(contents: tuple[bytes, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in zip(TABLES, contents, strict=True):
            (Path(folder) / name).write_bytes(content)
        check(Path(folder))


@FUZZ
@given(st.sampled_from(sorted(TABLES)), st.binary(max_size=200))
def test_noise_as_a_table(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for other, header in TABLES.items():
            (Path(folder) / other).write_text(",".join(header) + "\n")
        (Path(folder) / name).write_bytes(content)
        check(Path(folder))
