"""Stage ``report``: everything known about the trained procedure as one page and a model card."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.cli import ExitCode, run_command


def run(contents: Mapping[str, Any]) -> tuple[str, str]:
    """Turn the gathered results into documents.

    Inputs
    ------
    contents
        From :func:`pipeline.report.contents.gather_contents`.

    Outputs
    -------
    (str, str)
        ``index.html``, self-contained, and ``MODEL_CARD.md``.
    """
    from pipeline.report.page import render_page, render_template

    body = render_template("report.html", **contents)
    title = f"Prediction of {contents['outcome']}"
    page = render_page(title, body, synthetic=contents["synthetic"])
    return page, render_template("model_card.md", **contents)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line."""
    return run_command(_command, argv)


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(prog="python -m pipeline.stages.report", description=__doc__)
    parser.add_argument("--evaluation", type=Path, required=True, help="folder of evaluate")
    parser.add_argument("--train", type=Path, required=True, help="folder of train")
    parser.add_argument("--cohort", type=Path, required=True, help="folder of validate")
    parser.add_argument("--features", type=Path, required=True, help="feature table of assemble")
    parser.add_argument("--bundle", type=Path, required=True, help="bundle of train")
    parser.add_argument("--configs", type=Path, required=True, help="folder of the settings")
    parser.add_argument("--out", type=Path, required=True, help="folder for the report")
    parser.add_argument("--no-tracking", action="store_true", help="do not log to MLflow")
    paths = parser.parse_args(argv)

    from pipeline.report.contents import gather_contents
    from pipeline.tabular import write_text

    page, card = run(gather_contents(paths.evaluation, paths.train, paths.cohort))
    write_text(page, paths.out / "index.html")
    write_text(card, paths.out / "MODEL_CARD.md")
    if not paths.no_tracking:
        _track(paths)
    return ExitCode.DONE


def _track(paths: argparse.Namespace) -> None:
    """Log the finished run; the project is the folder that the stage runs in, as under DVC."""
    from pipeline.tracking.experiment import ExperimentFiles, log_experiment

    files = ExperimentFiles(
        project=Path.cwd(),
        configs=paths.configs,
        cohort=paths.cohort,
        features=paths.features,
        train=paths.train,
        evaluation=paths.evaluation,
        report=paths.out,
        bundle=paths.bundle,
    )
    log_experiment(files)


if __name__ == "__main__":
    raise SystemExit(main())
