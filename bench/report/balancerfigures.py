"""Figures of instances behind a balancer as rows of `figures.csv`."""

from collections.abc import Iterator, Sequence

from bench.analysis.balancer import BalancerFigures
from bench.report import rows
from bench.report.rows import Fields


def balancer_rows(balancers: Sequence[BalancerFigures]) -> Iterator[Fields]:
    """Give a row a figure; who has which store, and how requests were dealt, is the workload."""
    for figures in balancers:
        stores = "one store each" if figures.apart else "one store"
        known = {
            "scenario": "balancer",
            "label": figures.label,
            "workload": f"{figures.dealt}, {stores}",
            "instances": figures.instances,
            **rows.trials(figures.trials),
        }
        refreshes = {**known, "operation": "rotate", **rows.counted(figures.refreshes, "refreshes")}
        yield {
            **refreshes,
            "figure": "refused",
            "unit": "refreshes",
            "value": figures.all_refused,
        }
        for answer, refused in sorted(figures.refused.items()):
            figure = f"answered {answer}"
            yield {**refreshes, "figure": figure, "unit": "refreshes", "value": refused}
        yield {
            **known,
            **rows.counted(figures.users, "users"),
            "operation": "issue",
            "figure": "logins beyond the first",
            "unit": "logins",
            "value": figures.logins,
        }
        if figures.logouts:
            yield {
                **known,
                **rows.counted(figures.logouts, "logouts"),
                "operation": "revoke",
                "figure": "still good after the logout",
                "unit": "sessions",
                "value": figures.alive_after_logout,
            }
        errors = sum(figures.errors.values())
        yield {**known, "figure": "errors", "unit": "calls", "value": errors}
