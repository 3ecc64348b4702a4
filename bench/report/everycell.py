"""The long tables: every operation at every concurrency, and everything a fault did."""

from collections.abc import Sequence

from bench.analysis import Summary
from bench.analysis.durability import HARMS, FaultFigures, Loss, Spread
from bench.analysis.latency import LatencyCell
from bench.report import cells, costs, formats
from bench.report.blocks import Cell, Column, Group, Material, Row, Table
from bench.report.comparison import CLASS_WORDS, INTERVALS, MARKS, ZERO
from bench.report.losscells import lost_cell, no_fault_cell

CAPACITY = (
    "One core of the server could do: 10⁶ / (server CPU µs per operation). It says what the server"
    " would carry if CPU were its only limit, also where the client was too slow to ask for it."
)
WINDOW = (
    "Loss reached back: the longest over trials, and the share of such faults whose loss reaches no"
    " further, with 95% confidence: 0.05^(1/n). Faults that lose: the exact 95% interval of their"
    " share (Clopper-Pearson); for none seen, the one-sided bound 1 − 0.05^(1/n)."
)
BACK = (
    "Came back: in how many trials it took writes again by itself once the fault was over, or had"
    " to be started again. Unanswered but done: calls without an answer that turn out to have been"
    " executed; a client that repeats one looks like a thief. Torn: families that the store has"
    " something of and can't read."
)
RECOVERY = (
    "Time to recover: from the fault to the first answer, median and longest over trials; it holds"
    " the time that starting the server takes."
)
COMPLETE = (
    "Every figure, to six digits, with its trials and the parts of the mixed workload, is in"
    " figures.csv."
)
CELL_COLUMNS: Sequence[Column] = (
    Column("throughput", "1/s"),
    *[Column(f"p{percent}", "ms") for percent in ("50", "90", "99", "99.9")],
    Column("max", "ms"),
    Column("server CPU", "µs/op"),
    Column("one server core", "1/s"),
    Column("client CPU", "µs/op"),
    *[column for _, column in costs.COLUMNS],
    Column("client process", "% of a core"),
    Column("errors", "calls"),
    Column("known to", "± %"),
    Column("n"),
)
FAULT_COLUMNS: Sequence[Column] = (
    Column("trials"),
    Column("acknowledged", "writes"),
    Column("lost", "writes"),
    Column("lost", "sessions"),
    Column("rotated token resurrected", "sessions"),
    Column("revoked token resurrected", "sessions"),
    Column("faults that lose, 95%"),
    Column("loss reached back", "ms"),
    Column("time to recover", "ms"),
    Column("came back"),
    Column("refused", "calls"),
    Column("unanswered", "calls"),
    Column("unanswered but done", "calls"),
    Column("phantoms", "families"),
    Column("torn", "families"),
    Column("integrity check"),
)


def every_cell(material: Material) -> Table:
    """Make the table of every whole workload at every number of connections."""
    summary = material.summary
    groups = []
    for durability, members in summary.by_class():
        for subject in members:
            mine = [cell for cell in summary.cells if cell.label == subject.label and cell.whole]
            if mine:
                heading = f"{material.names[subject.label]} (class: {durability})"
                groups.append(Group(heading, _rows(mine)))
    return Table(
        name="every-cell",
        caption="Every operation at every number of connections",
        corner="Workload @connections",
        columns=CELL_COLUMNS,
        groups=groups,
        legend=[INTERVALS, MARKS, CAPACITY, costs.WHAT, cells.SAMPLED, COMPLETE],
        folded=True,
    )


def every_fault(material: Material) -> Table:
    """Make the table of what each fault did to each subject."""
    summary = material.summary
    groups = []
    for fault in dict.fromkeys(figures.fault for figures in summary.faults):
        _, done, _ = formats.FAULTS.get(fault, (fault, fault, fault))
        controls = [one for one in summary.fault_controls() if summary.fault(one.label, fault)]
        classes = [(CLASS_WORDS[durability], members) for durability, members in summary.by_class()]
        for words, members in [*classes, *([(formats.BESIDE, controls)] if controls else [])]:
            rows = [
                Row(
                    material.names[subject.label],
                    _fault_cells(summary, subject.label, fault),
                    material.colours[subject.backend],
                )
                for subject in members
            ]
            groups.append(Group(f"{done} · {words}", rows))
    return Table(
        name="every-fault",
        caption="What each fault took, and what it brought back",
        corner="Subject",
        columns=FAULT_COLUMNS,
        groups=groups,
        legend=[ZERO, WINDOW, RECOVERY, BACK],
    )


