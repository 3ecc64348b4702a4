"""A dump of the store is worth nothing to a thief."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from backends.claims import Claims, digest, new_jti
from backends.errors import RefreshStoreError
from backends.store import Family, Outcome, Reason, Rotation, Successor
from backends.tokens import Signer
from bench.conform.caller import DEVICE, IDLE_MS, Caller
from bench.conform.property import require
from bench.conform.rig import Rig
from bench.faults.proxy import Proxy, address

PART_CHARACTERS = 24
"""So much of a jti or a signature is as good as the whole: nothing else looks like it."""


def no_raw_token(rig: Rig) -> str | None:
    """19: no raw token or jti in any key, value, file, log or message of the store.

    The tokens are real JWTs, and they live in the frames of the callers, as in a service: a store
    that logs its callers' variables leaks them. What goes to a server is read on the wire.
    """
    with ExitStack() as stack:
        logged = stack.enter_context(_logging())
        proxy = None
        if rig.subject.backend.server is not None:
            proxy = stack.enter_context(Proxy(*address(rig.server.url), listen=True))
            caller = rig.open(url=proxy.reroute(rig.server.url))
        else:
            caller = rig.open()
        # Before the proxy goes: a driver may wish to say goodbye.
        stack.callback(caller.store.close)
        service = _Service(caller)
        texts = service.use(rig)
        traces: Mapping[str, bytes] = {
            "its log": "\n".join(logged).encode(),
            "its representation": repr(caller.store.store).encode(),
            "an error's message": "\n".join(service.errors).encode(),
            "what it sent to its server": b"" if proxy is None else proxy.heard,
            **_files(rig.place.directory.parent),
        }
    for where, content in traces.items():
        for what, text in texts.items():
            require(text.encode() not in content, f"{what} stands in {where}")
    return f"looked in {len(traces)} places"


class _Service:
    """Mints and parses tokens as a login service does, raw text in hand."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._signer = Signer.generate()
        self.errors: list[str] = []
        self.texts: dict[str, str] = {}

    def use(self, rig: Rig) -> Mapping[str, str]:
        """Do everything once; give what must be found nowhere."""
        first = self._login()
        second = self._refresh(first)
        if rig.subject.profile.capabilities.revokes:
            claims = self._signer.parse(second, self._caller.now_ms)
            self._caller.store.deny(claims.token().digest, claims.expires_at_ms)
        self._refresh(first)
        third = self._login()
        if rig.subject.profile.capabilities.revokes:
            claims = self._signer.parse(third, self._caller.now_ms)
            self._caller.store.revoke(claims.family, Reason.LOGOUT, self._caller.now_ms)
        self._refresh(third)
        return self.texts

    def _login(self) -> str:
        session = self._caller.session()
        raw = self._mint(session.family, 0, new_jti())
        token = self._signer.parse(raw, self._caller.now_ms).token()
        self._caller.login(
            family=session.family,
            digest=token.digest,
            idle_expires_at_ms=token.expires_at_ms,
            absolute_expires_at_ms=token.absolute_expires_at_ms,
        )
        return raw

    def _refresh(self, raw: str) -> str:
        claims = self._signer.parse(raw, self._caller.now_ms)
        jti = new_jti()
        following = self._mint(claims.family, claims.generation + 1, jti)
        successor = Successor(digest(jti), self._caller.now_ms + IDLE_MS)
        answer = Rotation(Outcome.UNKNOWN)
        try:
            answer = self._caller.store.rotate(
                claims.token(), successor, DEVICE, self._caller.now_ms
            )
        except RefreshStoreError as error:
            self.errors.append(str(error))
        return following if answer.outcome is Outcome.ROTATED else raw

    def _mint(self, family: Family, generation: int, jti: str) -> str:
        now_ms = self._caller.now_ms
        raw = self._signer.mint(
            Claims(family, generation, jti, now_ms + IDLE_MS, now_ms + 2 * IDLE_MS, DEVICE)
        )
        number = len(self.texts)
        self.texts[f"the jti of token {number}"] = jti[:PART_CHARACTERS]
        self.texts[f"the text of token {number}"] = raw[-PART_CHARACTERS:]
        return raw


@contextmanager
def _logging() -> Iterator[list[str]]:
    """Collect what anything logs, at every level."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root = logging.getLogger()
    handler, level = Keep(), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def _files(folder: Path) -> Mapping[str, bytes]:
    """Read every file of the trial: the store's, its server's, and what it printed."""
    found = {}
    for path in folder.rglob("*"):
        # A server's files come and go while we look.
        with suppress(OSError):
            if path.is_file():
                found[f"the file {path.name}"] = path.read_bytes()
    return found
