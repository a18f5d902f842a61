"""Official test vectors live beside the repository, never in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("WEID_VECTORS", Path(__file__).resolve().parents[2] / "shared" / "vectors"))
FIXTURES = FOLDER.parent / "fixtures"


def vector(path: str) -> Path:
    """The path of one official vector; the test is skipped where the folder is absent."""
    if not FOLDER.is_dir():
        pytest.skip(f"official vectors are not at {FOLDER.name}/ beside the project (set WEID_VECTORS)")
    return FOLDER / path


def vector_json(path: str) -> Any:
    """One official vector as JSON."""
    return json.loads(vector(path).read_text(encoding="utf-8"))
