"""The house rules that a machine can check: one way down, no I/O in the core, small files and functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("weid", "credentials", "registry", "issuer_app", "verifier_app", "wallet_cli")
MAY_IMPORT = {
    "weid": set(),
    "credentials": {"weid"},
    "registry": {"weid"},
    "issuer_app": {"weid", "credentials", "registry"},
    "verifier_app": {"weid", "credentials", "registry"},
    "wallet_cli": {"weid", "credentials", "registry", "issuer_app", "verifier_app"},
}
IO_ALLOWED = ("registry/engines/", "registry/node/", "registry/signer.py", "registry/log.py",
              "registry/witness/store.py", "registry/witness/service.py", "registry/witness/client.py", "registry/mirror/")  # fmt: skip
IO_MODULES = {"socket", "sqlite3", "urllib.request", "http", "requests", "flask", "click", "subprocess", "tempfile"}
MAX_FILE, MAX_FUNCTION = 400, 60


def modules(room: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / room).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way_down(room: str) -> None:
    """weid ← credentials | registry ← apps ← command; siblings never meet; nothing imports tests."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, tree in modules(room)
        for name in imported(tree)
        if (top := name.split(".")[0]) in {*ROOMS, "tests"} and top != room and top not in MAY_IMPORT[room]
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ["weid", "credentials", "registry"])
def test_the_core_does_no_io(room: str) -> None:
    """No file, socket, clock or randomness of its own: bytes in, values out."""
    wrong = []
    for path, tree in modules(room):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(IO_ALLOWED):
            continue
        wrong += [f"{name} imports {item}" for item in imported(tree) if item in IO_MODULES]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in {"open", "datetime.now", "datetime.utcnow", "time.time"}:
                    wrong.append(f"{name}:{node.lineno} calls {called}")
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_files_and_functions_are_small(room: str) -> None:
    """A file is one subject (at most 400 lines), a function one thought (at most 60)."""
    wrong = []
    for path, tree in modules(room):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_FILE:
            wrong.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                size = (node.end_lineno or 0) - node.lineno + 1
                if size > MAX_FUNCTION:
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {size} lines")
    assert wrong == []


def test_only_one_place_catches_everything() -> None:
    """`except Exception` stands once: the fail-closed line of the verification pipeline."""
    broad = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for room in ROOMS
        for path, tree in modules(room)
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    ]
    assert len(broad) <= 1, broad
    assert all(place.startswith("credentials/") for place in broad)


def test_no_scenario_knowledge_stands_in_python() -> None:
    """Packs are data: no word of a scenario in code."""
    words = (
        "health code", "health-code", "healthcode", "vaccin", "macau", "guangdong", "gongbei", "skill-certificate",
        "training-certificate", "nameMasked", "holderName", "awardDate",
    )  # fmt: skip
    wrong = [
        f"{path.relative_to(ROOT)}: {word}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for word in words
        if word.lower() in path.read_text(encoding="utf-8").lower()
    ]
    assert wrong == []
