"""Load: schedules, the measured loop, and the worker processes that run it."""
