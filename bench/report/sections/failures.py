"""What did not come out: failed trials, what was skipped, broken promises."""

from bench.report import formats
from bench.report.blocks import Material, Prose, Section


def section(material: Material) -> Section | None:
    """Make the section, if anything went wrong or was left out."""
    summary = material.summary
    against = [
        f"{one.label} declares that it can {_promise(one.capability)}, but {one.found}"
        f" ({', '.join(one.trials)})."
        for one in summary.contradictions
    ]
    failed = [f"{trial.id}: {trial.error}" for trial in summary.failed]
    undecided = [f"{one.trial}: {one.why}" for one in summary.undecided]
    skipped = [f"{one.spec}: {one.reason}. To bring it: {one.mend}" for one in summary.skipped]
    unknown = [
        f"{name}: this version of refreshbench doesn't know the scenario, so its trials are left"
        " out. Report with the version that made the run."
        for name in summary.unknown_scenarios
    ]
    lists = (
        ("Against what a store declares", against),
        ("Failed trials", failed),
        ("Undecided: what was lost can't be told", undecided),
        ("Not measured", skipped),
        ("Unknown scenarios", unknown),
    )
    blocks = [Prose(lines, bullets=True, heading=title) for title, lines in lists if lines]
    return Section("failures", "What did not come out", blocks) if blocks else None


def _promise(capability: str) -> str:
    return formats.CANNOT.get(capability, capability)