def _rows(every: Sequence[LatencyCell]) -> Sequence[Row]:
    """Give a row a cell; one for all of a store that is the client's own."""
    timed = [_row(cell) for cell in every if "n/a" not in cell.why]
    return timed or [Row("every workload", cells.held(len(CELL_COLUMNS)))]


def _row(cell: LatencyCell) -> Row:
    heading = f"{cell.workload} @{cell.connections}"
    capacity, client_us = cell.core_capacity, cell.client_cpu_us
    errors = sum(cell.errors.values())
    return Row(
        heading,
        [
            cells.rate_cell(cell),
            *[cells.latency_cell(cell, percent) for percent in ("50", "90", "99", "99.9")],
            Cell(formats.milliseconds(cell.maximum_ns), number=cell.maximum_ns / 1e6),
            cells.cpu_cell(cell),
            Cell(formats.significant(capacity) if capacity else formats.NOTHING, number=capacity),
            Cell(formats.significant(client_us) if client_us else formats.NOTHING, client_us),
            *costs.cost_cells(cell.cost, cells.source(cell)),
            Cell(f"{cell.client_share:.0%}", number=cell.client_share * 100),
            Cell(
                f"{errors:,}",
                number=errors,
                detail=", ".join(f"{kind} {n:,}" for kind, n in sorted(cell.errors.items())),
                tone="bad" if errors else "",
            ),
            cells.sampled_cell(cell),
            Cell(
                formats.count(len(cell.trials), "trial"),
                detail=formats.count(cell.operations, "operation"),
                source=cells.source(cell),
            ),
        ],
    )


def _fault_cells(summary: Summary, label: str, fault: str) -> Sequence[Cell]:
    figures = summary.fault(label, fault)
    if figures is None:
        return [no_fault_cell(summary, label, fault)] * len(FAULT_COLUMNS)
    if figures.held_by_client:
        return [Cell(f"{len(figures.trials)}"), *cells.held(len(FAULT_COLUMNS) - 1)]
    lost = [lost_cell(summary, label, fault, harm) for harm in HARMS]
    window = figures.loss_window_ns
    shape = ""
    if figures.losses["lost_writes"].total and not figures.loss_is_suffix:
        shape = "not the newest writes alone"
    elif figures.losses["lost_writes"].total and not window:
        shape = "acknowledged as the fault struck"
    wrong = "; ".join(figures.integrity)
    return [
        Cell(f"{len(figures.trials)}", number=len(figures.trials)),
        Cell(f"{figures.acknowledged:,}", number=figures.acknowledged),
        *lost,
        Cell(_share(figures.losses["lost_writes"])),
        Cell(
            formats.milliseconds(window) if window else "0",
            number=window / 1e6,
            detail=", ".join(filter(None, [_quantile(figures), shape])),
        ),
        _recovery(figures.recovery, len(figures.trials)),
        Cell(
            ", ".join(f"{how} {n}" for how, n in figures.came_back.items()),
            tone="bad" if "never" in figures.came_back else "",
        ),
        Cell(f"{figures.refused:,}", figures.refused),
        Cell(f"{figures.unanswered:,}", figures.unanswered),
        Cell(f"{figures.recovered_unknown:,}", figures.recovered_unknown),
        Cell(f"{figures.phantoms:,}", figures.phantoms, tone="bad" if figures.phantoms else ""),
        Cell(f"{figures.torn:,}", figures.torn, tone="bad" if figures.torn else ""),
        Cell(wrong, tone="bad") if wrong else Cell("nothing wrong"),
    ]


def _share(loss: Loss) -> str:
    """Write the 95% interval of the share of faults that lose anything."""
    if loss.share is None:
        return f"0–{formats.bound(loss.bound or 1)}"
    low, high = loss.share
    return f"{formats.percent(low)}–{formats.bound(high)}"


def _quantile(figures: FaultFigures) -> str:
    """Say how much of such losses the longest that was seen covers."""
    if not figures.losses["lost_writes"].total:
        return ""
    return f"covers {figures.window_quantile:.0%} of such faults"


def _recovery(recovery: Spread | None, trials: int) -> Cell:
    if recovery is None:
        return Cell("never", tone="bad")
    longest = f"longest {formats.milliseconds(recovery.maximum_ns)}" if trials > 1 else ""
    text = formats.milliseconds(recovery.median_ns)
    return Cell(text, number=recovery.median_ns / 1e6, detail=longest)
