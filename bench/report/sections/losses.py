"""What faults took, and what they brought back."""

from bench.report import formats
from bench.report.blocks import Material, Prose, Section
from bench.report.everycell import every_fault
from bench.report.losscells import says_zero

HARM_WORDS = {
    "lost_writes": "a lost write",
    "lost_sessions": "a lost session",
    "resurrected_rotated": "a resurrected rotated token",
    "resurrected_revoked": "a resurrected revoked token",
}
MODEL = (
    "A crash is SIGKILL of the processes that hold the data: the operating system lives on and"
    " writes back what it was given. A power cut takes that too: everything that had not been"
    " written to the device by then. It models neither the device's own cache nor a torn sector."
)


def section(material: Material) -> Section | None:
    """Make the section, if durability was measured."""
    summary = material.summary
    if not summary.faults:
        return None
    controls = []
    for control in summary.positive_controls:
        if not (control.labels or says_zero(summary, control.fault, control.harm)):
            continue
        one, _, _ = formats.FAULTS.get(control.fault, (control.fault, "", ""))
        who = formats.listed(list(control.labels))
        what = HARM_WORDS[control.harm]
        controls.append(
            f"{one}, {what}: seen in {who}."
            if control.labels
            else f"{one}, {what}: uncontrolled. Seen in nobody, so a zero proves nothing."
        )
    unmeasured = [
        f"{skipped.spec}: {skipped.reason}; {skipped.mend}."
        for skipped in summary.skipped
        if " in durability" in skipped.spec
    ]
    return Section(
        "losses",
        "What faults took",
        [
            *material.drawn("losses"),
            Prose([MODEL]),
            *([Prose(unmeasured, bullets=True, heading="Not measured")] if unmeasured else []),
            every_fault(material),
            *([Prose(controls, bullets=True, heading="Positive controls")] if controls else []),
        ],
    )
