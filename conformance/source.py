"""Reads the app's code without importing it."""

import ast
from collections.abc import Iterator
from pathlib import Path


def nodes(folder: Path, pattern: str = "**/*.py") -> Iterator[tuple[Path, ast.AST]]:
    """Yield every node of the syntax trees of a folder's files, each with its file."""
    for path in sorted(folder.glob(pattern)):
        yield from ((path, node) for node in ast.walk(ast.parse(path.read_text())))


def method_calls(folder: Path, pattern: str = "**/*.py") -> Iterator[tuple[Path, ast.Call, str]]:
    """Yield every call of something's method, with its file and the method's name."""
    for path, node in nodes(folder, pattern):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield path, node, node.func.attr


def function_names(folder: Path, pattern: str = "**/*.py") -> set[str]:
    """Return the names under which functions are registered by hand."""
    return {
        str(one.value)
        for _, call, method in method_calls(folder, pattern)
        if method == "function_name"
        for one in call.args
        if isinstance(one, ast.Constant)
    }
