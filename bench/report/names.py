"""What a subject is called: its label, made short enough for an axis and still unique."""

from collections import Counter
from collections.abc import Mapping, Sequence

from bench.record import SubjectFacts

LONGEST = 34


def names(subjects: Sequence[SubjectFacts]) -> Mapping[str, str]:
    """Give label -> name: a factory loses its folders, unless two would then be called alike."""
    short = {subject.label: _cut(_without_folders(subject.label)) for subject in subjects}
    times = Counter(short.values())
    return {label: name if times[name] == 1 else label for label, name in short.items()}


def _without_folders(label: str) -> str:
    return label.rpartition("/")[2] if ".py:" in label else label


def _cut(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    half = (LONGEST - 1) // 2
    return f"{name[:half]}…{name[-half:]}"
