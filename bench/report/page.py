"""The page: sections as data, through templates that escape everything."""

from collections.abc import Sequence

import jinja2

from bench.report import conditions
from bench.report.blocks import Code, Material, Picture, Points, Prose, Section, Table
from bench.report.comparison import comparison
from bench.report.markdown import escape
from bench.report.markdown import table as markdown_table
from bench.report.sections.answer import status

ABOUT_SEVERAL = ("balancer", "failover", "lengths", "staleness")
"""Tables and pictures of several servers or instances, of which the comparison knows nothing."""


def html(material: Material, sections: Sequence[Section]) -> str:
    """Write the page. Labels, titles and errors of third parties can't become markup."""
    return (
        _templates(autoescape=True)
        .get_template("page.html.j2")
        .render(
            run=material.run,
            conditions=conditions.one_line(material.run, material.summary),
            status=status(material),
            sections=sections,
        )
    )


def markdown(material: Material, sections: Sequence[Section]) -> str:
    """Write the comparison with its picture and conditions as Markdown.

    Where nobody is compared, as in a run about several servers, what was measured stands there.
    """
    compared = comparison(material)
    tables = [compared]
    pictures: Sequence[str] = ("tradeoff",)
    if not compared.groups:
        blocks = [block for section in sections for block in section.blocks]
        tables = [b for b in blocks if isinstance(b, Table) and b.name in ABOUT_SEVERAL]
        pictures = ABOUT_SEVERAL
    return (
        _templates(autoescape=False)
        .get_template("comparison.md.j2")
        .render(
            started=f"{material.run.started_at:%Y-%m-%d %H:%M} UTC",
            conditions=escape(conditions.one_line(material.run, material.summary)),
            status=escape(status(material)),
            pictures=material.drawn(*pictures),
            tables=[markdown_table(table) for table in tables],
            record=escape(material.record),
            command=conditions.command(material.run).replace("`", ""),
        )
    )


def _templates(*, autoescape: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bench.report"),
        autoescape=autoescape,  # noqa: S701 - Markdown's own characters are escaped by `escape`
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.tests["table"] = lambda block: isinstance(block, Table)
    environment.tests["prose"] = lambda block: isinstance(block, Prose)
    environment.tests["points"] = lambda block: isinstance(block, Points)
    environment.tests["picture"] = lambda block: isinstance(block, Picture)
    environment.tests["code"] = lambda block: isinstance(block, Code)
    return environment
