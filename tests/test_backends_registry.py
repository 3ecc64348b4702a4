"""How a subject is found: our names, other packages' entry points, anyone's file or module."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

import backends
from backends.errors import BadSubject, MissingDriver, UnknownSubject
from backends.memory import MemoryStore
from backends.store import Durability, Place, Policy, Revokes
from scenarios import consistency, durability
from scenarios.consistency import ConsistencyParameters
from scenarios.durability import DurabilityParameters

GOOD = """
    from backends.memory import MemoryStore

    def make(policy):
        '''A dictionary of my own.

        With more to say.
        '''
        return MemoryStore(policy)
"""

HALF = """
    from backends.store import Capabilities

    class Half:
        capabilities = Capabilities()
        def issue(self, session): ...
        def close(self): ...
"""
BOAST = """
    from backends.cookie import CookieStore
    from backends.store import Capabilities

    class Boast(CookieStore):
        capabilities = Capabilities()
"""
STUCK = """
    from backends.cookie import CookieStore

    class Stuck(CookieStore):
        def close(self): raise RuntimeError("stuck")
"""
BARE = """
    from backends.store import Backend

    STORE = Backend(name="x", title="", summary="", profiles={}, open=None)
"""

NAIVE_WAYS = {name: way for name in backends.BUILT_IN if (way := backends.load(name).naive_backend)}
"""Built-in backend -> the one that it declares as its naive way."""

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a Python file and give its path."""

    def write_file(code: str, name: str = "mine.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(code))
        return str(path)

    return write_file


@pytest.fixture
def package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], None]]:
    """Install a package that registers an entry point, or seems to."""

    def install(entry_point: str, code: str) -> None:
        (tmp_path / "their_stores.py").write_text(code)
        info = tmp_path / "their_stores-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-stores\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{backends.ENTRY_POINT_GROUP}]\n{entry_point}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        backends.registry.cache_clear()

    yield install
    sys.modules.pop("their_stores", None)
    backends.registry.cache_clear()


def refused(spec: str) -> str:
    """Give what is said of a spec that can't be resolved: one line, always."""
    with pytest.raises(BadSubject) as caught:
        backends.resolve(spec)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_a_backend_alone_means_its_first_profile() -> None:
    """`files` is `files:fsync`, and the spec says so."""
    assert backends.resolve("files").spec == "files:fsync"
    assert backends.resolve("files:nofsync").profile.name == "nofsync"


@pytest.mark.parametrize("name", backends.BUILT_IN)
def test_every_built_in_backend_is_what_it_is_called(name: str) -> None:
    """A built-in loads, bears the name it is registered under, and says what each profile lacks."""
    backend = backends.load(name)
    assert backend.name == name
    for key, profile in backend.profiles.items():
        assert profile.name == key
        assert all(profile.capabilities.lacking().values())


def test_the_durability_class_is_the_strongest_event_survived() -> None:
    """Ranks are made inside these classes."""
    classes = {
        spec: backends.resolve(spec).profile.durability
        for spec in ("memory", "files:fsync", "files:nofsync", "cookie")
    }
    assert classes == {
        "memory": Durability.NONE,
        "files:fsync": Durability.POWER_CUT,
        "files:nofsync": Durability.CRASH,
        "cookie": Durability.CLIENT,
    }


def test_a_mistyped_backend_is_told_the_nearest_and_all() -> None:
    """One line: what is wrong, and what there is."""
    assert refused("rediss") == (
        "no backend 'rediss'; did you mean 'redis'? It has: redis, postgres, postgres-sqlalchemy,"
        " mongo, sqlite, files, memory, cookie, redis-py, postgres-psycopg, mongo-pymongo,"
        " redis-naive, postgres-naive, mongo-naive, sqlite-naive, files-naive, memory-naive"
    )
    assert refused("nothing").startswith("no backend 'nothing'; it is one of: redis, postgres")


def test_a_mistyped_profile_is_told_the_nearest_and_all() -> None:
    """One line: what is wrong, and what there is."""
    assert refused("files:nosync") == (
        "files has no profile 'nosync'; did you mean 'nofsync'? It has: fsync, nofsync"
    )
    assert refused("memory:disk") == "memory has no profile 'disk'; it is one of: process"


