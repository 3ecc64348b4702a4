"""What JWTs cost: minting and parsing refresh tokens, apart from any store."""

import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import count, cycle
from typing import TypeVar

import numpy as np

from backends.claims import Claims, new_jti
from backends.store import Family
from backends.tokens import Signer
from bench.record import TokenCost
from scenarios.histogram import histogram

T = TypeVar("T")

WARMUP_SHARE = 0.1
DIFFERENT_TOKENS = 256
"""Enough that no token is parsed twice in a row."""
ISSUED_AT_MS = 1_767_225_600_123
DAY_MS = 86_400_000


def measure(algorithms: Sequence[str], seconds_each: float) -> list[TokenCost]:
    """Mint, then parse, for `seconds_each` seconds an algorithm, on one thread.

    Raises ValueError for an algorithm that `backends.tokens` doesn't have.
    """
    return [_measure(algorithm, seconds_each) for algorithm in algorithms]


def _measure(algorithm: str, seconds: float) -> TokenCost:
    signer = Signer.generate(algorithm)
    texts = [signer.mint(_claims(generation)) for generation in range(DIFFERENT_TOKENS)]
    mint_ns = _latencies(signer.mint, map(_claims, count()), seconds / 2)
    parse_ns = _latencies(lambda text: signer.parse(text, ISSUED_AT_MS), cycle(texts), seconds / 2)
    return TokenCost(
        algorithm=algorithm,
        mint_ns=histogram(np.frombuffer(mint_ns, np.int64)),
        parse_ns=histogram(np.frombuffer(parse_ns, np.int64)),
        token_bytes=len(texts[0]),
    )


def _claims(generation: int) -> Claims:
    return Claims(
        Family("user-0000001", "3f6e0d52-6f0a-4d0c-9a1e-0d7f5b7c2a11"),
        generation,
        new_jti(),
        ISSUED_AT_MS + DAY_MS,
        ISSUED_AT_MS + 30 * DAY_MS,
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
    )


def _latencies(call: Callable[[T], object], inputs: Iterator[T], seconds: float) -> "array[int]":
    """Time each call by itself; at least one. What makes the input isn't timed."""
    clock = time.perf_counter_ns
    begin_ns = clock()
    warm_ns = begin_ns + int(seconds * WARMUP_SHARE * 1e9)
    end_ns = begin_ns + int(seconds * 1e9)
    latencies = array("q")
    for one in inputs:
        start_ns = clock()
        call(one)
        stop_ns = clock()
        if start_ns >= warm_ns:
            latencies.append(stop_ns - start_ns)
            if stop_ns >= end_ns:
                return latencies
    raise AssertionError("the inputs never end")
