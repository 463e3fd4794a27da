"""Our own vectors: each a case that a codec in the field gets wrong (tests/vectors/pdu.toml)."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from smsd.cli.pdu import describe
from smsd.gsm import PDU

PATH = Path(__file__).parents[1] / "vectors" / "pdu.toml"
VECTORS = tomllib.loads(PATH.read_text(encoding="utf-8"))["vector"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_vector(vector: dict[str, Any]) -> None:
    expected = {key: None if value == "null" else value for key, value in vector["expect"].items()}
    found = describe(PDU.from_hex(vector["pdu"]))
    assert {key: found[key] for key in expected} == expected
    assert vector["source"]