def test_a_callable_in_a_file_is_a_subject(write: Write, tmp_path: Path) -> None:
    """It is offered the policy and a folder, and its docstring's first line describes it."""
    spec = f"{write(GOOD)}:make"
    subject = backends.resolve(spec)
    store = subject.open(Place(tmp_path), Policy(grace_ms=5))
    assert (subject.spec, subject.backend.name) == (spec, "make")
    assert subject.backend.summary == "A dictionary of my own."
    assert subject.profile.durability is Durability.NONE
    assert isinstance(store, MemoryStore)
    assert store._policy.grace_ms == 5


def test_a_factory_takes_what_it_names(write: Write, tmp_path: Path) -> None:
    """Directory, policy, both or neither; *args and **kwargs ask for nothing."""
    path = write("""
    from backends.memory import MemoryStore
    from backends.store import Policy

    def neither(): return MemoryStore(Policy())
    def anything(*args, **kwargs): return MemoryStore(Policy())
    def folder(directory):
        (directory / "here").touch()
        return MemoryStore(Policy())
    def both(policy, directory, extra=1): return MemoryStore(policy)
    """)
    for name in ("neither", "anything", "folder", "both"):
        place = Place(tmp_path)
        assert isinstance(backends.resolve(f"{path}:{name}").open(place, Policy()), MemoryStore)
    assert (tmp_path / "here").exists()


def test_a_class_is_a_factory(tmp_path: Path) -> None:
    """`package.module:Class` is called like any callable."""
    subject = backends.resolve("backends.memory:MemoryStore")
    assert isinstance(subject.open(Place(tmp_path), Policy()), Revokes)


def test_a_backend_in_a_file_is_taken_whole(write: Write) -> None:
    """With its profiles; the first is meant."""
    path = write("from backends.files import BACKEND as STORE\n")
    assert backends.resolve(f"{path}:STORE").profile.name == "fsync"


def test_files_of_one_name_stay_apart(write: Callable[[str, str], str]) -> None:
    """A file may share its name with another, or with a package that is loaded."""
    code = """
    from __future__ import annotations
    from dataclasses import dataclass
    from typing import ClassVar
    from backends.memory import MemoryStore

    @dataclass
    class Mine:
        '''WHICH'''
        limits: ClassVar[dict] = {}

    def make(policy):
        return MemoryStore(policy)
    make.__doc__ = Mine.__doc__
    """
    first = write(code.replace("WHICH", "one"), "a/redis.py")
    second = write(code.replace("WHICH", "two"), "b/redis.py")
    redis = sys.modules.get("redis")
    assert backends.resolve(f"{first}:make").backend.summary == "one"
    assert backends.resolve(f"{second}:make").backend.summary == "two"
    assert sys.modules.get("redis") is redis


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        (GOOD, "mak", "mine.py has no 'mak'; name a Backend or a callable in it"),
        ("STORE = 3", "STORE", ":STORE is neither a Backend nor a callable that returns a store"),
        ("def broken(:", "make", "mine.py can't be loaded: SyntaxError: "),
        ("1 / 0", "make", "mine.py can't be loaded: ZeroDivisionError: division by zero"),
        ("import sys; sys.exit('bye')", "make", "mine.py can't be loaded: SystemExit: bye"),
        ("raise ValueError('two\\nlines')", "make", "can't be loaded: ValueError: two lines"),
        (
            "def make(url, policy, *, key): ...",
            "make",
            ":make asks for url, key; a factory may take directory and policy, or nothing",
        ),
        ("def make(): raise OSError(28, 'full')", "make", ":make failed: OSError: [Errno 28] full"),
        ("def make(): return 3", "make", "returned 3: not a store, it declares no capabilities"),
        ("make = iter", "make", ":make can't be asked what it takes: ValueError: "),
        (HALF, "Half", ":Half returned no store: it has no verify, rotate"),
        (BOAST, "Boast", ":Boast declares revokes without the methods of Revokes; write them, or"),
        (STUCK, "Stuck", ":Stuck failed to close: RuntimeError: stuck"),
        (BARE, "STORE", "can't be loaded: ValueError: backend x needs at least one profile"),
    ],
)
def test_a_file_that_gives_no_store_is_told_why(
    write: Write, code: str, name: str, said: str
) -> None:
    """One line that names the file, what is wrong, and where there is one the mend."""
    assert said in refused(f"{write(code)}:{name}")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("no/such.py:make", "no Python file at no/such.py"),
        ("tests:make", "no backend 'tests'"),
        ("./tests/:make", "no Python file at tests"),
        ("mine.py", "what in mine.py? Write path/to/file.py:name"),
        ("mine.py:", "what in mine.py? Write path/to/file.py:name"),
        ("./mine", "what in ./mine? Write path/to/file.py:name"),
        (
            "no.such:make",
            "no.such can't be imported: ModuleNotFoundError: No module named 'no'; install it, or",
        ),
        ("backends.memory:make", "backends.memory has no 'make'"),
    ],
)
def test_a_spec_that_names_nothing_is_told_what_to_write(spec: str, said: str) -> None:
    """One line for each way to miss."""
    assert refused(spec).startswith(said)


