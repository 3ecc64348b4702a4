"""Phases: the steps of a case, and what is seen in each, as data. One file a kind."""
