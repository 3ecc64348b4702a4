"""The sheet every picture is drawn on: size, type, title, caption, and how it is saved.

Nothing here keeps state in `pyplot`, and nothing varies between two renderings: no dates, no
random ids.
"""

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from PIL import Image

DPI = 96
"""A CSS pixel is 1/96 inch; PNG files hold twice as many."""
WIDTH = 10.0
PNG_COLOURS = 256
CAPTION_CHARACTERS = 185
LINE = 0.155
"""Inches that a caption's line takes."""
HANGUL = ("Noto Sans CJK KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo", "Unifont")
STYLE: dict[str, Any] = {
    "font.size": 8.5,
    # SVG text is drawn by the viewer's machine; Verdana is as wide as the font this is set in.
    "font.sans-serif": ["DejaVu Sans", "Verdana"],
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.3,
    "lines.markersize": 5,
    "svg.hashsalt": "refreshbench",
    "svg.fonttype": "none",
    # Names come from third parties: a dollar sign in one is no formula.
    "text.parse_math": False,
}
SHADES = ("#F4F6F8", "#FFFFFF")


@contextmanager
def style() -> Iterator[None]:
    """Draw and save in the project's style, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        for name, value in STYLE.items():
            mpl.rcParams[name] = value  # type: ignore[index]
        mpl.rcParams["font.family"] = ["DejaVu Sans", *_hangul(), "sans-serif"]
        yield


def sheet(height: float) -> Figure:
    """Make an empty figure; `height` in inches holds axes alone."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def finish(figure: Figure, title: str, caption: Sequence[str]) -> Figure:
    """Put the title above and the caption below, each in room of its own."""
    lines = [
        line
        for paragraph in caption
        for line in textwrap.wrap(printable(paragraph), CAPTION_CHARACTERS)
    ]
    axes_height = figure.get_figheight()
    below, above = LINE * len(lines) + 0.18, 0.42
    height = axes_height + below + above
    figure.set_figheight(height)
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.set(rect=(0.006, below / height, 0.988, axes_height / height))  # type: ignore[call-arg]
    figure.text(0.012, 1 - 0.12 / height, title, fontsize=11.5, weight="bold", va="top")
    figure.text(
        0.012, (below - 0.1) / height, "\n".join(lines), fontsize=7, color="#444444", va="top"
    )
    return figure


def legend(figure: Figure, handles: Sequence[Artist], **more: Any) -> None:
    """Put a legend beside the title, where it takes no room from the axes."""
    figure.legend(
        handles=handles,
        loc="upper right",
        bbox_to_anchor=(0.995, 1 - 0.04 / figure.get_figheight()),
        ncols=len(handles),
        **more,
    ).set_in_layout(False)


def save(figure: Figure, name: str, folder: Path) -> tuple[int, int]:
    """Write `name`.svg and `name`.png; give width and height in CSS pixels."""
    # Laid out once, so that both files are alike; it is also what takes the time.
    figure.draw_without_rendering()
    figure.set_layout_engine(None)
    for axes in figure.axes:
        # The layout's solver gives a last bit now one way, now the other; the SVG's ids show it.
        left, bottom, width, height = (round(edge, 6) for edge in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
    with io.BytesIO() as drawn:
        figure.savefig(drawn, format="png", dpi=2 * DPI)
        # A drawing has few colours: a palette keeps it sharp at a third of the size. Coverage, not
        # the median cut, since a marker's colour fills few pixels and must not drift.
        Image.open(drawn).convert("RGB").quantize(
            PNG_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        ).save(folder / f"{name}.png", optimize=True)
    width, height = figure.get_size_inches()
    return round(width * DPI), round(height * DPI)


def log_axis(axes: Axes, which: str, unit: str) -> None:
    """Make an axis logarithmic, with plain numbers on it."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(**{f"{which}scale": "log"})
    low, high = axis.get_view_interval()
    # Few decades leave too few powers of ten to read a value by.
    within = (1.0, 2.0, 5.0) if high / max(low, 1e-12) < 2_000 else (1.0,)  # noqa: PLR2004
    axis.set_major_locator(LogLocator(10, within))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_locator(NullLocator())
    axis.set_label_text(unit)


def printable(text: str) -> str:
    """Replace what no installed font can draw by a box, rather than warn and draw nothing."""
    drawn = _characters()
    return "".join(
        character if ord(character) in drawn or character.isspace() else "□" for character in text
    )


def printable_names(names: Mapping[str, str]) -> Mapping[str, str]:
    """Make every name printable."""
    return {label: printable(name) for label, name in names.items()}


@cache
def _hangul() -> Sequence[str]:
    installed = {font.name for font in fontManager.ttflist}
    return [name for name in HANGUL if name in installed][:1]


@cache
def _characters() -> frozenset[int]:
    found: set[int] = set()
    for family in ("DejaVu Sans", *_hangul()):
        found.update(FT2Font(findfont(FontProperties(family=[family]))).get_charmap())
    return frozenset(found)
