#!/usr/bin/env python3
"""Validates the reports below a directory against their schema, and sees that the schema refuses broken ones.

Usage: check_schema.py SCHEMA DIRECTORY...
"""
import copy
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("the package python3-jsonschema is not installed")
    sys.exit(77)


def errors(validator, report):
    return [("/" + "/".join(map(str, error.absolute_path)), error.message) for error in validator.iter_errors(report)]


def broken(report):
    """Copies of a report with one mistake each, by where it is."""
    mistakes = {
        "/starts/3/marks_ns/ready": lambda r: r["starts"][3]["marks_ns"].update(ready="late"),
        "/starts/3/marks_ns": lambda r: r["starts"][3]["marks_ns"].update(lunch=12),
        "/engines/1": lambda r: r["engines"][1].pop("host"),
        "/engines/1/kind": lambda r: r["engines"][1].update(kind="jail"),
        "/metrics/0/better": lambda r: r["metrics"][0].update(better="faster"),
        "/schema_version": lambda r: r.update(schema_version=3),
        "/measurements/2": lambda r: r["measurements"][2].update(surprise=1),
    }
    for place, break_it in mistakes.items():
        copied = copy.deepcopy(report)
        break_it(copied)
        yield place, copied


def main(schema_file, *directories):
    schema = json.loads(pathlib.Path(schema_file).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    reports = {file.parent.name: json.loads(file.read_text())
               for directory in directories for file in pathlib.Path(directory).glob("*/report.json")}
    wrong = 0
    for name, report in reports.items():
        found = errors(validator, report)
        print(f"{name}: {len(found)} errors")
        for place, message in found[:5]:
            print(f"  {place}: {message[:200]}")
        wrong += len(found)
    for place, report in broken(reports["rich"]):
        found = errors(validator, report)
        if [where for where, _ in found] != [place]:
            print(f"a mistake at {place} is found at {[where for where, _ in found]}")
            wrong += 1
    return 1 if wrong or len(reports) < 5 else 0


sys.exit(main(*sys.argv[1:]))
