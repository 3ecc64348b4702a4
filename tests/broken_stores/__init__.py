"""Stores with one bug each, all of them met in the wild. The contract must catch every one.

A module's docstring says what it does wrong; `CAUGHT_BY` numbers the property that has to notice
first of all (others may notice too); `make` or `BACKEND` is the store.
"""
