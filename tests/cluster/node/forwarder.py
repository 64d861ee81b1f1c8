"""Carries connections from an inherited listening socket (of the host) to an address in our network namespace.

A socket keeps the namespace it was made in: started inside the node's, this process listens outside and
connects inside. It is run as a plain file: only the standard library may be imported.
"""

import asyncio
import socket
import sys


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: tuple[str, int]) -> None:
    writers = [writer]
    try:
        far_reader, far_writer = await asyncio.open_connection(*target)
        writers.append(far_writer)
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
    except OSError:
        pass  # the other side went away: closing both is all there is to do
    finally:
        for each in writers:
            each.close()


async def serve(descriptor: int, target: tuple[str, int]) -> None:
    listening = socket.socket(fileno=descriptor)
    server = await asyncio.start_server(lambda reader, writer: carry(reader, writer, target), sock=listening)
    async with server:
        await server.serve_forever()


def main() -> None:
    descriptor, host, port = sys.argv[1:4]
    asyncio.run(serve(int(descriptor), (host, int(port))))


if __name__ == "__main__":
    main()
