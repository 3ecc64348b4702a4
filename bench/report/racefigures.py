"""Figures of instances that look at each other's acts and race, as rows of `figures.csv`."""

from collections.abc import Iterator

from bench.analysis import Summary
from bench.analysis.consistency import RaceFigures
from bench.report import rows
from bench.report.rows import Fields


def race_rows(summary: Summary) -> Iterator[Fields]:
    """Give a row a figure."""
    for sight in summary.sightings:
        known = {
            "scenario": "consistency",
            "label": sight.label,
            "durability": sight.durability,
            "operation": sight.act,
            "instances": sight.instances,
            **rows.trials(sight.trials),
            **rows.counted(sight.looks, "looks"),
        }
        yield {**known, "figure": "seen at once", "value": sight.seen, "unit": "looks"}
    for races in [*summary.races, *summary.other_races]:
        yield from _races(races)


def _races(races: RaceFigures) -> Iterator[Fields]:
    amid = "" if races.mishap == "none" else f", amid {races.mishap}"
    known = {
        "scenario": "consistency",
        "label": races.label,
        "durability": races.durability,
        "operation": races.contest,
        "instances": races.instances,
        "unit": "races",
        **rows.trials(races.trials),
        **rows.counted(races.contested, "contested races"),
    }
    for winners, rounds in races.winners.items():
        yield {**known, "figure": f"races with {winners} winners{amid}", "value": rounds}
    for checker, families in races.anomalies.items():
        yield {**known, "figure": f"{checker}{amid}", "value": families}
    lost = "double spends" if races.plain else f"races lost{amid}"
    yield {**known, "figure": lost, "value": races.harmed}
    for row in rows.searched(races.orders, races.disagreements):
        yield {**known, **row, "figure": f"{row['figure']}{amid}"}
