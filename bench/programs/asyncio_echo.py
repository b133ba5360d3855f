"""Servers and clients over socket pairs: lines go through asyncio streams, with a queue and a timeout on the way.

No port is opened: each pair of sockets lives inside the process.
"""

from __future__ import annotations

import asyncio
import socket

from _program import Checksum, Scale, run


async def serve(connection: socket.socket, journal: asyncio.Queue[int]) -> None:
    reader, writer = await asyncio.open_connection(sock=connection)
    while True:
        line = await reader.readline()
        if not line:
            break
        await journal.put(len(line))
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def ask(connection: socket.socket, client: int, lines: int) -> bytes:
    reader, writer = await asyncio.open_connection(sock=connection)
    answer = b""
    for number in range(lines):
        writer.write(b"client %d asks for line %d %s\n" % (client, number, b"x" * (number % 300)))
        await writer.drain()
        answer = await asyncio.wait_for(reader.readline(), timeout=60)
    writer.close()
    return answer


async def count(journal: asyncio.Queue[int]) -> int:
    total = 0
    while True:
        length = await journal.get()
        if length < 0:
            return total
        total += length


async def converse(clients: int, lines: int, checksum: Checksum) -> None:
    journal: asyncio.Queue[int] = asyncio.Queue()
    counter = asyncio.ensure_future(count(journal))
    pairs = [socket.socketpair() for _ in range(clients)]
    servers = [asyncio.ensure_future(serve(left, journal)) for left, _ in pairs]
    answers = await asyncio.gather(*[ask(right, client, lines) for client, (_, right) in enumerate(pairs)])
    await asyncio.gather(*servers)
    await journal.put(-1)
    checksum.add(answers, await counter)


def main(scale: Scale, checksum: Checksum) -> None:
    asyncio.run(converse(40, scale(320), checksum))


run(main)
