"""``configs/cohort.yaml``: the rule of the outcome, presets, and what may not be a predictor."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.config.cohort import CohortConfig, Outcome, Policy, load_cohort_config
from pipeline.config.demo import DemoConfig
from pipeline.config.loading import load_settings
from pipeline.domain.errors import ConfigError, LeakageError
from pipeline.ingest.covariate_checks import find_covariate_problems
from pipeline.synthetic.tables import generate_tables

CONFIGS = Path(__file__).parents[2] / "configs"
BASE = """root: data/x
outcome: {column: complete, positive: "== 1"}
"""


def write(tmp_path: Path, content: str, **presets: str) -> Path:
    path = tmp_path / "cohort.yaml"
    path.write_text(content)
    (tmp_path / "presets").mkdir(exist_ok=True)
    for name, text in presets.items():
        (tmp_path / "presets" / f"{name}.yaml").write_text(text)
    return path


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (">= 100", [0.0, 1.0, 1.0]),
        ("> 100", [0.0, 0.0, 1.0]),
        ("==100", [0.0, 1.0, 0.0]),
        ("<= 100.0", [1.0, 1.0, 0.0]),
        (" < 100 ", [1.0, 0.0, 0.0]),
        ("> -1", [1.0, 1.0, 1.0]),
    ],
)
def test_rules_of_the_outcome(rule: str, expected: list[float]) -> None:
    positive = Outcome(column="x", positive=rule).is_positive(pd.Series([99.0, 100.0, 101.0, None]))
    assert positive.tolist()[:3] == expected
    assert positive.isna().tolist() == [False, False, False, True]


@pytest.mark.parametrize("rule", ["100", "=> 100", ">= full", ">= 1 and < 2", ""])
def test_what_is_no_rule(tmp_path: Path, rule: str) -> None:
    path = write(tmp_path, f"root: x\noutcome: {{column: y, positive: '{rule}'}}\n")
    with pytest.raises(ConfigError, match=r"outcome\.positive.*'>= 100' or '== 1'"):
        load_cohort_config(path)


def test_defaults(tmp_path: Path) -> None:
    config = load_cohort_config(write(tmp_path, BASE))
    assert (config.policy, config.allow_outside, config.min_region_mm3) == ("strict", False, 100.0)
    assert config.covariates == {}


def test_a_preset_replaces_keys_but_not_the_root(tmp_path: Path) -> None:
    path = write(tmp_path, BASE + "preset: mine\nmin_region_mm3: 7\n", mine="policy: exclude\n")
    config = load_cohort_config(path)
    assert (config.policy, config.min_region_mm3, config.root) == (
        Policy.EXCLUDE,
        7.0,
        Path("data/x"),
    )


@pytest.mark.parametrize("name", ["other", "../cohort", "a/b"])
def test_unknown_preset(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, BASE + f"preset: {name}\n", mine="", yours="")
    with pytest.raises(ConfigError, match=r"no preset .*Known: mine, yours"):
        load_cohort_config(path)


def test_a_preset_may_not_move_the_cohort(tmp_path: Path) -> None:
    path = write(tmp_path, BASE + "preset: mine\n", mine="root: y\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml: key root: belongs into cohort\.yaml"):
        load_cohort_config(path)


@pytest.mark.parametrize("name", ["complete", "post_status"])
def test_what_knows_the_outcome_is_no_covariate(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, BASE + f"covariates: {{{name}: {{kind: numeric}}}}\n")
    with pytest.raises(LeakageError, match=rf"covariates: {name} cannot be predictors"):
        load_cohort_config(path)


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ("{kind: categorical, categories: [a, b], range: [0, 1]}", "has no range"),
        ("{kind: numeric, range: [5, 5]}", "smallest and the largest"),
        ("{kind: lr_tr, range: [0, 1]}", "of kind lr_tr has no range"),
        ("{kind: lr_tr, categories: [a, b]}", "of kind lr_tr has no categories"),
    ],
)
def test_ranges_that_mean_nothing(tmp_path: Path, declared: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load_cohort_config(write(tmp_path, BASE + f"covariates: {{x: {declared}}}\n"))


def test_age_in_years_has_a_range(tmp_path: Path) -> None:
    content = BASE + "covariates: {age: {kind: numeric, unit: years}, x: {kind: numeric}}\n"
    config = load_cohort_config(write(tmp_path, content))
    assert [config.range_of(name) for name in ("age", "x")] == [(0.0, 120.0), None]


def test_categories_are_text(tmp_path: Path) -> None:
    content = BASE + "covariates: {hbv: {kind: categorical, categories: [0, 1]}}\n"
    assert load_cohort_config(write(tmp_path, content)).covariates["hbv"].categories == ("0", "1")


def test_shipped_settings_fit_the_demo_cohort() -> None:
    config = load_cohort_config(CONFIGS / "cohort.yaml")
    demo = load_settings(DemoConfig, CONFIGS / "demo.yaml")
    patients = generate_tables(demo).patients
    assert config.outcome.column in patients.columns
    assert [p for p in find_covariate_problems(patients, config) if p.is_error] == []


def test_every_shipped_key_is_written_out() -> None:
    text = (CONFIGS / "cohort.yaml").read_text()
    assert all(f"\n{key}:" in text for key in CohortConfig.model_fields)


def test_shipped_preset_reads(tmp_path: Path) -> None:
    preset = (CONFIGS / "presets" / "sts.yaml").read_text()
    config = load_cohort_config(write(tmp_path, BASE + "preset: sts\n", sts=preset))
    assert (config.outcome.column, config.scoring_timepoint) == ("lung_metastasis", "baseline")
    assert config.forbids("post_status")
    assert config.forbids("treatment")
