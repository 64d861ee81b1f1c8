"""Every way in which a value can leave the bounds of its schema."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.integration.api.objects import places

Path = tuple[str | int, ...]


def mistakes(whole: Mapping[str, Any], schema: Mapping[str, Any], part: str) -> Iterator[tuple[str, str, Any]]:
    """(where the API server should complain, what is wrong, the part with that mistake) for spec or status."""
    for path, value, node in places(whole[part], schema["properties"][part], (part,)):
        for what, wrong in _wrong(value, node):
            yield said(path), f"{what}: {str(wrong)[:40]}", _with(whole[part], path[1:], wrong)
        for name in node.get("required", []):
            without = {k: v for k, v in value.items() if k != name}
            yield said((*path, name)), "required", _with(whole[part], path[1:], without)


def misspelt(whole: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(path of an unknown field, the object with it) for every object within."""
    for part in (name for name in ("spec", "status") if name in whole):
        for path, value, node in places(whole[part], schema["properties"][part], (part,)):
            if isinstance(value, dict) and "properties" in node:
                worse = _with(whole[part], path[1:], {**value, "speling": 1})
                yield said((*path, "speling")), {**whole, part: worse}


def said(path: Path) -> str:
    """As the API server writes a path."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")


def _wrong(value: Any, node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "type", ["x"] if node["type"] != "array" else "x"
    for keyword, worse in _WORSE.items():
        if keyword in node:
            yield keyword, worse(value, node[keyword], node)


def _step(node: Mapping[str, Any]) -> float:
    return 1 if node["type"] == "integer" else 1e16


# keyword -> (value, bound, schema) -> a value that breaks it
_WORSE: dict[str, Callable[[Any, Any, Mapping[str, Any]], Any]] = {
    "enum": lambda value, bound, node: "nonsense" if isinstance(value, str) else False,
    "pattern": lambda value, bound, node: "no such thing!"[: node.get("maxLength", 99)],
    "maxLength": lambda value, bound, node: "x" * (bound + 1),
    "minLength": lambda value, bound, node: "x" * (bound - 1),
    "minimum": lambda value, bound, node: bound - _step(node),
    "maximum": lambda value, bound, node: bound + _step(node),
    "maxItems": lambda value, bound, node: [value[0]] * (bound + 1),
    "minItems": lambda value, bound, node: value[: bound - 1],
    "maxProperties": lambda value, bound, node: {f"k{n}": next(iter(value.values())) for n in range(bound + 1)},
}


def _with(whole: Any, path: Path, wrong: Any) -> Any:
    if not path:
        return wrong
    changed = copy.deepcopy(whole)
    at = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = wrong
    return changed
