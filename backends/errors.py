"""What can go wrong with a store, drawn as a tree.

    RefreshStoreError
    ├── StoreUnavailable      the store could not be reached: the service fails closed
    │   ├── NotSent           definitely not executed (connection refused, pool exhausted)
    │   └── AnswerLost        sent, no answer: it may or may not have been executed
    ├── StoreRefused          the server answered with an error; definitely not executed
    └── BadSubject            the subject named on the command line can't be had
        ├── UnknownSubject    no such backend, profile, file or callable
        └── MissingDriver     its Python package isn't installed

A refused *token* is no error: `rotate` and `verify` return an `Outcome` for it.
"""


class RefreshStoreError(Exception):
    """Root of everything a backend raises on purpose."""


class StoreUnavailable(RefreshStoreError):
    """The store can't be reached; whoever asked must refuse the request (fail closed)."""


class NotSent(StoreUnavailable):
    """The operation never reached the store: it is known not to have been executed."""


class AnswerLost(StoreUnavailable):
    """The operation was sent and its answer never came: nobody knows whether it was executed."""


class StoreRefused(RefreshStoreError):
    """The store answered that it won't (out of memory, read-only, constraint): not executed."""


class BadSubject(RefreshStoreError):
    """A subject that can't be opened; the message says what is wrong and the mend."""


class UnknownSubject(BadSubject):
    """No backend, profile, file or callable of that name."""


class MissingDriver(BadSubject):
    """The backend's Python driver isn't installed; the message holds the command that brings it."""
