"""The picture of growth: what is fixed looks fixed, and nobody hides behind another."""

import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.analysis import summary
from bench.record import Trial
from bench.report.names import names
from bench.report.plots import canvas
from bench.report.plots import scale as drawing
from bench.report.plots.palette import looks
from bench.report.plots.scene import Scene
from scenarios.scale import ScaleFindings, Size, Visits
from tests import records

SIZES = (1_000, 10_000, 100_000)
STORES = ("postgres:sync", "redis:aof-always")


def size(sessions: int, mb: float) -> Size:
    visits = [
        Visits(
            operation=operation,
            connections=8,
            samples=records.samples([us] * 300),
            elapsed_ns=10**8,
            exhausted=False,
            processes=1,
            client_cpu_ns=10**7,
            client_rss_bytes=0,
            server_cpu_ns=10**7,
            server_rss_bytes=10**7,
        )
        for operation, us in (("verify", 100.0), ("rotate", 300.0))
        if sessions
    ]
    return Size(
        wanted=sessions, sessions=sessions, added=sessions, load_ns=10**9, load_client_cpu_ns=10**8,
        load_server_cpu_ns=10**8, bulk=True, stopped=None, processes=1, counters={},
        client_rss_bytes=10**7, server_rss_bytes=int(mb * 1e6), disk_bytes=None, visits=visits,
    )  # fmt: skip


def panels(trials: int = 2) -> tuple[dict[str, Axes], str]:
    """Draw two stores that take 60 MB whatever they hold; give title -> axes, and the caption."""
    facts = [one for one in records.subjects() if one.label in STORES]
    findings = ScaleFindings(sizes=[size(0, 10), *(size(n, 70) for n in SIZES)])
    found: list[Trial] = [
        records.trial(label, "scale", "growing", n, findings)
        for label in STORES
        for n in range(trials)
    ]
    seen = summary(records.run_of(facts, found), found)
    with canvas.style():
        plot = drawing.draw(Scene(seen, looks(seen.subjects, names(seen.subjects)), "conditions"))
    assert plot is not None
    axes = {one.get_title(loc="left"): one for one in plot.figure.axes}
    return axes, " ".join(plot.figure.texts[-1].get_text().split())


def lines(axes: Axes) -> list[Line2D]:
    """Give the lines over the sizes, a store each, and the guide."""
    return [line for line in axes.lines if len(line.get_xydata()) == len(SIZES)]  # type: ignore[arg-type]


def test_fixed_memory_is_a_flat_line() -> None:
    """A share of it would fall with every session, as if the store shrank."""
    axes, _ = panels()
    *stores, guide = lines(axes["memory added"])
    for line in stores:
        assert line.get_ydata() == pytest.approx([60] * len(SIZES), rel=0.01)
    assert guide.get_ydata() == pytest.approx([n * drawing.GUIDE_BYTES / 1e6 for n in SIZES])


def test_stores_stand_side_by_side() -> None:
    """One's p99 doesn't run into another's p50, and each stays nearest to its own size."""
    axes, _ = panels()
    for operation in ("verify", "rotate"):
        one, other = lines(axes[operation])
        assert not set(one.get_xdata()) & set(other.get_xdata())  # type: ignore[arg-type]
        for line in (one, other):
            assert line.get_xdata() == pytest.approx(SIZES, rel=0.3)


@pytest.mark.parametrize("trials", [1, 2])
def test_the_caption_says_how_many_trials(trials: int) -> None:
    """A picture of one trial is no picture of five."""
    _, caption = panels(trials)
    assert f"n={trials}." in caption
