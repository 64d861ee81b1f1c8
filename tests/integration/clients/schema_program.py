"""Hooks of schemathesis: a media type that it does not know."""

import schemathesis


@schemathesis.serializer("application/jsonlines")  # type: ignore[untyped-decorator]
def jsonlines(context: object, value: object) -> bytes:
    return str(value).encode()
