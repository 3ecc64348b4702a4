"""Which stores a run takes: those asked for by name, or of the default ones those that run here."""

from collections.abc import Sequence
from dataclasses import dataclass

import backends
from backends import Subject
from backends.errors import MissingDriver
from bench import servers
from bench.errors import Missing, WrongUse
from bench.record import Skipped
from bench.servers.server import Found, Unavailable


@dataclass(frozen=True, slots=True)
class Chosen:
    """Subjects that can run here, with the servers they need, and those left out."""

    subjects: Sequence[Subject]
    servers: dict[str, Found]
    """Kind -> the way it is had."""
    skipped: Sequence[Skipped]
    company: Sequence[str] = ()
    """Those of the subjects, by spec, that nobody asked for: positive controls of the others."""

    @property
    def asked(self) -> Sequence[Subject]:
        """Give those that are compared: named, or of the default comparison."""
        return [subject for subject in self.subjects if subject.spec not in self.company]

    @property
    def spared(self) -> Sequence[str]:
        """Give those on a server of the user's own, which nothing stops or kills."""
        return [
            subject.spec
            for subject in self.subjects
            if (kind := subject.backend.server) and not self.servers[kind].faultable
        ]


def named(specs: Sequence[str], ways: str) -> Chosen:
    """Take what was asked for by name.

    Raises UnknownSubject, MissingDriver, Missing; WrongUse: the user's server has other settings.
    """
    subjects = {subject.spec: subject for subject in map(backends.resolve, specs)}
    found: dict[str, Found] = {}
    for subject in subjects.values():
        kind = subject.backend.server
        if kind and kind not in found:
            answer = servers.find(kind, ways)
            if isinstance(answer, Unavailable):
                raise Missing(f"{subject.spec} can't run here: {answer.reason}; {answer.mend}")
            found[kind] = answer
        if kind:
            _require(found[kind], subject)
    return Chosen(list(subjects.values()), found, [])


def available(specs: Sequence[str], ways: str) -> Chosen:
    """Take what can run here, and give a reason and a mend for what can't."""
    subjects: list[Subject] = []
    skipped: list[Skipped] = []
    found: dict[str, Found | Unavailable] = {}
    for spec in specs:
        try:
            subject = backends.resolve(spec)
        except MissingDriver as error:
            reason, _, mend = str(error).rpartition(": ")
            skipped.append(Skipped(spec=spec, reason=reason, mend=mend))
            continue
        kind = subject.backend.server
        if kind and kind not in found:
            found[kind] = servers.find(kind, ways)
        answer = found[kind] if kind else None
        if isinstance(answer, Unavailable):
            skipped.append(Skipped(spec=subject.spec, reason=answer.reason, mend=answer.mend))
            continue
        if answer is not None:
            try:
                _require(answer, subject)
            except WrongUse as error:
                reason, _, mend = str(error).rpartition(": ")
                skipped.append(Skipped(spec=subject.spec, reason=reason, mend=mend))
                continue
        subjects.append(subject)
    started = {kind: answer for kind, answer in found.items() if isinstance(answer, Found)}
    return Chosen(subjects, started, skipped)


def accompanied(chosen: Chosen, specs: Sequence[str], ways: str) -> Chosen:
    """Add those subjects of `specs` that can run here and aren't there yet."""
    there = {subject.spec for subject in chosen.subjects}
    company = available(list(dict.fromkeys(specs)), ways)
    joining = [one for one in company.subjects if one.spec not in there]
    return Chosen(
        [*chosen.subjects, *joining],
        {**company.servers, **chosen.servers},
        chosen.skipped,
        [one.spec for one in joining],
    )


def _require(found: Found, subject: Subject) -> None:
    servers.require(found, subject.profile.server, subject.layout)
