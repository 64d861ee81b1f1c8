"""The operator's configuration file, as the chart writes it: planners' Settings and what only the runtime needs.

An unknown or ill-typed key is an error that names it: a misspelt setting must not be silently ignored.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from modelyard.contract.document import Document
from modelyard.plan.settings import Settings
from modelyard.runtime import login
from modelyard.runtime.client import WRITES_PER_SECOND


class ConfigError(Exception):
    """The configuration cannot be used; the message names the key and the file."""


class Lease(Document):
    namespace: str = Field(default_factory=login.own_namespace)
    name: str = "modelyard"


class Runtime(Document):
    poll_seconds: float = Field(default=15.0, gt=0)  # between two questions to the same pod
    resync_seconds: float = Field(default=600.0, gt=0)
    workers: int = Field(default=16, ge=1, le=256)
    writes_per_second: float = Field(default=WRITES_PER_SECOND, gt=0, le=10000)
    namespaces: tuple[str, ...] = ()  # none: the whole cluster
    lease: Lease = Field(default_factory=Lease)
    health_port: int = Field(default=8080, ge=1, le=65535)
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


@dataclasses.dataclass(frozen=True)
class Config:
    settings: Settings
    runtime: Runtime


def load(file: Path | None) -> Config:
    """The configuration of a YAML or JSON file, or the defaults. Raises ConfigError."""
    if file is None:
        return parse({}, "the defaults")
    try:
        document = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None
    return parse({} if document is None else document, str(file))


def parse(document: Any, source: str) -> Config:
    if not isinstance(document, Mapping):
        raise ConfigError(f"{source}: expected a mapping of settings, found {type(document).__name__}")
    planning, running = _keys(Settings), _keys(Runtime)
    _refuse_unknown(document, {**planning, **running}, source, "")
    try:
        settings = TypeAdapter(Settings).validate_python(_named(document, planning))
        runtime = Runtime.model_validate({key: value for key, value in document.items() if key in running})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(to_camel(str(part)) for part in first["loc"])
        raise ConfigError(f"{source}: {where}: {first['msg']}") from None
    return Config(settings, runtime)


def _keys(kind: Any) -> dict[str, tuple[str, Any]]:
    """camelCase key -> field name and type, of a dataclass or a pydantic model."""
    if dataclasses.is_dataclass(kind):
        return {to_camel(field.name): (field.name, field.type) for field in dataclasses.fields(kind)}
    return {to_camel(name): (name, field.annotation) for name, field in kind.model_fields.items()}


def _refuse_unknown(document: Mapping[str, Any], known: Mapping[str, tuple[str, Any]], source: str, at: str) -> None:
    for key, value in document.items():
        if key not in known:
            choices = ", ".join(sorted(known))
            raise ConfigError(f"{source}: unknown key '{at}{key}': remove it, or use one of {choices}")
        kind = known[key][1]
        nested = dataclasses.is_dataclass(kind) or (isinstance(kind, type) and issubclass(kind, BaseModel))
        if nested and isinstance(value, Mapping):
            _refuse_unknown(value, _keys(kind), source, f"{at}{key}.")


def _named(document: Mapping[str, Any], known: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """The document under the field names of dataclasses; pydantic models know their camelCase themselves."""
    result = {}
    for key, (name, kind) in known.items():
        if key in document:
            value = document[key]
            inner = dataclasses.is_dataclass(kind) and isinstance(value, Mapping)
            result[name] = _named(value, _keys(kind)) if inner else value
    return result
