"""JSON Schema of the record, from the models that write it: `python -m bench.schema docs`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

import scenarios
from bench.environment import Environment
from bench.record import Run, Trial
from scenarios.history import Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REF = "#/$defs/{model}"


def schemas() -> Mapping[str, Mapping[str, Any]]:
    """Give file name -> schema: of `run.json`, of a line of `trials.jsonl`, of one of a history."""
    return {
        "run.schema.json": {"$schema": DIALECT, **_run()},
        "trial.schema.json": {"$schema": DIALECT, **_trial()},
        "event.schema.json": {"$schema": DIALECT, **TypeAdapter(Event).json_schema()},
    }


def text(schema: Mapping[str, Any]) -> str:
    """Write a schema out the way it is kept in `docs/`."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _run() -> Mapping[str, Any]:
    """Give the schema of a run; its environment is an open dictionary to those who read it."""
    of_each, definitions = models_json_schema(
        [(Run, "serialization"), (Environment, "serialization")], ref_template=REF
    )
    environment = {"properties": {"environment": of_each[Environment, "serialization"]}}
    return {**of_each[Run, "serialization"], "allOf": [environment], **definitions}


def _trial() -> Mapping[str, Any]:
    """Give the schema of a trial, its findings held to the model of its scenario."""
    known = {name: scenarios.load(name).findings for name in scenarios.names()}
    of_each, definitions = models_json_schema(
        [(Trial, "serialization"), *((model, "serialization") for model in known.values())],
        ref_template=REF,
    )
    conditions = [
        {
            "if": {"properties": {"scenario": {"const": name}, "status": {"const": "ok"}}},
            "then": {"properties": {"findings": of_each[model, "serialization"]}},
        }
        for name, model in known.items()
    ]
    return {**of_each[Trial, "serialization"], "allOf": conditions, **definitions}


def main() -> None:
    """Write every schema into the folder named on the command line."""
    for name, schema in schemas().items():
        (Path(sys.argv[1]) / name).write_text(text(schema), encoding="utf-8")


if __name__ == "__main__":
    main()
