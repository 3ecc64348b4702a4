"""Rotations on pymongo by threads that do nothing else: no store, no clock, no judging."""

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from threading import Barrier
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection

from backends.mongo import DATABASE
from backends.mongo_documents import Document, session_id, to_document
from backends.mongo_pipeline import Expression, rotation
from backends.store import Family, Policy, Session, Successor, Token
from bench.load.workers import cores
from bench.servers.server import Server
from benchmarks.vendors import CONNECTIONS, Reached, Tool, metered

SESSIONS = 125
"""Of each of the 8 clients: a thousand in all, as in our own lane."""
REQUESTS = 2_000
"""Of each client: about as many as in the two seconds of our own lane."""
READY_SECONDS = 60.0
"""Within this all processes have their requests made and their connections open."""
FAR_MS = 4 * 10**12
"""In the year 2096: dates that the driver reads back as Python's end with 9999."""

Request = tuple[Document, Sequence[Expression]]


def digest(generation: int) -> bytes:
    """Give a digest as long as a real one."""
    return generation.to_bytes(32, "big")


def fresh(family: Family) -> Document:
    """Give a session that never expires."""
    return to_document(
        Session(
            family=family,
            client="bench",
            device="device",
            issued_at_ms=0,
            absolute_expires_at_ms=FAR_MS,
            idle_expires_at_ms=FAR_MS,
            digest=digest(0),
        )
    )


def requests(client: int) -> Sequence[Request]:
    """Make a client's requests: its own sessions in turn, so that every one wins."""
    made = []
    for turn in range(REQUESTS):
        generation, number = divmod(turn, SESSIONS)
        family = Family(f"bare-{client}", str(number))
        token = Token(
            family=family,
            generation=generation,
            digest=digest(generation),
            expires_at_ms=FAR_MS,
            absolute_expires_at_ms=FAR_MS,
            device="device",
        )
        successor = Successor(digest(generation + 1), FAR_MS)
        update = rotation(token, successor, "device", Policy(), 1)
        made.append(({"_id": session_id(family)}, update))
    return made


def connected(url: str) -> MongoClient[Document]:
    """Connect as our own lane of this profile does."""
    return MongoClient(url, retryWrites=False, w=1, journal=False)


def rotate(collection: Collection[Document], prepared: Sequence[Request]) -> None:
    """Send one request after another."""
    for which, update in prepared:
        collection.find_one_and_update(which, update)


def process(url: str, clients: Sequence[int], ready: Barrier) -> tuple[float, float]:
    """Run clients once all processes are ready; give when they began and when they were done."""
    with connected(url) as client, ThreadPoolExecutor(len(clients)) as threads:
        collection = client[DATABASE]["sessions"]
        prepared = [requests(one) for one in clients]
        # Each thread's connection is open before the time begins.
        list(threads.map(lambda _: client.admin.command("ping"), clients))
        ready.wait()
        begin = time.monotonic()
        list(threads.map(lambda mine: rotate(collection, mine), prepared))
        return begin, time.monotonic()


def bare_pymongo(server: Server) -> Tool:
    """Prepare the bare loop: as many processes and threads as ours."""

    def once() -> Reached:
        families = [
            Family(f"bare-{client}", str(number))
            for client in range(CONNECTIONS)
            for number in range(SESSIONS)
        ]
        subjects: dict[str, Any] = {"$in": [f"bare-{client}" for client in range(CONNECTIONS)]}
        with connected(server.url) as client:
            collection = client[DATABASE]["sessions"]
            collection.delete_many({"_id.subject": subjects})
            collection.insert_many([fresh(family) for family in families])
            context = multiprocessing.get_context("forkserver")
            with (
                metered(server) as spent,
                context.Manager() as manager,
                ProcessPoolExecutor(cores(), mp_context=context) as pool,
            ):
                ready = manager.Barrier(cores(), timeout=READY_SECONDS)
                parts = [range(first, CONNECTIONS, cores()) for first in range(cores())]
                done = [pool.submit(process, server.url, part, ready) for part in parts]
                spans = [one.result() for one in done]
            took = max(end for _, end in spans) - min(begin for begin, _ in spans)
            won = collection.count_documents(
                {"_id.subject": subjects, "generation": REQUESTS // SESSIONS}
            )
        assert won == len(families), f"{won} of {len(families)} sessions were rotated to the end"
        total = CONNECTIONS * REQUESTS
        return Reached(total / took, total * 1e9 / spent.cpu_ns)

    return Tool(once)
