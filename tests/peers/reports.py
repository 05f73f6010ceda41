#!/usr/bin/env python3
"""The forms of tests/golden/regress against what reads them: JUnit XML by the schema that pytest tests
its own with, SARIF by classes that were made from the schema of the standard, JSON and CSV by Python's
readers.
"""
import csv
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import xmlschema
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "regress"
PARTS = 13  # verdicts, all of them together, hostile texts


def parts(form):
    text = (GOLDEN / f"{form}.txt").read_bytes().decode()
    found = [p.split("\n", 1) for p in ("\n" + text).split("\n==== ")[1:]]
    assert len(found) == PARTS, (form, len(found))
    return found


def junit_schema(folder):
    """pytest's source distribution has it; nothing is built."""
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary",
                    ":all:", "-d", folder, "pytest"], check=True)
    archive = next(Path(folder).glob("pytest-*.tar.gz"))
    with tarfile.open(archive) as tar:
        member = next(m for m in tar.getmembers() if m.name.endswith("/junit-10.xsd"))
        return xmlschema.XMLSchema(io.BytesIO(tar.extractfile(member).read()))


def check_junit():
    with tempfile.TemporaryDirectory() as folder:
        schema = junit_schema(folder)
    for name, text in parts("junit"):
        schema.validate(io.BytesIO(text.encode()))


def check_sarif():
    for name, text in parts("sarif"):
        log = Sarif.model_validate_json(text)
        assert log.version.value == "2.1.0"
        for result in json.loads(text)["runs"][0]["results"]:
            assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            rules = json.loads(text)["runs"][0]["tool"]["driver"]["rules"]
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def check_json():
    for name, text in parts("json"):
        result = json.loads(text)
        assert result["format"] == "hone-regress" and result["version"] == 1
        assert result["exit"] in (0, 1, 4, 6, 7)
        for kernel in result["kernel"]:
            assert len(kernel["round"]) <= 2


def check_csv():
    for name, text in parts("csv"):
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert len({len(r) for r in rows}) == 1, name
        assert not any(cell.startswith(("=", "+", "@")) for r in rows for cell in r), name


def main():
    for check in (check_junit, check_sarif, check_json, check_csv):
        check()
        print(check.__name__[6:], "is read by others")


if __name__ == "__main__":
    main()
