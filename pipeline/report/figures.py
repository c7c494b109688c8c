"""Pictures of an assessment; colours that the colour-blind can tell apart, intervals drawn."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.tabular import write_bytes

DECLARED_COLOUR = "#0072B2"
"""Blue of Okabe and Ito's palette (https://jfly.uni-koeln.de/color/); for the declared set."""

OTHER_COLOURS = ("#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""The palette's other colours, for comparators; the line style tells them apart in print."""

OTHER_STYLES = ("--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))

_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "text.parse_math": False,  # a dollar sign in an outcome name is a dollar sign
    # Identifiers inside the SVG are otherwise random: same numbers, same bytes.
    "svg.hashsalt": "pipeline",
}


def draw_roc(points: pd.DataFrame, band: pd.DataFrame, sets: Sequence[str], note: str) -> Figure:
    """Draw ROC curves.

    Parameters
    ----------
    points : pandas.DataFrame
        ``feature_set, false_positive_rate, true_positive_rate``.
    band : pandas.DataFrame
        Pointwise band of the first set.
    sets : sequence of str
        Feature sets to draw, the declared one first; at most six.
    note : str
        Ends the title, such as ``synthetic, not evidence``; may be empty.
    """
    with _axes("Receiver operating characteristic", note) as (figure, axes):
        axes.fill_between(
            band["false_positive_rate"],
            band["true_positive_rate_low"],
            band["true_positive_rate_high"],
            color=DECLARED_COLOUR,
            alpha=0.15,
            linewidth=0,
            label="interval, pointwise",
        )
        _draw_sets(axes, points, sets, ("false_positive_rate", "true_positive_rate"))
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, label="chance")
        axes.set(
            xlabel="False positive rate (1 - specificity)",
            ylabel="True positive rate (sensitivity)",
            aspect="equal",
        )
        axes.legend(loc="lower right")
    return figure


def draw_calibration(groups: pd.DataFrame, outcome: str, note: str) -> Figure:
    """Draw observed against predicted, with exact intervals and the patients in each group.

    Parameters
    ----------
    groups : pandas.DataFrame
        From :func:`pipeline.evaluation.calibration.calibration_groups`.
    outcome : str
        Name of the positive outcome.
    note : str
        Ends the title; may be empty.
    """
    with _axes("Calibration", note) as (figure, axes):
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, label="perfect")
        below = groups["observed"] - groups["observed_low"]
        above = groups["observed_high"] - groups["observed"]
        axes.errorbar(
            groups["mean_probability"],
            groups["observed"],
            yerr=[below, above],
            color=DECLARED_COLOUR,
            linestyle="none",
            marker="o",
            capsize=3,
            label="group of patients, exact interval",
        )
        for row in groups.itertuples():
            axes.annotate(
                f"{row.events}/{row.patients}",
                (row.mean_probability, row.observed),
                textcoords="offset points",
                xytext=(6, 4),
                fontsize=8,
            )
        axes.set(
            xlabel=f"Predicted probability of {outcome}",
            ylabel=f"Observed share with {outcome}",
            xlim=(0, 1),
            ylim=(0, 1),
            aspect="equal",
        )
        axes.legend(loc="upper left")
    return figure


def draw_decision(curves: pd.DataFrame, sets: Sequence[str], note: str) -> Figure:
    """Draw decision curves.

    Parameters
    ----------
    curves : pandas.DataFrame
        ``feature_set``, then as :func:`pipeline.evaluation.decision_curve.decision_curve` gives.
    sets : sequence of str
        Feature sets to draw, the declared one first; at most six.
    note : str
        Ends the title; may be empty.
    """
    declared = curves[curves["feature_set"] == sets[0]]
    with _axes("Decision curve", note) as (figure, axes):
        axes.fill_between(
            declared["threshold"],
            declared["net_benefit_low"],
            declared["net_benefit_high"],
            color=DECLARED_COLOUR,
            alpha=0.15,
            linewidth=0,
            label="interval, pointwise",
        )
        _draw_sets(axes, curves, sets, ("threshold", "net_benefit"))
        axes.plot(declared["threshold"], declared["treat_all"], color="0.6", label="act on all")
        axes.axhline(0, color="0.2", linewidth=0.8, label="act on nobody")
        # Acting on everybody falls without limit and would flatten everything else.
        top = max(0.05, 1.1 * float(declared["net_benefit_high"].max()))
        axes.set(
            xlabel="Threshold probability",
            ylabel="Net benefit (true positives per patient)",
            ylim=(-0.8 * top, top),
        )
        axes.legend(loc="lower left", ncols=2)
    return figure


def write_figure(figure: Figure, stem: Path) -> None:
    """Write a figure as ``stem.png`` (150 dpi) and ``stem.svg``, the same bytes each time."""
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    with mpl.rc_context(_STYLE):
        for kind, entries in metadata.items():
            stream = io.BytesIO()
            figure.savefig(stream, format=kind, dpi=150, metadata=entries)
            write_bytes(stream.getvalue(), stem.with_suffix(f".{kind}"))


@contextmanager
def _axes(title: str, note: str) -> Iterator[tuple[Figure, Axes]]:
    with mpl.rc_context(_STYLE):
        # Not through pyplot: no global state, no display needed.
        figure = Figure(figsize=(4.8, 4.8), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.set_title(f"{title} ({note})" if note else title)
        yield figure, axes


def _draw_sets(
    axes: Axes, table: pd.DataFrame, sets: Sequence[str], columns: tuple[str, str]
) -> None:
    for index, name in enumerate(sets):
        of_set = table[table["feature_set"] == name]
        axes.plot(
            of_set[columns[0]],
            of_set[columns[1]],
            color=DECLARED_COLOUR if index == 0 else OTHER_COLOURS[index - 1],
            linestyle="-" if index == 0 else OTHER_STYLES[index - 1],
            linewidth=2 if index == 0 else 1.3,
            label=name.replace("_", " "),
        )
