"""Let a worker reach the stack's own servers under the address that people use.

Image names contain the registry's address and certificates the trust server's, so both have to be the same on the host
and in a container. On the host Docker publishes the ports; in a worker's container, where the host's name means
127.0.0.1 (`extra_hosts`), this program stands at the same ports and passes each connection on to the part behind it.
TLS goes through untouched.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Mapping, Sequence

CONNECT_SECONDS = 10
AT_ONCE = 64 * 1024


def run(routes: Mapping[int, tuple[str, int]], command: Sequence[str]) -> int:
    """Open the ports, run the command while they are open, and return its code."""
    return asyncio.run(_run(routes, command))


async def _run(routes: Mapping[int, tuple[str, int]], command: Sequence[str]) -> int:
    async with contextlib.AsyncExitStack() as opened:
        for port, behind in routes.items():
            await opened.enter_async_context(await serve(port, behind))
        process = await asyncio.create_subprocess_exec(*command)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, process.send_signal, number)
        return await process.wait()


async def serve(port: int, behind: tuple[str, int]) -> asyncio.Server:
    """Pass on what comes to this port of 127.0.0.1; the part behind is looked up anew for each connection."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError):  # the caller sees its connection end, and says so
            async with asyncio.timeout(CONNECT_SECONDS):
                there_reader, there_writer = await asyncio.open_connection(*behind)
            await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
        writer.close()

    return await asyncio.start_server(pass_on, "127.0.0.1", port)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Copy until the source ends, and tell the target so; its answer may still be on the way."""
    try:
        while data := await source.read(AT_ONCE):
            target.write(data)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()
    except OSError:
        target.close()
        raise
