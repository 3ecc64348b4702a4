"""Any sequence of calls."""

from bench.conform.property import NotApplicable
from bench.conform.rig import Rig


def agrees(rig: Rig) -> str | None:
    """26: whatever is called in whatever order, the store answers what the rules say."""
    try:
        from bench.conform import story  # noqa: PLC0415 - Hypothesis is a test's dependency
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise NotApplicable("needs Hypothesis: pip install hypothesis") from error
    return story.agrees(rig)
