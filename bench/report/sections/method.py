"""How the figures were made, on what, and how to make them again."""

from collections.abc import Sequence
from importlib.resources import files

from bench.report import conditions, whereabouts, workers
from bench.report.again import command
from bench.report.blocks import Cell, Code, Column, Group, Material, Prose, Row, Section, Table


def section(material: Material) -> Section:
    """Make the section; it is there for every run."""
    run = material.run
    load = material.summary.workers
    notes = [*_notes(), whereabouts.told(material.summary)]
    spoils = list(conditions.spoils(run))
    warned = Prose(spoils, bullets=True, heading="What may have spoilt figures on this machine")
    return Section(
        "method",
        "Method and conditions",
        [
            Prose(notes, bullets=True, heading="How to read the figures"),
            *([warned] if spoils else []),
            *([Prose([workers.told(load)], heading="Who made the load")] if load else []),
            *([_settings(material)] if material.summary.servers else []),
            _machine(material),
            _parameters(material),
            Code(command(run), "The same run again"),
            Code(f"refreshbench report {material.record}", "This report again, from its record"),
        ],
    )


def _notes() -> Sequence[str]:
    text = (files("bench.report") / "templates" / "method.txt").read_text(encoding="utf-8")
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def _settings(material: Material) -> Table:
    titles = {subject.label: subject.title for subject in material.run.subjects}
    rows = []
    for one in material.summary.servers:
        server = one.server
        rows.append(
            Row(
                material.names[one.label],
                [
                    Cell(titles[one.label]),
                    Cell(f"{server.kind} {server.version}" if server else "none"),
                    Cell(server.way if server else "in process"),
                    Cell(", ".join(f"{k}={v}" for k, v in one.settings.items()) or "none"),
                ],
            )
        )
    return Table(
        name="settings",
        caption="Servers, and the durability settings read back from them before measuring",
        corner="Subject",
        columns=[Column("store"), Column("server"), Column("had by"), Column("settings")],
        groups=[Group("As the first trial of each subject found them", rows)],
        folded=True,
    )


def _machine(material: Material) -> Table:
    return Table(
        name="machine",
        caption="The machine",
        corner="Property",
        columns=[Column("value")],
        groups=[
            Group(
                "Before the run",
                [Row(name, [Cell(value)]) for name, value in conditions.in_full(material.run)],
            )
        ],
        folded=True,
    )


def _parameters(material: Material) -> Table:
    rows = [
        Row(f"{scenario}.{name}", [Cell(str(value))])
        for scenario, parameters in material.run.parameters.items()
        for name, value in parameters.items()
    ]
    rows.append(Row("seed", [Cell(str(material.run.seed))]))
    rows.append(Row("record", [Cell(material.record)]))
    return Table(
        name="parameters",
        caption="Parameters of the scenarios",
        corner="Parameter",
        columns=[Column("value")],
        groups=[Group(f"{material.run.effort} effort", rows)],
        folded=True,
    )
