"""What the tokens themselves cost, apart from any store."""

from bench.report import formats
from bench.report.blocks import Cell, Column, Group, Material, Row, Section, Table
from bench.report.comparison import CLASS_WORDS


def section(material: Material) -> Section | None:
    """Make the section, if tokens were measured, and a store's time to set their cost beside."""
    summary = material.summary
    if not summary.tokens or not (summary.cells or summary.load):
        return None
    return Section(
        "tokens",
        "Tokens, apart from the store",
        [_costs(material), *([_shares(material)] if summary.refreshes else [])],
    )


def _costs(material: Material) -> Table:
    rows = [
        Row(
            token.algorithm,
            [
                *[
                    Cell(formats.microseconds(ns), number=None if ns is None else ns / 1e3)
                    for ns in (
                        token.mint_p50_ns,
                        token.mint_p99_ns,
                        token.parse_p50_ns,
                        token.parse_p99_ns,
                    )
                ],
                Cell(f"{token.token_bytes:,}", number=token.token_bytes),
                Cell(f"{token.samples:,} minted"),
            ],
        )
        for token in material.summary.tokens
    ]
    return Table(
        name="tokens",
        caption="Minting a refresh token, and checking and parsing one",
        corner="Algorithm",
        columns=[
            Column("mint p50", "µs"),
            Column("mint p99", "µs"),
            Column("parse p50", "µs"),
            Column("parse p99", "µs"),
            Column("size", "bytes"),
            Column("n"),
        ],
        groups=[Group("In one process, on one thread", rows)],
        legend=["A cookie that holds the state costs this and nothing else on the server."],
    )


def _shares(material: Material) -> Table:
    summary = material.summary
    algorithms = [token.algorithm for token in summary.tokens]
    at = {(one.label, one.algorithm): one for one in summary.refreshes}
    groups = []
    for durability, members in summary.by_class():
        rows = []
        for subject in members:
            mine = [at[subject.label, a] for a in algorithms if (subject.label, a) in at]
            if mine:
                rotate_us = mine[0].rotate_p50_ns / 1e3
                figures = [
                    Cell(
                        formats.microseconds(one.total_ns),
                        number=one.total_ns / 1e3,
                        detail=f"{formats.percent(one.share)} tokens",
                    )
                    for one in mine
                ]
                rows.append(
                    Row(
                        material.names[subject.label],
                        [Cell(formats.significant(rotate_us), number=rotate_us), *figures],
                        material.colours[subject.backend],
                    )
                )
        if rows:
            groups.append(Group(CLASS_WORDS[durability], rows))
    connections = formats.count(summary.refreshes[0].connections, "connection")
    return Table(
        name="refresh",
        caption=f"A whole refresh at {connections}: rotation in the store, and tokens beside it",
        corner="Subject",
        columns=[
            Column("rotate p50", "µs"),
            *[Column(f"with {algorithm}", "µs") for algorithm in algorithms],
        ],
        groups=groups,
        legend=[
            (
                "The sum of three medians (rotate, mint, parse): an estimate of a refresh, not a"
                " measured one. Small print: the tokens' share of it."
            ),
        ],
    )
