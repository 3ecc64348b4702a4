"""The runner: it starts servers, drives load, injects faults, keeps time, records and reports."""
