"""Markers that say whether a cell is ranked: filled; hollow, or half filled, if it isn't.

Hollow is kept for one reason, the load generator: such a figure says less of the store than of
what asked it. Any other reason shows half a marker, and is named in the caption.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.analysis.latency import Flag, LatencyCell, Metric
from bench.report import formats
from bench.report.plots import canvas
from bench.report.plots.palette import QUIET

Standing = Literal["ranked", "limited", "unranked"]
"""limited: by the load generator. unranked: for another reason."""
NAMES: Mapping[Standing, str] = {
    "ranked": "ranked",
    "limited": "limited by the load generator",
    "unranked": "not ranked otherwise",
}
REASONS: Mapping[Flag, str] = {
    "errors": "too many calls failed",
    "one trial": "there was one trial only",
}
FEW = "a trial had too few samples"


def standing(cell: LatencyCell, metric: Metric) -> Standing:
    """Tell whether a cell is ranked by one of its figures; the generator is named first."""
    if "generator-limited" in cell.why:
        return "limited"
    return "ranked" if cell.ranked and cell.metric(metric) else "unranked"


def fill(stands: Standing, colour: str) -> dict[str, Any]:
    """Give the arguments that fill a marker so."""
    match stands:
        case "ranked":
            return {"markerfacecolor": colour}
        case "limited":
            return {"markerfacecolor": "white"}
        case "unranked":
            return {
                "fillstyle": "bottom",
                "markerfacecolor": colour,
                "markerfacecoloralt": "white",
            }


def legend(figure: Figure, found: Sequence[Standing]) -> None:
    """Show beside the title what the markers mean, if not all are filled."""
    shown = [one for one in NAMES if one in found]
    if shown in ([], ["ranked"]):
        return
    handles = [
        Line2D([], [], color=QUIET, marker="o", linestyle="", label=NAMES[one], **fill(one, QUIET))
        for one in shown
    ]
    canvas.legend(figure, handles, handletextpad=0.1)


def reading(cells: Sequence[LatencyCell], metric: Metric) -> str:
    """Explain those markers that are in the picture."""
    words = []
    if any(standing(cell, metric) == "limited" for cell in cells):
        words.append(
            "Hollow: limited, which means that the load generator was the limit and not the store,"
            " so not ranked."
        )
    why = _why([cell for cell in cells if standing(cell, metric) == "unranked"])
    if why:
        words.append(f"Half filled: not ranked since {' or '.join(why)}.")
    return " ".join(words)


def told(cells: Sequence[LatencyCell], metric: Metric) -> str:
    """Name the cells that aren't ranked, for who can't see the markers."""
    heads: Mapping[Standing, str] = {
        "limited": "Limited by the load generator, so not ranked",
        "unranked": "Not ranked for another reason",
    }
    sentences = []
    for stands, head in heads.items():
        where: dict[str, list[str]] = {}
        for cell in cells:
            if standing(cell, metric) == stands:
                where.setdefault(cell.label, []).append(f"{cell.workload} at {cell.connections}")
        if where:
            each = [f"{label} ({', '.join(places)})" for label, places in where.items()]
            sentences.append(f" {head}: {formats.listed(each)}.")
    return "".join(sentences)


def _why(cells: Sequence[LatencyCell]) -> Sequence[str]:
    flags = [flag for flag in REASONS if any(flag in cell.why for cell in cells)]
    few = [FEW] if any(cell.ranked for cell in cells) else []
    return [*(REASONS[flag] for flag in flags), *few]
