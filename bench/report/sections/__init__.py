"""The sections of a report, in the order of the page. A new one is one file and one line here."""

from collections.abc import Sequence

from bench.report.blocks import SectionMaker
from bench.report.sections import (
    answer,
    balancer,
    failover,
    failures,
    load,
    losses,
    method,
    races,
    scale,
    soak,
    speed,
    staleness,
    tokens,
)

SECTIONS: Sequence[SectionMaker] = (
    answer.section,
    failures.section,
    speed.section,
    load.section,
    scale.section,
    soak.section,
    losses.section,
    races.section,
    balancer.section,
    failover.section,
    staleness.section,
    tokens.section,
    method.section,
)
