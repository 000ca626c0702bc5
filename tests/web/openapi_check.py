"""Holds every request and answer of the tests to the OpenAPI description."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from assist.web_api.openapi import description


@cache
def _operations() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    found = []
    for path, item in description()["paths"].items():
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
        found += [(method, pattern, item[method]) for method in ("get", "post") if method in item]
    return found


def operation(method: str, path: str) -> dict[str, Any] | None:
    """What the description says of a request; None for what is no part of the API."""
    plain = path.partition("?")[0]
    matching = [(p, op) for m, p, op in _operations() if m == method.lower() and p.fullmatch(plain)]
    exact = [op for p, op in matching if p.pattern == plain]
    return (exact or [op for _, op in matching] or [None])[0]


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the description, its reference followed."""
    while "$ref" in part:
        found: Any = description()
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def violations(schema: dict[str, Any], data: Any) -> list[str]:
    whole = {**schema, "components": description()["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(data)]


def check_answer(method: str, path: str, status: int, kind: str, data: Any) -> None:
    """The answer is one that the description allows."""
    described = operation(method, path)
    if described is None or status == 405:
        return
    answers = described["responses"]
    answer = answers.get(str(status)) or answers.get(f"{status // 100}XX")
    assert answer is not None, f"{method} {path}: {status} is not described"
    content = resolved(answer).get("content", {})
    if not content:
        assert not data, f"{method} {path}: {status} is described without a body"
        return
    assert kind in content, f"{method} {path}: {status} is {kind}, described is {list(content)}"
    wrong = violations(content[kind]["schema"], data)
    assert not wrong, f"{method} {path}: {status}: {wrong}"


def check_request(method: str, path: str, data: Any) -> None:
    """What the server took, the description allows."""
    described = operation(method, path)
    if described is None:
        return
    body = resolved(described["requestBody"])["content"]["application/json"]["schema"]
    wrong = violations(body, data)
    assert not wrong, f"{method} {path}: the server took what is not described: {wrong}"
