"""The embedded object store, reached from this machine: for putting data in and taking reports out."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.store import S3Store

from tests.product.forward import forward
from tests.product.product import RELEASE, SYSTEM, Product

SECRET = "modelyard-store"
PORT = 8333


@contextmanager
def bucket(product: Product, name: str) -> Iterator[S3Store]:
    """A bucket of the embedded store while the context lasts."""
    data = product.get("secret", SECRET, "--namespace", SYSTEM)["data"]
    key, secret = (base64.b64decode(data[k]).decode() for k in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    with forward(product, SYSTEM, f"service/{RELEASE}-store", PORT) as url:
        yield S3Store(
            name,
            endpoint=url,
            region="us-east-1",
            access_key_id=key,
            secret_access_key=secret,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )
