"""Reads a .http file as the REST clients of editors do: variables, named requests, and what they answered."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import requests


@dataclass(frozen=True)
class Example:
    """One request of a file, with its variables as they are written."""

    name: str | None
    method: str
    url: str
    headers: dict[str, str]
    body: str


def read(path: Path) -> tuple[dict[str, str], list[Example]]:
    """Return the file's variables and requests, in order."""
    text = path.read_text()
    variables = dict(re.findall(r"^@(\w+)\s*=\s*(\S+)", text, re.MULTILINE))
    return variables, [one for block in re.split(r"^###.*$", text, flags=re.MULTILINE) for one in _example(block)]


def _example(block: str) -> Iterator[Example]:
    name = re.search(r"^# @name (\w+)$", block, re.MULTILINE)
    lines = [line for line in block.strip().splitlines() if not re.match(r"[#@]", line)]
    if not lines:
        return
    while not lines[0].strip():
        lines.pop(0)
    method, url = lines[0].split()
    blank = lines.index("") if "" in lines else len(lines)
    headers = dict(line.split(": ", 1) for line in lines[1:blank])
    yield Example(name[1] if name else None, method, url, headers, "\n".join(lines[blank + 1 :]))


def run(path: Path, host: str, key: str = "") -> Iterator[tuple[Example, requests.Response]]:
    """Send the file's requests to a host, one after the other, and yield each with its answer.

    ``key``: a function key to send along; none by default.
    """
    variables, examples = read(path)
    answers: dict[str, requests.Response] = {}
    for one in examples:

        def filled(text: str) -> str:
            return re.sub(r"\{\{(.+?)\}\}", lambda found: _value(found[1], variables | {"host": host}, answers), text)

        headers = {name: filled(value) for name, value in one.headers.items()}
        if key:
            headers["x-functions-key"] = key
        body = filled(one.body).encode() or None
        answer = requests.request(one.method, filled(one.url), headers=headers, data=body, timeout=60)
        if one.name:
            answers[one.name] = answer
        yield one, answer


def _value(text: str, variables: dict[str, str], answers: dict[str, requests.Response]) -> str:
    name, _, rest = text.partition(".response.")
    if not rest:
        return variables[name]
    if rest.startswith("headers."):
        return answers[name].headers[rest.removeprefix("headers.")]
    steps = re.findall(r"(\w+)|\[(\d+)\]", rest.removeprefix("body."))

    def step(value: Any, found: tuple[str, str]) -> Any:
        return value[found[0]] if found[0] else value[int(found[1])]

    found = reduce(step, steps, answers[name].json())
    return found if isinstance(found, str) else json.dumps(found)
