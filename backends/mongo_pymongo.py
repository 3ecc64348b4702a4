"""MongoDB through pymongo as it is shipped: what was not answered is sent again, once.

On a replica set each write bears a number, by which the server knows it again and gives the answer
it gave before: a retried rotation is no theft. A server that is alone takes no such numbers, and
pymongo then sends a write once. Time limits are those of `mongo`.
"""

from dataclasses import replace

from backends.mongo import BACKEND as MONGO
from backends.mongo import MongoStore
from backends.store import Place, Policy, Profile


class PymongoStore(MongoStore):
    """The same documents and pipelines, with the driver's retries on."""

    retries = True


def open_store(place: Place, profile: Profile, policy: Policy) -> PymongoStore:
    """Open the store; it connects when it is first used."""
    assert place.url is not None, "mongo needs a server"
    return PymongoStore(place.url, profile, policy)


BACKEND = replace(
    MONGO,
    name="mongo-pymongo",
    title="MongoDB (pymongo as shipped)",
    summary="the same findAndModify, with the driver's retries",
    open=open_store,
)
