"""Servers: find one, start it with settings, read them back, stop it, kill it."""
