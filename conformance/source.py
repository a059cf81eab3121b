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


def triggers_by_function(folder: Path, pattern: str = "**/*.py") -> Iterator[tuple[str, str]]:
    """Yield the name under which each function is registered by hand, and the kind of each of its triggers."""
    for _, node in nodes(folder, pattern):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = [one for one in node.decorator_list if isinstance(one, ast.Call)]
            named = [(one.func.attr, one) for one in calls if isinstance(one.func, ast.Attribute)]
            names = [
                str(call.args[0].value)
                for method, call in named
                if method == "function_name"
                if isinstance(call.args[0], ast.Constant)
            ]
            yield from ((name, method) for name in names for method, _ in named if method.endswith("_trigger"))
