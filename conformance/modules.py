"""Holds what Bicep files give each other against what they take: parameters, outputs, names."""

import re
from collections.abc import Iterator
from pathlib import Path

import tree_sitter

from conformance.bicep import mapping, object_of, text_of, tree_of
from conformance.check_result import CheckResult

OUTPUT = re.compile(r"\b(\w+)!?\.outputs\.(\w+)")


def check(root: Path) -> CheckResult:
    """Name every parameter that is missing or nobody takes, and every output that is not there."""
    faults, count = [], 0
    for path in sorted((root / "infra").rglob("*.bicep*")):
        tree, unparsed = tree_of(path)
        faults += unparsed
        modules = {text_of(node.named_children[0]): node for node in _of_type(tree, "module_declaration")}
        count += len(modules)
        for name, node in modules.items():
            faults += _of_module(path, name, node)
        for symbol, output in sorted(set(OUTPUT.findall(path.read_text()))):
            if symbol in modules and output not in _outputs(_target(path, modules[symbol])):
                faults.append(f"{path.name}: {symbol} has no output {output}")
        for node in _of_type(tree, "using_statement"):
            used = path.parent / text_of(node.named_children[0]).strip("'")
            faults += _differences(path.name, set(parameters(path)), used)
    return CheckResult.of(f"{count} modules and the parameter file give what is taken, and take what is given", faults)


def parameters(path: Path) -> dict[str, bool]:
    """Return a file's parameters, and whether each must be given."""
    nodes = list(_of_type(tree_of(path)[0], "parameter_declaration"))
    return {text_of(node.named_children[0]): len(node.named_children) == 2 for node in nodes}


def _of_module(path: Path, name: str, node: tree_sitter.Node) -> Iterator[str]:
    target = _target(path, node)
    if not target.is_file():
        yield f"{path.name}: module {name} is {target.name}, which is not there"
        return
    body = object_of(node)
    given = mapping(body).get("params", {}) if body is not None else {}
    yield from _differences(f"{path.name}: module {name}", set(given), target)


def _differences(who: str, given: set[str], target: Path) -> Iterator[str]:
    taken = parameters(target)
    yield from (f"{who} gives {one}, which {target.name} does not take" for one in sorted(given - taken.keys()))
    missing = {one for one, needed in taken.items() if needed} - given
    yield from (f"{who} does not give {one}, which {target.name} needs" for one in sorted(missing))


def _target(path: Path, node: tree_sitter.Node) -> Path:
    return path.parent / text_of(node.named_children[1]).strip("'")


def _outputs(path: Path) -> set[str]:
    return {text_of(node.named_children[0]) for node in _of_type(tree_of(path)[0], "output_declaration")}


def _of_type(tree: tree_sitter.Node, kind: str) -> Iterator[tree_sitter.Node]:
    yield from (node for node in tree.children if node.type == kind)
