"""The floor: uvicorn with a raw ASGI callable that answers every request with the same bytes.

`python -m tests.bench.serving.echo <port> <file with the answer>`.
"""

import sys
from pathlib import Path
from typing import Any

import uvicorn


def main() -> None:
    body = Path(sys.argv[2]).read_bytes()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def echo(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(
        echo,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
