"""Every public name of the trust core says what it is, and which errors it raises itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from signing import trust

FOLDER = Path(next(iter(trust.__path__)))
MODULES = sorted(path for path in FOLDER.rglob("*.py") if path.read_text())
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def public(body: list[ast.stmt], of: str = "") -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef]]:
    """Give every public class and function, with the public methods of the classes."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield f"{of}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


def raised_by(node: ast.AST) -> set[str]:
    """Give the names of the errors a function makes and raises itself."""
    calls = [inner.exc for inner in ast.walk(node) if isinstance(inner, ast.Raise)]
    names = {call.func.id for call in calls if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)}
    return {name for name in names if name[0].isupper()} - {"AssertionError"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_public_names_are_described(path: Path) -> None:
    module = ast.parse(path.read_text())
    assert ast.get_docstring(module)
    assert [name for name, node in public(module.body) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_functions_say_what_they_raise(path: Path) -> None:
    functions = [(name, node) for name, node in public(ast.parse(path.read_text()).body) if isinstance(node, FUNCTIONS)]
    silent = {
        name: sorted(raised_by(node))
        for name, node in functions
        if raised_by(node) and "raise" not in (ast.get_docstring(node) or "").lower()
    }
    assert silent == {}
