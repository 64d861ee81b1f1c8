"""The base of every document that control plane and pods exchange, and its canonical JSON and digest."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Document(BaseModel):
    """camelCase on the wire, snake_case in Python; unknown fields of a newer writer are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, protected_namespaces=())

    def wire(self) -> dict[str, Any]:
        """The document as plain JSON types, without absent fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def canonical(self) -> str:
        return canonical_json(self.wire())


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, no spaces and no NaN: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: Any) -> str:
    """`sha256:<64 hex>` of the canonical JSON of `value`."""
    return digest_bytes(canonical_json(value).encode())


def digest_bytes(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def short(digest: str, length: int = 12) -> str:
    """The first hex digits of a digest, as used in names and version labels."""
    return digest.removeprefix("sha256:")[:length]
