"""Analysis: from the records of trials to figures with their uncertainty."""

from bench.analysis.summary import Summary, summary

__all__ = ["Summary", "summary"]
