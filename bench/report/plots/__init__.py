"""The pictures of a report: PNG and SVG, the same bytes for the same record."""

from collections.abc import Mapping
from pathlib import Path

from bench.analysis import Summary
from bench.report.blocks import Picture
from bench.report.plots import (
    balancer,
    canvas,
    distribution,
    failover,
    latency,
    lengths,
    losses,
    palette,
    races,
    response,
    scale,
    soak,
    staleness,
    throughput,
    tradeoff,
)
from bench.report.plots.scene import Draw, Scene

PLOTS: Mapping[str, Draw] = {
    "tradeoff": tradeoff.draw,
    "throughput": throughput.draw,
    "latency": latency.draw,
    "distribution": distribution.draw,
    "response": response.draw,
    "losses": losses.draw,
    "races": races.draw,
    "balancer": balancer.draw,
    "failover": failover.draw,
    "lengths": lengths.draw,
    "staleness": staleness.draw,
    "scale": scale.draw,
    "soak": soak.draw,
}


def draw_all(
    summary: Summary, names: Mapping[str, str], conditions: str, folder: Path
) -> Mapping[str, Picture]:
    """Draw every plot there are figures for into `folder`; give name -> picture."""
    pictures = {}
    with canvas.style():
        looks = palette.looks(summary.subjects, canvas.printable_names(names))
        scene = Scene(summary, looks, conditions)
        for name, draw in PLOTS.items():
            plot = draw(scene)
            if plot is not None:
                width, height = canvas.save(plot.figure, name, folder)
                pictures[name] = Picture(name, plot.caption, plot.alt, width, height)
    return pictures
