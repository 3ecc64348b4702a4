"""What users meet where app instances can't share a store."""

from bench.analysis.balancer import BalancerFigures
from bench.report import formats
from bench.report.blocks import Cell, Column, Group, Material, Prose, Row, Section, Table

READING = (
    "Users log in, refresh and log out through a load balancer, which sends them to one of several"
    " app instances. Where hosts can't share the store each instance has its own: its memory, or"
    " the disk of its host. Who is refused logs in again. Replaced: halfway, the first instance"
    " gives way to one on a host with an empty disk; restarted: it starts again where it was."
    " Ended as theft: refreshes answered “reused”, which ends a session. Still good after the"
    " logout: sessions that some instance accepted although their logout had been acknowledged."
)


def section(material: Material) -> Section | None:
    """Make the section, if instances behind a balancer were measured."""
    every = material.summary.balancers
    if not every:
        return None
    backend = {subject.label: subject.backend for subject in material.run.subjects}
    table = Table(
        name="balancer",
        caption="What users met behind a balancer",
        corner="Store",
        columns=[
            Column("stores"),
            Column("refreshes"),
            Column("refused", "refreshes"),
            Column("answered instead"),
            Column("ended as theft", "sessions"),
            Column("logins needed"),
            Column("still good after the logout", "sessions"),
            Column("errors", "calls"),
        ],
        groups=[
            Group(
                arrangement,
                [
                    Row(
                        material.names[one.label], _cells(one), material.colours[backend[one.label]]
                    )
                    for one in every
                    if one.arrangement == arrangement
                ],
            )
            for arrangement in dict.fromkeys(one.arrangement for one in every)
        ],
    )
    return Section(
        "balancer",
        "Behind a load balancer",
        [*material.drawn("balancer"), Prose([READING]), table],
    )


def _cells(figures: BalancerFigures) -> list[Cell]:
    answers = [f"{answer} {number:,}" for answer, number in sorted(figures.refused.items())]
    errors = sum(figures.errors.values())
    theft = figures.refused.get("reused", 0)
    return [
        Cell("one each" if figures.apart else "one, shared"),
        Cell(f"{figures.refreshes:,}", number=figures.refreshes),
        Cell(
            f"{figures.all_refused:,}",
            number=figures.all_refused,
            detail=formats.percent(figures.all_refused / figures.refreshes)
            if figures.refreshes
            else "",
            tone="bad" if figures.all_refused else "",
            source=formats.trials(figures.trials),
        ),
        Cell(formats.listed(answers) or formats.NOTHING),
        Cell(f"{theft:,}", number=theft, tone="bad" if theft else ""),
        Cell(f"{figures.logins:,}", number=figures.logins, detail=f"by {figures.users:,} users"),
        _after_logout(figures),
        Cell(f"{errors:,}", number=errors, detail=formats.listed(sorted(figures.errors))),
    ]


def _after_logout(figures: BalancerFigures) -> Cell:
    if not figures.logouts:
        return Cell("n/a", tone="none", notes=("It can't take a token back.",))
    alive = figures.alive_after_logout
    return Cell(f"{alive:,} of {figures.logouts:,}", number=alive, tone="bad" if alive else "")
