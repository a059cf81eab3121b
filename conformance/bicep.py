"""Holds every Bicep file against Microsoft's compiler, and each resource against the platform's real types.

The compiler (``conformance/compiler.py``) is not everywhere, and takes any value where its types are open. So this
reads what can be read without evaluating, too: that a file parses, that each property of a resource exists at its place
and may be written, that the required ones are there, and that a literal is one of the values that are allowed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bicep

from conformance import compiler
from conformance.check_result import CheckResult

HERE = Path(__file__).resolve().parent
EVERYWHERE = {"parent", "scope", "dependsOn"}  # Bicep's own, of every resource

SCALARS = {"bool": bool, "int": int, "string": str}


@dataclass(frozen=True)
class Expression:
    """What only the platform can evaluate."""

    text: str


Value = Any  # dict, list, str, bool, int or Expression


@dataclass(frozen=True)
class Resource:
    """A resource as it is declared."""

    file: str
    line: int
    symbol: str
    type: str  # Microsoft.X/a/b
    api_version: str
    existing: bool
    body: Mapping[str, Value]


def parser() -> tree_sitter.Parser:
    """Return a parser of Bicep."""
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))


def tree_of(path: Path) -> tuple[tree_sitter.Node, list[str]]:
    """Return a file's syntax tree, and where it cannot be parsed."""
    root = parser().parse(path.read_bytes()).root_node
    of_parameters = path.suffix == ".bicepparam"  # the grammar misses a type there, which Bicep does not want
    broken = (one for one in _faults(root) if not (of_parameters and one.is_missing))
    return root, [f"{path.name}:{one.start_point[0] + 1}: cannot be parsed: {text_of(one)[:60]!r}" for one in broken]


