"""Faults: what is done to a store's server, files or connection while it is being used."""
