"""What a refresh costs in tokens, apart from what it costs in the store."""

from collections.abc import Sequence

from backends.store import Durability
from bench.analysis.latency import LatencyCell
from bench.record import Record, Run, TokenCost
from scenarios import histogram


class TokenFigures(Record):
    """One JWT algorithm: minting a token, and checking and parsing one."""

    algorithm: str
    mint_p50_ns: int
    mint_p99_ns: int | None
    parse_p50_ns: int
    parse_p99_ns: int | None
    samples: int
    token_bytes: int

    @property
    def refresh_ns(self) -> int:
        """One refresh parses the presented token and mints its successor."""
        return self.mint_p50_ns + self.parse_p50_ns


class RefreshShare(Record):
    """One refresh at one connection: rotation in the store, and the work on tokens beside it."""

    label: str
    algorithm: str
    connections: int
    rotate_p50_ns: int
    tokens_p50_ns: int

    @property
    def total_ns(self) -> int:
        """The sum of medians: an estimate of a refresh, not a measured one."""
        return self.rotate_p50_ns + self.tokens_p50_ns

    @property
    def share(self) -> float:
        """What part of it is the token's."""
        return self.tokens_p50_ns / self.total_ns


def token_figures(costs: Sequence[TokenCost]) -> Sequence[TokenFigures]:
    """Read percentiles from each algorithm's histograms; an empty one is left out."""
    figures = []
    for cost in costs:
        mint = histogram.percentile_ns(cost.mint_ns, "50")
        parse = histogram.percentile_ns(cost.parse_ns, "50")
        if mint is None or parse is None:
            continue
        figures.append(
            TokenFigures(
                algorithm=cost.algorithm,
                mint_p50_ns=mint,
                mint_p99_ns=histogram.percentile_ns(cost.mint_ns, "99"),
                parse_p50_ns=parse,
                parse_p99_ns=histogram.percentile_ns(cost.parse_ns, "99"),
                samples=histogram.count(cost.mint_ns),
                token_bytes=cost.token_bytes,
            )
        )
    return figures


def refresh_shares(
    run: Run, cells: Sequence[LatencyCell], tokens: Sequence[TokenFigures]
) -> Sequence[RefreshShare]:
    """Set rotation beside token work, at the fewest connections: neither waits for a queue there.

    A subject whose state the client holds is left out: its rotation is nothing but token work.
    """
    controls = {subject.label for subject in run.subjects if subject.control}
    rotations = [
        cell
        for cell in cells
        if (cell.workload, cell.operation) == ("rotate", "rotate")
        and cell.label not in controls
        and cell.durability != Durability.CLIENT
    ]
    fewest = min((cell.connections for cell in rotations), default=0)
    return [
        RefreshShare(
            label=cell.label,
            algorithm=token.algorithm,
            connections=cell.connections,
            rotate_p50_ns=p50,
            tokens_p50_ns=token.refresh_ns,
        )
        for cell in rotations
        if cell.connections == fewest and (p50 := cell.percentiles_ns["50"]) is not None
        for token in tokens
    ]
