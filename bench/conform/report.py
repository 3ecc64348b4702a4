"""A store's report: rows for a table, a JSON document, JUnit XML for CI."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from bench.conform.checker import Report
from bench.conform.properties import BY_NUMBER
from bench.conform.property import Result, Status

COLUMNS = ("", "property", "result", "what was seen")
NAME = "refreshbench conform"
CONTROL = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if chr(code) not in "\t\n\r"}
"""What XML 1.0 can't hold, not even escaped; a store's message may."""


def told(result: Result) -> str:
    """Say what was seen and, where it is bad, what it costs."""
    if result.status is Status.VIOLATED:
        return f"{result.text}. So: {BY_NUMBER[result.number].consequence}"
    return result.text


def rows(report: Report) -> Sequence[Sequence[str]]:
    """Give one row a property, in the order of `COLUMNS`."""
    return [
        (str(one.number), BY_NUMBER[one.number].name, str(one.status), told(one))
        for one in report.results
    ]


def verdict(report: Report) -> str:
    """Say in one line how the store came out."""
    bad = [one for one in report.results if not one.status.good]
    if bad:
        which = ", ".join(f"{one.number} {BY_NUMBER[one.number].name}" for one in bad)
        meant = ", nor is it meant to (it loses races on purpose)" if report.naive else ""
        return (
            f"{report.spec} does not conform{meant}: {len(bad)} of {len(report.results)}: {which}"
        )
    held = sum(one.status is Status.HELD for one in report.results)
    return f"{report.spec} conforms: {held} of {len(report.results)} properties held, no violation"


def document(report: Report) -> Mapping[str, object]:
    """Give what `--json` prints."""
    return {
        "subject": report.spec,
        "title": report.title,
        "effort": report.effort,
        "server": report.served_by,
        "conforms": report.good,
        "lacking": report.lacking,
        "properties": [
            {
                "number": one.number,
                "name": BY_NUMBER[one.number].name,
                "says": BY_NUMBER[one.number].says,
                "source": BY_NUMBER[one.number].source,
                "status": one.status,
                "text": one.text,
                "consequence": BY_NUMBER[one.number].consequence,
                "seconds": one.seconds,
            }
            for one in report.results
        ],
    }


def junit(report: Report) -> str:
    """Give JUnit XML: violated is a failure, undecided an error, what doesn't apply is skipped."""
    count = dict.fromkeys(Status, 0)
    for one in report.results:
        count[one.status] += 1
    suite = ET.Element(
        "testsuite",
        name=f"{NAME} {report.spec}",
        tests=str(len(report.results)),
        failures=str(count[Status.VIOLATED]),
        errors=str(count[Status.UNDECIDED]),
        skipped=str(count[Status.DECLARED] + count[Status.NOT_APPLICABLE]),
        time=f"{sum(one.seconds for one in report.results):.3f}",
    )
    elements = {
        Status.VIOLATED: "failure",
        Status.UNDECIDED: "error",
        Status.DECLARED: "skipped",
        Status.NOT_APPLICABLE: "skipped",
    }
    for one in report.results:
        name = f"{one.number} {BY_NUMBER[one.number].name}"
        case = ET.SubElement(
            suite, "testcase", classname=report.spec, name=name, time=f"{one.seconds:.3f}"
        )
        if one.status in elements:
            message = f"{one.status}: {told(one)}".translate(CONTROL)
            ET.SubElement(case, elements[one.status], message=message)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
