"""How pip on this machine reaches its index, as a pip.conf for builds."""

import os
from pathlib import Path

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def pip_configuration() -> str:
    """The environment's index, proxy and time limit; certificates from the host's bundle."""
    lines = ["[global]", "disable-pip-version-check = true", "retries = 5"]
    if CERTIFICATES.is_file():
        lines.append(f"cert = {CERTIFICATES}")
    for option in ("index-url", "extra-index-url", "proxy", "timeout"):
        value = os.environ.get(f"PIP_{option.upper().replace('-', '_')}")
        if value:
            lines.append(f"{option} = {value}")
    return "\n".join([*lines, ""])
