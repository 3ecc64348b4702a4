"""How figures are written. Three significant digits: more would be noise, fewer would hide gaps."""

from collections.abc import Iterable, Sequence

from bench.analysis.estimate import Estimate

NOTHING = "–"
"""Stands for a figure that the samples can't carry."""

CANNOT = {
    "survives_restart": "survive a restart",
    "survives_crash": "survive a crash",
    "survives_power_cut": "survive a power cut",
    "survives_failover": "survive a failover",
    "shared_by_processes": "be shared by processes",
    "shared_by_hosts": "be shared by hosts",
    "revokes": "revoke",
    "detects_reuse": "detect reuse",
    "native_ttl": "expire by itself",
    "lists_sessions": "list sessions",
    "sends_once": "send a call once",
}
"""Capability -> what a store without it can't do."""

FAULTS = {
    "restart": ("restart", "graceful restart", "restarts"),
    "crash": ("crash", "SIGKILL under load", "crashes"),
    "powercut": ("power cut", "power cut under load", "power cuts"),
    "pause": ("pause", "all processes stopped, then continued", "pauses"),
    "slow-disk": ("slow disk", "stalling disk", "slow disks"),
    "disk-full": ("full disk", "full disk, then room again", "full disks"),
    "io-error": ("I/O error", "failing writes, then none", "I/O errors"),
    "lost-reply": ("lost reply", "replies lost on the way", "spells of lost replies"),
}
"""Fault -> its name, what was done, and its plural."""

BESIDE = "run beside the others to lose: the positive control"
"""Heads the subjects that a fault was put to for that alone."""

CONTESTS = {
    "rotate": "one token",
    "revoke": "logout against rotations",
    "logout-all": "end of all against logins",
}
"""Kind of race -> what met."""


def significant(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits, never with an exponent."""
    if value == 0:
        return "0"
    # Rounded first: 999.6 has four digits before the point once it is rounded to three.
    rounded = float(f"{value:.{digits - 1}e}")
    places = digits - 1 - _exponent(rounded)
    return f"{rounded:,.{max(places, 0)}f}"


def _exponent(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])


def span(sizes: Iterable[int]) -> str:
    """Write the different ones of these in order: 2–3 where some are 2 and some 3."""
    return "–".join(map(str, sorted(set(sizes))))


def milliseconds(nanoseconds: float | None) -> str:
    """Write a duration in ms, without the unit."""
    return NOTHING if nanoseconds is None else significant(nanoseconds / 1e6)


def microseconds(nanoseconds: float | None) -> str:
    """Write a duration in µs, without the unit."""
    return NOTHING if nanoseconds is None else significant(nanoseconds / 1e3)


def megabytes(size_bytes: float | None) -> str:
    """Write a size in MB (10^6 bytes), without the unit."""
    return NOTHING if size_bytes is None else significant(size_bytes / 1e6)


def size(size_bytes: int) -> str:
    """Write a size with its unit: MB (10^6 bytes), or GB from a thousand of them on."""
    giga = size_bytes >= 10**9
    return f"{significant(size_bytes / (1e9 if giga else 1e6))} {'GB' if giga else 'MB'}"


def percent(share: float) -> str:
    """Write a share, such that neither 0 nor 100 is said of what isn't quite."""
    if 0 < share < 0.0005:  # noqa: PLR2004 - below what one decimal shows
        return "< 0.1%"
    if 0.9995 <= share < 1:  # noqa: PLR2004
        return "> 99.9%"
    text = f"{share * 100:.1f}"
    return f"{text.removesuffix('.0')}%"


def bound(share: float) -> str:
    """Write the upper bound of a share, rounded away from zero so that it stays a bound."""
    tenths = -(-share * 1_000 // 1)
    return f"{tenths / 10:.1f}".removesuffix(".0") + "%"


def interval(estimate: Estimate | None, scale: float) -> str:
    """Write the interval over trials, each end multiplied by `scale`; nothing for one trial."""
    if estimate is None or estimate.method == "single":
        return ""
    ends = f"{significant(estimate.low * scale)}–{significant(estimate.high * scale)}"
    return f"[{ends}]" if estimate.method == "interval" else f"({ends})"


def trials_median(estimate: Estimate | None, scale: float) -> str:
    """Write the median over trials with its interval; nothing for one trial."""
    ends = interval(estimate, scale)
    return f"{significant(estimate.value * scale)} {ends}" if estimate and ends else ""


def count(number: int, one: str, several: str | None = None) -> str:
    """Write a number with its noun."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def listed(names: list[str], last: str = "and") -> str:
    """Write names as a sentence has them; `last` stands before the last one."""
    if len(names) < 2:  # noqa: PLR2004
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def trials(ids: Sequence[str]) -> str:
    """Write trial ids with what they share once: `latency/closed-loop/redis:none/{1,2,3}`."""
    repeats: dict[str, list[str]] = {}
    for one in ids:
        case, _, repeat = one.rpartition("/")
        repeats.setdefault(case, []).append(repeat)
    return " ".join(
        f"{case}/{those[0]}" if len(those) == 1 else f"{case}/{{{','.join(those)}}}"
        for case, those in repeats.items()
    )