def _faults(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    if node.type == "ERROR" or node.is_missing:
        yield node
        return
    for child in node.children:
        yield from _faults(child)


def text_of(node: tree_sitter.Node) -> str:
    """Return what stands there."""
    return (node.text or b"").decode()


def resources(path: Path) -> Iterator[Resource]:
    """Yield the resources of a file, those inside others, too."""
    yield from _below(tree_of(path)[0], path.name, None)


def _below(node: tree_sitter.Node, file: str, outer: Resource | None) -> Iterator[Resource]:
    for child in node.children:
        if child.type != "resource_declaration":
            yield from _below(child, file, outer)
            continue
        found = _resource(child, file, outer)
        yield found
        yield from _below(child, file, found)


def _resource(node: tree_sitter.Node, file: str, outer: Resource | None) -> Resource:
    symbol, name, *_ = node.named_children
    kind, _, version = text_of(name).strip("'").partition("@")
    if outer is not None and "/" not in kind:
        kind, version = f"{outer.type}/{kind}", version or outer.api_version
    body = object_of(node)
    return Resource(
        file,
        node.start_point[0] + 1,
        text_of(symbol),
        kind,
        version,
        any(text_of(one) == "existing" for one in node.children),
        mapping(body) if body is not None else {},
    )


def object_of(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """Return the object that a declaration, a condition or a loop is about."""
    for child in node.named_children:
        if child.type == "object":
            return child
        if child.type in ("if_statement", "for_statement"):
            return object_of(child)
    return None


def mapping(node: tree_sitter.Node) -> dict[str, Value]:
    """Return an object's properties, literals as they are, everything else as an Expression."""
    found = {}
    for one in node.named_children:
        if one.type == "object_property" and one.named_children[0].type != "resource_declaration":
            key, value = one.named_children[0], one.named_children[-1]
            found[text_of(key).strip("'")] = value_of(value)
    return found


def value_of(node: tree_sitter.Node) -> Value:
    """Return a literal, a list or an object as it is, everything else as an Expression."""
    if node.type == "object":
        return mapping(node)
    if node.type == "array":
        return [value_of(one) for one in node.named_children if one.type != "comment"]
    if node.type == "for_statement":
        inner = object_of(node)
        return [mapping(inner)] if inner is not None else Expression(text_of(node))
    if node.type == "string" and not any(one.type == "interpolation" for one in node.named_children):
        return text_of(node).strip("'")
    if node.type == "boolean":
        return text_of(node) == "true"
    if node.type == "number":
        return int(text_of(node))
    return Expression(text_of(node))


def known_types() -> Mapping[str, Any]:
    """Return the extract of the platform's types, and what was written by hand."""
    tool = json.loads((HERE / "types.json").read_text())["types"]
    by_hand = json.loads((HERE / "types-by-hand.json").read_text())["types"]
    return {**tool, **by_hand}


def faults_of(resource: Resource, types: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the platform would not take of a resource."""
    where = f"{resource.file}:{resource.line}: {resource.type}"
    known = types.get(resource.type)
    if known is None:
        yield f"{where}: the extract does not know this type; make it anew (conformance/extract.py)"
        return
    if resource.api_version != known["apiVersion"]:
        yield f"{where}: API version {resource.api_version}, but what is known is {known['apiVersion']}"
    if resource.existing:
        return
    body = {name: value for name, value in resource.body.items() if name not in EVERYWHERE}
    variants = [list(_object_faults(body, one, known["objects"], "")) for one in _variants(body, known["bodies"])]
    yield from (f"{where}: {fault}" for fault in min(variants, key=len))


def _variants(body: Mapping[str, Value], bodies: list[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return the descriptions that a body may follow: those for its name, where the name decides."""
    named = [one for one in bodies if one.get("!name") == body.get("name")]
    return named or bodies


def _object_faults(
    body: Mapping[str, Value], properties: Mapping[str, str], objects: Mapping[str, Any], path: str
) -> Iterator[str]:
    writable = {name.lstrip("!"): text for name, text in properties.items() if not name.startswith("-")}
    anything = writable.pop("*", None)
    for name, value in body.items():
        if name in writable:
            yield from _value_faults(value, writable[name], objects, f"{path}{name}")
        elif anything is None:
            read_only = f"-{name}" in properties
            yield f"{path}{name} {'is read only' if read_only else 'does not exist'}"
    for name in properties:
        if name.startswith("!") and name[1:] not in body:
            yield f"{path}{name[1:]} is required"


def _value_faults(value: Value, text: str, objects: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, Expression):
        return
    if isinstance(value, list):
        if not text.endswith("[]"):
            yield f"{path} is a list, not {text}"
            return
        for index, one in enumerate(value):
            yield from _value_faults(one, text.removesuffix("[]"), objects, f"{path}[{index}]")
    elif isinstance(value, dict):
        described = objects.get(text)
        if text.endswith("[]") or text in SCALARS or " | " in text:
            yield f"{path} is an object, not {text}"
        elif described:  # one without properties is a map of anything
            yield from _object_faults(value, described, objects, f"{path}.")
    elif text.endswith("[]") or objects.get(text):
        yield f"{path} is {value!r}, not {text}"
    elif isinstance(value, str) and " | " in text:
        allowed = [one for one in text.split(" | ") if one != "string"]  # values to come may be any; ours are known
        if value not in allowed:
            yield f"{path} is {value!r}, not one of {', '.join(allowed)}"
    elif text in SCALARS and type(value) is not SCALARS[text]:
        yield f"{path} is {value!r}, not {text}"


def type_faults(root: Path) -> tuple[int, list[str]]:
    """Return how many resources there are, and what the platform's types would not take of them."""
    types, faults, count = known_types(), [], 0
    for path in sorted((root / "infra").rglob("*.bicep")):
        tree, unparsed = tree_of(path)
        faults += unparsed
        for resource in _below(tree, path.name, None):
            count += 1
            faults += faults_of(resource, types)
    return count, faults


def check(root: Path) -> CheckResult:
    """Hold every Bicep file of a project against the types, its pictures, and the compiler where there is one."""
    count, faults = type_faults(root)
    faults += compiler.picture_faults(root)
    program, words = compiler.find_compiler()
    variants = ", ".join(compiler.VARIANTS)
    if program is None:
        said = f"compiler skipped: {words}"
    else:
        said = f"Bicep {words} has nothing to say, and would deploy what is stored for {variants}"
        faults += compiler.faults_of(program, root)
    return CheckResult.of(f"{count} resources are what the platform's types say; {said}", faults)
