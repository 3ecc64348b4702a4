"""MongoDB: a document a session, and one `findAndModify` with an update pipeline a rotation.

    sessions               _id {subject, family}, and the session's fields
    subject_revocations    _id subject: when its sessions were last ended
    denials                _id digest: the denylist

A TTL index only reclaims, by the server's clock: its dates are reckoned from what remains by the
caller's clock, with a margin. That of a session is its absolute expiry, which never moves. Idle
sessions are left to `sweep`, which scans for them: an index on the idle expiry would change at
each rotation and cost a tenth of their rate.
"""

from collections.abc import Iterable, Mapping, Sequence

from pymongo import timeout
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from backends.batches import batches
from backends.lifecycle import after_rotate, answer, judge
from backends.mongo_client import ANSWER_MS, connected, translated
from backends.mongo_documents import (
    Document,
    reclaim_at,
    session_id,
    to_document,
    to_session,
    wall_ms,
)
from backends.mongo_pipeline import rotation
from backends.store import (
    Backend,
    Capabilities,
    Family,
    No,
    Outcome,
    Place,
    Policy,
    Profile,
    Reason,
    Rotation,
    Session,
    Successor,
    Token,
    Topology,
    Verification,
)

DATABASE = "refreshbench"
DUPLICATE_KEY = 11_000
LATEST_ISSUE_SECONDS = 3_600
"""How long an issue may be in flight: a subject's revocation is remembered for that long."""


class MongoStore:
    """Sessions in MongoDB."""

    retries = False
    """Whether the driver may send again what was not answered."""

    def __init__(self, url: str, profile: Profile, policy: Policy) -> None:
        self._client = connected(url, profile, retries=self.retries)
        database = self._client.get_default_database(DATABASE)
        self._sessions = database["sessions"]
        self._revocations = database["subject_revocations"]
        self._denials = database["denials"]
        self._profile = profile
        self._policy = policy

    @property
    def capabilities(self) -> Capabilities:
        """What the profile can be relied on for."""
        return self._profile.capabilities

    def prepare(self) -> None:
        """Make the indexes, where they aren't there yet."""
        # All members of a set make them, which can take longer than a topology's clients wait.
        with timeout(ANSWER_MS / 1_000), translated():
            self._sessions.create_index("_id.subject")
            self._sessions.create_index("reclaim_at", expireAfterSeconds=0)
            self._revocations.create_index("at", expireAfterSeconds=LATEST_ISSUE_SECONDS)
            self._denials.create_index("reclaim_at", expireAfterSeconds=0)
            self._denials.create_index("until_ms")

    def issue(self, session: Session) -> None:
        """Store a new session.

        A `revoke_subject` at the same time writes its own document before it looks for sessions,
        and this writes the session before it looks for that document. Whichever is second sees
        the other, so no session slips through between the two.
        """
        with translated():
            try:
                self._sessions.insert_one(to_document(session))
            except DuplicateKeyError:
                return
        # If this fails the session stays, but its token was never handed out.
        with translated(begun=True):
            ended = self._revocations.find_one({"_id": session.family.subject})
            if ended is not None and session.issued_at_ms <= ended["revoked_at_ms"]:
                self._end(session.family, Reason.SUBJECT, ended["revoked_at_ms"])

    def load(self, sessions: Iterable[Session]) -> int:
        """Store many new sessions; revocations are looked for after them, as in `issue`."""
        added = 0
        for batch in batches(sessions):
            with translated(begun=True):
                new = self._insert(batch)
                subjects = list({session.family.subject for session in new})
                ended = {
                    found["_id"]: found["revoked_at_ms"]
                    for found in self._revocations.find({"_id": {"$in": subjects}})
                }
                for session in new if ended else ():
                    at_ms = ended.get(session.family.subject)
                    if at_ms is not None and session.issued_at_ms <= at_ms:
                        self._end(session.family, Reason.SUBJECT, at_ms)
            added += len(new)
        return added

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        """Judge a token."""
        with translated():
            found = self._sessions.find_one({"_id": session_id(token.family)})
        session = None if found is None else to_session(found)
        return Verification(judge(session, token, device, now_ms), session)

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Replace a token by its successor."""
        policy = self._policy
        with translated():
            before = self._sessions.find_one_and_update(
                {"_id": session_id(token.family)},
                rotation(token, successor, device, policy, now_ms),
            )
        if before is None:
            return Rotation(Outcome.UNKNOWN)
        outcome, after = after_rotate(to_session(before), token, successor, device, policy, now_ms)
        return answer(outcome, after)

    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        """End one session."""
        with translated():
            self._end(family, reason, now_ms)

    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        """End every session of a subject but one; `issue` says why the order matters."""
        with translated():
            self._revocations.update_one(
                {"_id": subject},
                {"$max": {"revoked_at_ms": now_ms}, "$currentDate": {"at": True}},
                upsert=True,
            )
        with translated(begun=True):
            self._sessions.update_many(
                {
                    "_id.subject": subject,
                    "_id.family": {"$ne": except_family},
                    "revoked_at_ms": None,
                },
                {"$set": {"revoked_at_ms": now_ms, "revoked_reason": reason.value}},
            )

    def deny(self, digest: bytes, until_ms: int) -> None:
        """Put a digest on the denylist."""
        dates = {"until_ms": until_ms, "reclaim_at": reclaim_at(until_ms - wall_ms())}
        with translated():
            self._denials.update_one({"_id": digest}, {"$max": dates}, upsert=True)

    def is_denied(self, digest: bytes) -> bool:
        """Look a digest up on the denylist."""
        with translated():
            return self._denials.find_one({"_id": digest}, {"_id": True}) is not None

    def sessions(self, subject: str) -> Sequence[Session]:
        """List a subject's sessions."""
        with translated():
            return [to_session(found) for found in self._sessions.find({"_id.subject": subject})]

    def sweep(self, now_ms: int, limit: int) -> int:
        """Remove expired sessions and past denials, at most `limit` of each."""
        with translated():
            _remove(self._denials, {"until_ms": {"$lt": now_ms}}, limit)
            return _remove(self._sessions, {"idle_expires_at_ms": {"$lte": now_ms}}, limit)

    def settings(self) -> Mapping[str, str]:
        """Read the settings that make the profile: our connections' concerns, the server's set."""
        concern = self._sessions.write_concern.document
        found = {
            "w": str(concern.get("w")),
            "journal": str(concern.get("j")).lower(),
            "readConcernLevel": str(self._sessions.read_concern.level),
        }
        if "replSet" in self._profile.server:
            with translated():
                found["replSet"] = str(self._client.admin.command("hello").get("setName"))
        return {name: found[name] for name in (*self._profile.server, *self._profile.client)}

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _insert(self, sessions: Sequence[Session]) -> Sequence[Session]:
        """Insert sessions, and give those whose family was not there yet."""
        documents = [to_document(session) for session in sessions]
        try:
            self._sessions.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            failed = error.details["writeErrors"]
            if any(one["code"] != DUPLICATE_KEY for one in failed):
                raise
            there = {one["index"] for one in failed}
            return [one for number, one in enumerate(sessions) if number not in there]
        return sessions

    def _end(self, family: Family, reason: Reason, at_ms: int) -> None:
        self._sessions.update_one(
            {"_id": session_id(family), "revoked_at_ms": None},
            {"$set": {"revoked_at_ms": at_ms, "revoked_reason": reason.value}},
        )