def test_a_file_that_failed_once_is_read_again(write: Write) -> None:
    """A mended file is not shadowed by the broken one."""
    spec = f"{write('1 / 0')}:make"
    refused(spec)
    write(GOOD)
    assert backends.resolve(spec).backend.name == "make"


def test_an_installed_package_adds_a_backend(package: Callable[[str, str], None]) -> None:
    """An entry point makes it a name like ours."""
    package("theirs = their_stores:STORE", "from backends.memory import BACKEND as STORE")
    assert backends.resolve("theirs").spec == "theirs:process"


def test_an_installed_package_brings_its_own_positive_controls(
    package: Callable[[str, str], None],
) -> None:
    """The profile that loses by a power cut, and the naive way, come along with its store."""
    package(
        "theirs = their_stores:STORE",
        "from dataclasses import replace\n"
        "from backends.files import BACKEND\n"
        "STORE = replace(BACKEND, name='theirs', naive_backend='files-naive')",
    )
    theirs = [backends.resolve("theirs:fsync")]
    faults = DurabilityParameters(trials=1, faults=("powercut",))
    assert [one.spec for one in durability.companions(faults, theirs)] == ["theirs:nofsync"]
    races = ConsistencyParameters(trials=1)
    assert [one.spec for one in consistency.companions(races, theirs)] == ["files-naive:fsync"]


def test_an_installed_package_cannot_take_a_name_of_ours(
    package: Callable[[str, str], None],
) -> None:
    """What `redis` means is the same everywhere."""
    package("memory = their_stores:STORE", "from backends.files import BACKEND as STORE")
    assert backends.load("memory").title == "Server memory"


@pytest.mark.parametrize(
    ("entry_point", "code", "kind", "said"),
    [
        (
            "theirs = their_stores:STORE",
            "import no_such_driver.pool",
            MissingDriver,
            "'theirs' needs the Python package 'no_such_driver': pip install no_such_driver",
        ),
        (
            "theirs = no_such_module.stores:STORE",
            "",
            UnknownSubject,
            "backend 'theirs' is registered as no_such_module.stores:STORE, which isn't installed",
        ),
        (
            "theirs = their_stores:STORE",
            "",
            UnknownSubject,
            r"backend 'theirs' \(their_stores:STORE\) can't be loaded: AttributeError: .*'STORE'",
        ),
        (
            "theirs = their_stores:STORE",
            "raise ImportError('no shared library\\nlibpq.so')",
            UnknownSubject,
            r"can't be loaded: ImportError: no shared library libpq.so",
        ),
        (
            "theirs = their_stores:STORE",
            "STORE = 3",
            UnknownSubject,
            "backend 'theirs' is registered as their_stores:STORE, not a Backend",
        ),
    ],
)
def test_a_registered_backend_that_fails_is_told_why(
    package: Callable[[str, str], None],
    entry_point: str,
    code: str,
    kind: type[BadSubject],
    said: str,
) -> None:
    """A missing driver comes with the command that brings it; all else with what was said."""
    package(entry_point, code)
    with pytest.raises(kind) as caught:
        backends.load("theirs")
    assert re.search(said, str(caught.value))
    assert "\n" not in str(caught.value)


