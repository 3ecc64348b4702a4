"""What is found on a server confined to half a core, beside a tool, and how it is summed up."""

import re

from benchmarks.held_capacity import CLIMB, Beside, Held, hold, table
from benchmarks.published import published
from benchmarks.vendors import Paced, Reached, Tool
from scenarios.phases.climb import Climbed

NOTHING = Climbed(phase=CLIMB, closed_rate=900.0, steps=[], capacity=None, fails_at=540.0)
SECOND_NS = 10**9


def up_to(limit: float) -> Tool:
    """Give a tool that carries what is offered up to a limit, and 1,000 a second unasked."""
    return Tool(
        closed=lambda: Reached(1_000.0, 2_000.0),
        opened=lambda rate: Paced(Reached(rate, 1_900.0), 1e6 if rate <= limit else SECOND_NS),
    )


def test_the_tool_is_searched_though_we_carried_nothing() -> None:
    """Whatever our climb found, the tool's own open loop is closed in on."""
    held = hold(NOTHING, up_to(800.0))
    assert held.ours is None
    assert held.closed_rate / held.closed.rate == 0.9
    assert held.opened is not None
    assert 780.0 < held.opened.rate <= 800.0


def test_a_tool_without_an_open_loop_is_asked_for_its_closed_one() -> None:
    """And has nothing in the columns of the other."""
    held = hold(NOTHING, up_to(800.0)._replace(opened=None))
    assert held.opened is None


def test_the_summary_has_medians_and_ranges_and_says_what_is_missing() -> None:
    """A round in which nothing was carried is left out of a ratio, and said to be."""
    rounds = [round_of(900.0, 800.0), round_of(1_000.0, 900.0), round_of(1_100.0, None)]
    full = Beside("A, `tool`", open_loop=True, rounds=rounds)
    closed = Beside(
        "B", open_loop=False, rounds=[one._replace(opened=None, limited="busy") for one in rounds]
    )
    nothing = Beside("C", open_loop=True, rounds=[round_of(1_000.0, None)] * 3)
    capacity = "0.85 (0.80 to 0.90), 2 of 3 rounds | 0.90 (0.90 to 0.90), 2 of 3 rounds"
    own = "1.06 (1.00 to 1.12), 2 of 3 rounds | 0.95 (0.95 to 0.95), 2 of 3 rounds"
    assert table(0.44, [full, closed, nothing]).splitlines()[4:] == [
        f"| A, `tool` | 1.00 (0.90 to 1.10) | {capacity} | {own} |",
        f"| B | 1.00 (0.90 to 1.10) | {capacity} | it has none |  |",
        "| C | 1.00 (1.00 to 1.00) | no rate was carried |  | no rate was carried |  |",
        "",
        "B: in 3 of 3 rounds the generator ended our search (busy).",
    ]


def round_of(closed_rate: float, capacity: float | None) -> Held:
    """Give a round beside a tool whose closed loop makes 1,000 and whose open one 800 a second."""
    return Held(
        closed_rate=closed_rate,
        ours=None if capacity is None else Reached(capacity, 1_800.0),
        limited="",
        closed=Reached(1_000.0, 2_000.0),
        opened=Reached(800.0, 1_900.0),
    )


def test_the_page_has_the_table_that_is_made() -> None:
    """The same columns, and in each a median with its range or a reason."""
    rounds = [round_of(900.0, 800.0)]
    made = table(0.4, [Beside("A", open_loop=True, rounds=rounds)]).splitlines()
    shown = published("half a core").splitlines()
    assert shown[1:4] == made[1:4]
    for line in shown[4:7]:
        _, *figures = line.strip("| ").split(" | ")
        for figure in figures:
            assert re.fullmatch(
                r"\d\.\d\d \(\d\.\d\d to \d\.\d\d\).*|it has none|no rate was carried| *", figure
            ), line