def _remove(collection: Collection[Document], expired: Document, limit: int) -> int:
    # MongoDB takes a limit of 0 for none at all.
    if limit < 1:
        return 0
    ids = [found["_id"] for found in collection.find(expired, {"_id": True}).limit(limit)]
    # Asked again in the deletion: one of them may have been rotated since.
    return collection.delete_many({"_id": {"$in": ids}, **expired}).deleted_count


def open_store(place: Place, profile: Profile, policy: Policy) -> MongoStore:
    """Open the store; it connects when it is first used."""
    assert place.url is not None, "mongo needs a server"
    return MongoStore(place.url, profile, policy)


def prepare(place: Place, profile: Profile) -> None:
    """Make the indexes."""
    store = open_store(place, profile, Policy())
    try:
        store.prepare()
    finally:
        store.close()


JOURNAL_WINDOW = No("up to 0.1 s of acknowledged writes are not in the journal yet")

PROFILES = (
    Profile(
        name="journaled",
        summary="each write is in the journal, on disk, before its answer",
        capabilities=Capabilities(),
        client={"w": "1", "journal": "true"},
    ),
    Profile(
        name="w1",
        summary="each write is in memory before its answer, in the journal 0.1 s later",
        capabilities=Capabilities(survives_crash=JOURNAL_WINDOW, survives_power_cut=JOURNAL_WINDOW),
        client={"w": "1", "journal": "false"},
    ),
    Profile(
        name="majority",
        summary="each write is in the journal of most members of a replica set before its answer",
        capabilities=Capabilities(),
        server={"replSet": "rs0"},
        client={"w": "majority", "journal": "true", "readConcernLevel": "majority"},
    ),
)

ROLLED_BACK = No("what the old primary acknowledged and no majority had yet is rolled back")

RS3 = Topology(
    name="rs3",
    summary="a replica set of three; a primary without a majority steps down",
    layout="rs3",
    survives_failover={"journaled": ROLLED_BACK, "w1": ROLLED_BACK, "majority": True},
    server={"replSet": "rs0"},
)

BACKEND = Backend(
    name="mongo",
    title="MongoDB",
    summary="a document a session, each rotation one findAndModify",
    profiles={profile.name: profile for profile in PROFILES},
    open=open_store,
    prepare=prepare,
    server="mongo",
    topologies={RS3.name: RS3},
    drivers=("pymongo",),
    control_profile="w1",
    naive_backend="mongo-naive",
)