def test_a_backend_names_a_profile_that_it_has_as_its_control() -> None:
    """A name that is wrong shows at once, not when a zero wants its control."""
    with pytest.raises(ValueError, match="files has no profile 'nosync' to be its control"):
        replace(backends.load("files"), control_profile="nosync")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("no-such", "the naive way of theirs can't be had: no backend 'no-such'"),
        ("memory", "the naive way of theirs can't be had: memory has no profile 'fsync'"),
        (
            "files",
            "backend theirs names files as its naive way, which isn't declared as naive=True;",
        ),
    ],
)
def test_a_naive_way_that_is_none_is_told_of(
    package: Callable[[str, str], None], named: str, said: str
) -> None:
    """By the name of the store that is at fault, since nobody asked for the other."""
    package(
        "theirs = their_stores:STORE",
        "from dataclasses import replace\n"
        "from backends.files import BACKEND\n"
        f"STORE = replace(BACKEND, name='theirs', naive_backend={named!r})",
    )
    with pytest.raises(UnknownSubject) as caught:
        backends.naive_way(backends.resolve("theirs"))
    assert str(caught.value).startswith(said)


def test_every_store_but_the_cookie_has_a_naive_way() -> None:
    """That of a server is its drivers' lanes' as well."""
    atomic = {name for name in backends.BUILT_IN if not backends.load(name).naive}
    assert atomic - {"cookie"} == NAIVE_WAYS.keys()


@pytest.mark.parametrize(("name", "way"), NAIVE_WAYS.items())
def test_a_naive_way_can_be_had_as_the_store_can(name: str, way: str) -> None:
    """In each of its profiles, and marked as one."""
    naive = backends.load(way)
    assert naive.naive
    assert naive.profiles.keys() >= backends.load(name).profiles.keys()


def test_naming_a_backend_imports_no_other_driver() -> None:
    """`refreshbench -b memory` must not need, or wait for, the drivers of servers."""
    code = (
        "import sys, backends; backends.resolve('memory'); backends.resolve('files');"
        "print([m for m in ('redis', 'psycopg', 'sqlalchemy', 'pymongo') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_topology_changes_the_settings_and_the_name() -> None:
    """Its settings go over those of the profile, so that they are read back like these."""
    subject = backends.resolve("redis:aof-always@sentinel-min1")
    assert subject.spec == "redis:aof-always@sentinel-min1"
    assert subject.layout == "sentinel"
    assert subject.profile.server["appendfsync"] == "always"
    assert subject.profile.server["min-replicas-to-write"] == "1"
    assert backends.resolve("redis@sentinel").spec == "redis:aof-everysec@sentinel"
    assert backends.resolve("redis").layout is None


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("redis@sentinal", "no topology 'sentinal'; did you mean 'sentinel'"),
        ("memory@sentinel", "memory has no topologies; leave out @sentinel"),
        ("redis:nope@sentinel", "no profile 'nope'"),
        ("postgres:async@replica-on", "can't be had @replica-on; postgres@replica-on takes sync"),
    ],
)
def test_a_topology_that_does_not_fit_is_one_clear_line(spec: str, said: str) -> None:
    """With what was probably meant; or the profile would break what the topology is for."""
    with pytest.raises(UnknownSubject, match=re.escape(said)) as raised:
        backends.resolve(spec)
    assert "\n" not in str(raised.value)


def test_a_failover_may_keep_more_in_one_profile_than_in_another() -> None:
    """What a subject lacks is said by its profile, its topology, and the two together."""
    assert "survives_failover" in backends.resolve("mongo:journaled@rs3").lacking
    assert "survives_failover" not in backends.resolve("mongo:majority@rs3").lacking
    kept = backends.resolve("postgres:sync@replica-on").lacking
    assert kept == backends.resolve("postgres:sync").lacking
