"""What faults took, and what they brought back."""

from bench.report import formats
from bench.report.blocks import Material, Prose, Section
from bench.report.everycell import every_fault

HARM_WORDS = {
    "lost_writes": "a lost write",
    "lost_sessions": "a lost session",
    "resurrected_rotated": "a resurrected rotated token",
    "resurrected_revoked": "a resurrected revoked token",
}
LIMITS = (
    "A crash here is SIGKILL of the processes that hold the data; the operating system lives on and"
    " writes back what it was given. A power cut, which loses that too, is not measured by this"
    " run: the class that a store declares for it is its own word."
)


def section(material: Material) -> Section | None:
    """Make the section, if durability was measured."""
    summary = material.summary
    if not summary.faults:
        return None
    controls = []
    for control in summary.positive_controls:
        one, _, _ = formats.FAULTS.get(control.fault, (control.fault, "", ""))
        who = formats.listed(list(control.labels))
        what = HARM_WORDS[control.harm]
        controls.append(
            f"{one}, {what}: seen in {who}."
            if control.labels
            else f"{one}, {what}: seen in nobody, so a zero in this column proves nothing."
        )
    measured = {figures.fault for figures in summary.faults}
    return Section(
        "losses",
        "What faults took",
        [
            *material.drawn("losses"),
            *([Prose([LIMITS])] if "powercut" not in measured else []),
            every_fault(material),
            Prose(controls, bullets=True, heading="Positive controls"),
        ],
    )
