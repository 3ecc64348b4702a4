"""A connection a thread: whose it is, and when it ends."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from backends.errors import NotSent
from backends.per_thread import PerThread


class Line:
    def __init__(self) -> None:
        self.open = True

    def close(self) -> None:
        self.open = False


def in_a_thread(each: PerThread[Line]) -> Line:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(each.get).result()


def test_a_thread_keeps_its_own() -> None:
    """The same for the same thread, another for another, and a new one after a drop."""
    each = PerThread(Line, Line.close)
    mine = each.get()
    assert each.get() is mine
    assert in_a_thread(each) is not mine
    each.drop()
    each.drop()
    assert not mine.open
    assert each.get() is not mine
    each.close()


def test_it_ends_with_its_thread() -> None:
    """Threads that come and go leave nothing open."""
    each = PerThread(Line, Line.close)
    mine = each.get()
    assert not in_a_thread(each).open
    assert mine.open
    each.close()


def test_closing_ends_everyone_s() -> None:
    """Whichever thread closes; afterwards nobody gets another."""
    each = PerThread(Line, Line.close)
    got, done = threading.Event(), threading.Event()
    theirs: list[Line] = []

    def hold() -> None:
        theirs.append(each.get())
        got.set()
        done.wait()
        with pytest.raises(NotSent):
            each.get()

    with ThreadPoolExecutor(1) as thread:
        holding = thread.submit(hold)
        got.wait()
        mine = each.get()
        each.close()
        each.close()
        assert not mine.open
        assert not theirs[0].open
        done.set()
        holding.result()


def test_one_that_is_opened_too_late_is_closed_again() -> None:
    """A store that is closed while a thread connects leaves no connection behind."""
    opened: list[Line] = []

    def open_slowly() -> Line:
        opened.append(Line())
        each.close()
        return opened[-1]

    each = PerThread(open_slowly, Line.close)
    with pytest.raises(NotSent):
        each.get()
    assert not opened[0].open
