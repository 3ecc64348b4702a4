"""Anyone's store as a subject: `path/to/file.py:name` or `package.module:name`.

`name` is a `Backend`, or a callable that returns a store. The callable may take `directory` (a
`Path` of its own, empty in a fresh trial, the same again after a restart) and `policy`; it is
called once in every process that uses the store.
"""

import importlib
import importlib.util
import inspect
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backends.errors import UnknownSubject
from backends.store import Backend, Capabilities, Place, Policy, Profile, RefreshStore

OFFERED = ("directory", "policy")


def is_factory(spec: str) -> bool:
    """Whether `spec` names a file's or a module's attribute rather than a registered backend."""
    where, _, name = spec.rpartition(":")
    return bool(where and name) and (where.endswith(".py") or "." in where or "/" in where)


def backend_from(spec: str) -> Backend:
    """Load the `Backend`, or wrap the callable, that `spec` names.

    Raises UnknownSubject: no such file or name, the code fails, or what it names is neither.
    """
    where, _, name = spec.rpartition(":")
    named = _attribute(where, name)
    if isinstance(named, Backend):
        return named
    if not callable(named):
        raise UnknownSubject(f"{spec} is neither a Backend nor a callable that returns a store")
    make = _adapt(spec, named)
    with tempfile.TemporaryDirectory(prefix="refreshbench-probe-") as folder:
        store = make(Place(Path(folder)), Policy())
        capabilities = store.capabilities
        store.close()
    summary = (inspect.getdoc(named) or "a store of your own").splitlines()[0]
    return Backend(
        name=name,
        title=name,
        summary=summary,
        profiles={"default": Profile(name="default", summary=summary, capabilities=capabilities)},
        open=lambda place, _profile, policy: make(place, policy),
    )


def _attribute(where: str, name: str) -> object:
    path = Path(where).resolve()
    if where.endswith(".py") and not path.is_file():
        raise UnknownSubject(f"no Python file at {where}")
    try:
        if where.endswith(".py"):
            loaded = importlib.util.spec_from_file_location(path.stem, path)
            assert loaded is not None and loaded.loader is not None, path
            module = importlib.util.module_from_spec(loaded)
            sys.modules.setdefault(path.stem, module)
            loaded.loader.exec_module(module)
        else:
            module = importlib.import_module(where)
    except Exception as error:
        raise UnknownSubject(f"{where} can't be loaded: {type(error).__name__}: {error}") from error
    try:
        found: object = getattr(module, name)
    except AttributeError:
        raise UnknownSubject(
            f"{where} has no {name!r}; name a Backend or a callable in it"
        ) from None
    return found


def _adapt(spec: str, factory: Callable[..., Any]) -> Callable[[Place, Policy], RefreshStore]:
    parameters = inspect.signature(factory).parameters
    required = [
        p.name for p in parameters.values() if p.default is p.empty and p.kind != p.VAR_KEYWORD
    ]
    if unknown := [name for name in required if name not in OFFERED]:
        raise UnknownSubject(
            f"{spec} asks for {', '.join(unknown)};"
            " a factory may take directory and policy, or nothing"
        )

    def make(place: Place, policy: Policy) -> RefreshStore:
        offered = {"directory": place.directory, "policy": policy}
        try:
            store: RefreshStore = factory(**{k: v for k, v in offered.items() if k in parameters})
        except Exception as error:
            raise UnknownSubject(f"{spec} failed: {type(error).__name__}: {error}") from error
        if not isinstance(getattr(store, "capabilities", None), Capabilities):
            raise UnknownSubject(
                f"{spec} returned {store!r}: not a store, it declares no capabilities"
            )
        return store

    return make
