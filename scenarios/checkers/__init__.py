"""Checkers: what a history proves against a store. One file a checker, one line here.

Each is a pure function of a history, near-linear in its length. Together they decide whether a
history can be the work of a store that does one operation at a time. `linearizable` searches for
such an order instead, and shares nothing with them but the history; `cross_check` holds the two to
each other, and `judgement` has what all of them say.
"""

from collections.abc import Callable, Mapping, Sequence

from scenarios.checkers import (
    alive_after_revoke,
    double_spend,
    false_alarm,
    real_time_order,
)
from scenarios.checkers.anomaly import Anomaly, Verdict
from scenarios.history import Event

CHECKERS: Mapping[str, Callable[[Sequence[Event]], Sequence[Anomaly]]] = {
    "double spend": double_spend.check,
    "alive after revoke": alive_after_revoke.check,
    "real-time order": real_time_order.check,
    "false alarm": false_alarm.check,
}


def verdicts(
    history: Sequence[Event],
    checkers: Mapping[str, Callable[[Sequence[Event]], Sequence[Anomaly]]] = CHECKERS,
) -> Mapping[str, Verdict]:
    """Hold a history to every checker. One that crashes has decided nothing, and says so."""
    return {name: _verdict(check, history) for name, check in checkers.items()}


def _verdict(
    check: Callable[[Sequence[Event]], Sequence[Anomaly]], history: Sequence[Event]
) -> Verdict:
    try:
        return Verdict(anomalies=check(history))
    # Whatever is wrong with a checker or a history, it must not pass for a store's innocence.
    except Exception as error:  # noqa: BLE001
        return Verdict(undecided=f"{type(error).__name__}: {error}")
