"""What the shell offers for arguments of ours, as (value, help) pairs."""

from collections.abc import Sequence
from pathlib import Path

Offers = Sequence[tuple[str, str]]


def scenario_names(incomplete: str) -> Offers:
    """Offer scenarios."""
    import scenarios

    names = [name for name in scenarios.names() if name.startswith(incomplete)]
    return [(name, scenarios.load(name).title) for name in names]


def subjects(incomplete: str) -> Offers:
    """Offer backends; after the colon, that backend's profiles. A driver that's missing: none."""
    import backends
    from backends.errors import BadSubject

    name, colon, _ = incomplete.partition(":")
    if not colon:
        return [(known, "") for known in backends.registry() if known.startswith(incomplete)]
    try:
        profiles = backends.load(name).profiles.values()
    except BadSubject:
        return []
    return [(f"{name}:{profile.name}", profile.summary) for profile in profiles]


def efforts(incomplete: str) -> Offers:
    """Offer efforts."""
    from bench.options import EFFORTS

    return [(name, "") for name in EFFORTS if name.startswith(incomplete)]


def server_ways(incomplete: str) -> Offers:
    """Offer ways to get servers."""
    from bench.options import SERVERS

    return [(name, "") for name in SERVERS if name.startswith(incomplete)]


def runs(incomplete: str) -> Offers:
    """Offer the runs below ./results, the newest first."""
    names = sorted((path.parent.name for path in Path("results").glob("*/run.json")), reverse=True)
    return [(name, "") for name in names if name.startswith(incomplete)]
