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
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from backends.errors import UnknownSubject
from backends.store import (
    Backend,
    Capabilities,
    Lists,
    Place,
    Policy,
    Profile,
    RefreshStore,
    Revokes,
)

OFFERED = ("directory", "policy")
REQUIRED = ("issue", "verify", "rotate", "close")


def is_factory(spec: str) -> bool:
    """Whether `spec` names a file's or a module's attribute rather than a registered backend."""
    where, colon, _ = spec.rpartition(":")
    return "." in where or "/" in where or (not colon and (spec.endswith(".py") or "/" in spec))


def backend_from(spec: str) -> Backend:
    """Load the `Backend`, or wrap the callable, that `spec` names.

    Raises UnknownSubject: no such file or name, the code fails, or what it names is neither.
    """
    where, _, name = spec.rpartition(":")
    if not where or not name:
        raise UnknownSubject(f"what in {spec.rstrip(':')}? Write path/to/file.py:name")
    named = _attribute(where, name)
    if isinstance(named, Backend):
        return named
    if not callable(named):
        raise UnknownSubject(f"{spec} is neither a Backend nor a callable that returns a store")
    make = _adapt(spec, named)
    with tempfile.TemporaryDirectory(prefix="refreshbench-probe-") as folder:
        store = make(Place(Path(folder)), Policy())
        capabilities = store.capabilities
        try:
            store.close()
        except Exception as error:
            raise UnknownSubject(f"{spec} failed to close: {_said(error)}") from error
    summary = (inspect.getdoc(named) or "a store of your own").splitlines()[0]
    return Backend(
        name=name,
        title=name,
        summary=summary,
        profiles={"default": Profile(name="default", summary=summary, capabilities=capabilities)},
        open=lambda place, _profile, policy: make(place, policy),
    )


def _attribute(where: str, name: str) -> object:
    is_file = where.endswith(".py") or "/" in where
    module = _file(Path(where).expanduser()) if is_file else _module(where)
    try:
        found: object = getattr(module, name)
    except AttributeError:
        raise UnknownSubject(
            f"{where} has no {name!r}; name a Backend or a callable in it"
        ) from None
    return found


def _file(path: Path) -> ModuleType:
    if path.suffix != ".py" or not path.is_file():
        raise UnknownSubject(f"no Python file at {path}")
    # A name of its own: a file called redis.py must be neither hidden by the driver nor hide it.
    name = f"{path.stem}_{sha256(bytes(path.resolve())).hexdigest()[:8]}"
    loaded = importlib.util.spec_from_file_location(name, path.resolve())
    assert loaded is not None, path
    assert loaded.loader is not None, path
    module = importlib.util.module_from_spec(loaded)
    sys.modules[name] = module
    try:
        loaded.loader.exec_module(module)
    # Even a script that ends by sys.exit() must not end us.
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UnknownSubject(f"{path} can't be loaded: {_said(error)}") from error
    return module


def _module(where: str) -> ModuleType:
    try:
        return importlib.import_module(where)
    except (Exception, SystemExit) as error:
        mend = "; install it, or name its file: path/to/file.py:name"
        raise UnknownSubject(
            f"{where} can't be imported: {_said(error)}"
            f"{mend if isinstance(error, ModuleNotFoundError) else ''}"
        ) from error


def _said(error: BaseException) -> str:
    """Give an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _adapt(spec: str, factory: Callable[..., Any]) -> Callable[[Place, Policy], RefreshStore]:
    try:
        parameters = inspect.signature(factory).parameters
    except ValueError as error:
        raise UnknownSubject(f"{spec} can't be asked what it takes: {_said(error)}") from error
    required = [
        p.name
        for p in parameters.values()
        if p.default is p.empty and p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}
    ]
    if unknown := [name for name in required if name not in OFFERED]:
        raise UnknownSubject(
            f"{spec} asks for {', '.join(unknown)};"
            " a factory may take directory and policy, or nothing"
        )

    def make(place: Place, policy: Policy) -> RefreshStore:
        offered = {"directory": place.directory, "policy": policy}
        try:
            made = factory(**{name: v for name, v in offered.items() if name in parameters})
        except Exception as error:
            raise UnknownSubject(f"{spec} failed: {_said(error)}") from error
        return _checked(spec, made)

    return make


def _checked(spec: str, made: Any) -> RefreshStore:
    capabilities = getattr(made, "capabilities", None)
    if not isinstance(capabilities, Capabilities):
        raise UnknownSubject(f"{spec} returned {made!r}: not a store, it declares no capabilities")
    lacking = [name for name in REQUIRED if not callable(getattr(made, name, None))]
    if lacking:
        raise UnknownSubject(f"{spec} returned no store: it has no {', '.join(lacking)}")
    for capability, ability in (("revokes", Revokes), ("lists_sessions", Lists)):
        if getattr(capabilities, capability) and not isinstance(made, ability):
            raise UnknownSubject(
                f"{spec} declares {capability} without the methods of {ability.__name__};"
                f" write them, or declare {capability}=No(why)"
            )
    store: RefreshStore = made
    return store
