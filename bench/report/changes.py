"""A comparison of two runs, as tables and as Markdown fit for a pull request."""

from collections import Counter, defaultdict
from collections.abc import Container, Sequence

from bench.analysis.comparing import Comparison
from bench.analysis.harms import HarmChange
from bench.analysis.judging import Change
from bench.report import formats, markdown
from bench.report.blocks import Cell, Column, Group, Row, Table, Tone
from bench.report.formats import NOTHING

TONES: dict[str, Tone] = {"worse": "bad", "better": "best", "not comparable": "none", "tie": ""}

RATIO = (
    "ratio: NEW over BASE, of geometric means over trials, with its 95% interval, for this figure"
    " alone. BASE and NEW are medians over trials."
)
TIE = (
    "tie: the change may be chance, or is inside the noise of an A/A control. All figures of speed"
    " are one family: two runs of the same code are told apart anywhere in at most 5% of cases."
)
DRIFT = (
    "No test over trials can tell a change of the code from one of the machine between the runs:"
    " let the runs follow each other, or name a subject that did not change by --relative-to."
)


def headline(found: Comparison) -> str:
    """Say in one line what came of it."""
    verdicts = Counter(one.verdict for one in found.every)
    parts = [f"{verdicts[one]} {one}" for one in ("worse", "better", "tie", "not comparable")]
    passed = (
        "regression" if found.regressed else "no regression" if found.comparable else "not judged"
    )
    return f"{passed}: {', '.join(parts)} (threshold {formats.percent(found.threshold)})"


def notes(found: Comparison) -> Sequence[str]:
    """Say what must be known of the comparison as a whole."""
    sides = [
        f"{name} {_side(side.name, side.version)}, {side.effort} effort"
        for name, side in (("BASE", found.base), ("NEW", found.new))
    ]
    lines = [f"{'; '.join(sides)}."]
    lines += [f"Speed is not comparable: {words}." for words in found.differences]
    if found.across:
        lines.append(f"Compared across a difference in {', '.join(found.across)}, as asked.")
    if found.alike:
        lines.append(f"They don't differ in {', '.join(found.alike)}, named by --across.")
    if found.relative_to:
        lines.append(f"Every figure is relative to {found.relative_to} in the same round.")
    return lines


def changed(found: Comparison) -> Table:
    """Make the table of what became better or worse."""
    return _table(found, "What changed", {"worse", "better"})


def unchanged(found: Comparison) -> Table:
    """Make the table of ties; a harm that was seen in neither run is left out, and counted."""
    return _table(found, "Ties", {"tie"})


def incomparable(found: Comparison) -> Sequence[str]:
    """Name what can't be compared, those with the same reason together."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in found.every:
        if one.verdict == "not comparable":
            groups[one.label, one.why].append(_named(one))
    return [f"{label}: {', '.join(those)}: {why}" for (label, why), those in groups.items()]


def as_markdown(found: Comparison) -> str:
    """Write a comment for a pull request: the verdict, what changed, and the rest folded away."""
    lines = [f"### refreshbench compare: {markdown.escape(headline(found))}", ""]
    lines += [f"{markdown.escape(note)}\n" for note in notes(found)]
    if (table := changed(found)).groups:
        lines.append(markdown.table(table))
    if (table := unchanged(found)).groups:
        lines += ["<details><summary>Ties</summary>", "", markdown.table(table), "</details>", ""]
    if apart := incomparable(found):
        lines += ["<details><summary>Not comparable</summary>", ""]
        lines += [f"- {markdown.escape(line)}" for line in apart]
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def _table(found: Comparison, caption: str, verdicts: Container[str]) -> Table:
    shown = [one for one in found.every if one.verdict in verdicts]
    rows = [one for one in shown if not (isinstance(one, HarmChange) and one.unseen)]
    groups = []
    for label in dict.fromkeys(one.label for one in rows):
        mine = [one for one in rows if one.label == label]
        groups.append(Group(f"{label}: {_trials(mine)}", [_row(one) for one in mine]))
    legend = [RATIO, TIE] if any(isinstance(one, Change) for one in rows) else []
    if not found.relative_to:
        legend.append(DRIFT)
    if hidden := len(shown) - len(rows):
        legend.append(f"{formats.count(hidden, 'harm')} seen in neither run: not shown.")
    return Table(
        name="changes",
        caption=caption,
        corner="figure",
        columns=[Column("BASE"), Column("NEW"), Column("ratio"), Column("verdict")],
        groups=groups,
        legend=legend,
    )


def _trials(every: Sequence[Change | HarmChange]) -> str:
    sides = (
        ("BASE", [trial for one in every for trial in one.base_trials]),
        ("NEW", [trial for one in every for trial in one.new_trials]),
    )
    return "; ".join(f"{name} {formats.trials([*dict.fromkeys(ids)])}" for name, ids in sides)


def _side(name: str, version: str | None) -> str:
    return f"{name} ({version[:12]})" if version else name


def _named(one: Change | HarmChange) -> str:
    if isinstance(one, HarmChange):
        return one.harm
    where = "" if one.scenario == "latency" else f"{one.scenario}: "
    return f"{where}{one.workload} @{one.connections} {one.metric}"


def _row(one: Change | HarmChange) -> Row:
    sides = _counts(one) if isinstance(one, HarmChange) else _figures(one)
    marks = ("regression",) if one.regression else ()
    verdict = Cell(one.verdict, detail=one.why, marks=marks, tone=TONES[one.verdict])
    return Row(_named(one), [*map(Cell, sides), verdict])


def _counts(one: HarmChange) -> Sequence[str]:
    sides = ((one.base, one.base_of), (one.new, one.new_of))
    return [*(NOTHING if seen is None else f"{seen:,} of {of:,}" for seen, of in sides), NOTHING]


def _figures(one: Change) -> Sequence[str]:
    rate = one.metric == "throughput"
    texts = [
        NOTHING
        if value is None
        else f"{formats.significant(value)}/s"
        if rate
        else f"{formats.milliseconds(value)} ms"
        for value in (one.base, one.new)
    ]
    if one.ratio is None or one.low is None or one.high is None:
        return [*texts, NOTHING]
    return [*texts, f"{one.ratio:.3f} [{one.low:.3f}–{one.high:.3f}]"]
