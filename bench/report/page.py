"""The page: sections as data, through templates that escape everything."""

from collections.abc import Sequence

import jinja2

from bench.report import conditions
from bench.report.blocks import Code, Material, Picture, Points, Prose, Section, Table
from bench.report.markdown import escape
from bench.report.markdown import section as as_markdown
from bench.report.sections.answer import status


def html(material: Material, sections: Sequence[Section], data: Sequence[str]) -> str:
    """Write the page, with links to the files `data` beside it.

    Labels, titles and errors of third parties can't become markup.
    """
    return (
        _templates(autoescape=True)
        .get_template("page.html.j2")
        .render(
            run=material.run,
            conditions=conditions.one_line(material.run, material.summary),
            status=status(material),
            sections=sections,
            data=data,
        )
    )


def markdown(material: Material, sections: Sequence[Section]) -> str:
    """Write the page as Markdown that stands alone, without its long tables."""
    return (
        _templates(autoescape=False)
        .get_template("comparison.md.j2")
        .render(
            started=f"{material.run.started_at:%Y-%m-%d %H:%M} UTC",
            conditions=escape(conditions.one_line(material.run, material.summary)),
            status=escape(status(material)),
            sections=[written for section in sections if (written := as_markdown(section))],
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
