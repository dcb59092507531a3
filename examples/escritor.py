#!/usr/bin/env python3
"""Publishes messages on an arauto server; prints `published SEQ` for each that it took.

    ARAUTO_PASSWORD=... escritor.py ENDPOINT USER [TEXT...]

Each TEXT is a message; without any, each line of stdin is one, until the line fim.
ENDPOINT speaks cbor: unix:PATH, unix:@NAME, pipe:NAME (on unix) or tcp:HOST:PORT.
On a socket the server must be our own user's, root's, or ARAUTO_SERVER_USER's.
Needs Python 3.11 and cbor2. Exit codes: 0 all is published, 1 anything else.
"""

import asyncio
import itertools
import os
import pwd
import signal
import socket
import stat
import struct
import sys
import threading

import cbor2


class Failure(Exception):
    """Its text is for people."""


def dial(endpoint):
    """Returns a connected socket. Blocks, for there is nothing else to do yet."""
    kind, _, rest = endpoint.partition(":")
    if kind == "tcp":
        host, _, port = rest.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)))
    if kind == "pipe":
        folder = os.environ.get("XDG_RUNTIME_DIR") or ("/run" if os.getuid() == 0 else None)
        folder = f"{folder}/arauto" if folder else f"/tmp/arauto-{os.getuid()}"
        # Anybody can create a folder in /tmp, and wait in it for our password.
        found = os.lstat(folder)
        if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022:
            raise Failure(f"{folder} is not a folder that only we can write to")
        rest = f"{folder}/{rest}.sock"
    elif kind != "unix":
        raise Failure(f"{endpoint} is not an endpoint that this program knows")
    sock = socket.socket(socket.AF_UNIX)
    sock.connect("\0" + rest[1:] if rest.startswith("@") and kind == "unix" else rest)
    check_server(sock, endpoint)
    return sock


def check_server(sock, endpoint):
    """Raises unless the server is our own user's, root's, or ARAUTO_SERVER_USER's.

    While the server is not running anybody who may make its name can wait there for our
    password. The kernel tells whose process listens (SO_PEERCRED, see unix(7)).
    """
    size = struct.calcsize("iII")
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid, uid, _ = struct.unpack("iII", credentials)
    trusted = {os.getuid(), 0}
    if named := os.environ.get("ARAUTO_SERVER_USER"):
        try:
            trusted.add(int(named) if named.isdigit() else pwd.getpwnam(named).pw_uid)
        except KeyError:
            raise Failure(f"ARAUTO_SERVER_USER: there is no user {named}") from None
    if uid not in trusted:
        raise Failure(
            f"no password was sent to {endpoint}: the server there is pid {pid} of uid {uid};"
            f" if it is the right one, set ARAUTO_SERVER_USER={uid}"
        )


class Session:
    """Frames over a socket: four bytes of length, then one CBOR item."""

    def __init__(self, sock):
        sock.setblocking(False)
        self.sock, self.loop, self.unread = sock, asyncio.get_running_loop(), bytearray()
        self.ids, self.waiting = itertools.count(1), {}

    async def send(self, name, **fields):
        item = cbor2.dumps({name: fields})
        await self.loop.sock_sendall(self.sock, len(item).to_bytes(4, "big") + item)

    async def ask(self, name, **fields):
        """Sends a frame with an id, and returns the fields of the answer to that id."""
        id = next(self.ids)
        answer = self.waiting[id] = self.loop.create_future()
        await self.send(name, id=id, **fields)
        return await answer

    async def listen(self):
        """Reads all there is to read, so that neither side waits for the other to read.

        Returns the reason that the server gives for closing.
        """
        while True:
            item = await self.exactly(int.from_bytes(await self.exactly(4), "big"))
            [(name, fields)] = cbor2.loads(item).items()
            answer = self.waiting.pop(fields.get("id"), None)
            match name, fields:
                case "welcome", {"version": version} if version != 1:
                    raise Failure(f"the server speaks version {version}, this program 1")
                case "closing", {"reason": reason}:
                    return reason
                case "error", {"code": code, "message": text}:
                    if answer is None:
                        raise Failure(f"{text} ({code})")
                    answer.set_exception(Failure(f"{text} ({code})"))
                case _ if answer is not None:
                    answer.set_result(fields)
                # All else was not asked for: welcome, broadcasts, stopping.

    async def exactly(self, size):
        while len(self.unread) < size:
            piece = await self.loop.sock_recv(self.sock, 65536)
            if not piece:
                raise Failure("the pipe ended without closing; something failed")
            self.unread += piece
        taken = bytes(self.unread[:size])
        del self.unread[:size]
        return taken


async def publish(session, user, texts):
    await session.ask("login", user=user, password=os.environ["ARAUTO_PASSWORD"])
    async for text in messages(texts):
        answer = await session.ask("publish", body=text)
        print("published", answer["seq"], flush=True)
    await session.send("fim", id=0)


async def messages(texts):
    """The texts, or the lines of stdin: those are read in a thread, for a read of a
    terminal may take for ever, and a daemon, for nobody shall wait for it at the end."""
    queue, loop = asyncio.Queue(), asyncio.get_running_loop()

    def read_stdin():
        try:
            for line in open(0, encoding="utf-8", errors="surrogateescape", closefd=False):
                loop.call_soon_threadsafe(queue.put_nowait, line.removesuffix("\n"))
        finally:
            loop.call_soon_threadsafe(queue.put_nowait, "fim")

    for text in texts:
        yield text
    if not texts:
        threading.Thread(target=read_stdin, daemon=True).start()
        while (line := await queue.get()) != "fim":
            yield line


async def main(endpoint, user, *texts):
    with dial(endpoint) as sock:
        session = Session(sock)
        async with asyncio.TaskGroup() as group:
            publisher = group.create_task(publish(session, user, texts))
            reason = await session.listen()
            if not publisher.done():
                raise Failure(f"closed before everything was published: {reason}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it, without a traceback
    if len(sys.argv) < 3 or "ARAUTO_PASSWORD" not in os.environ:
        sys.exit(__doc__)
    problem = None
    try:
        asyncio.run(main(*sys.argv[1:]))
    except* (Failure, OSError, ValueError) as errors:
        problem = f"escritor.py: {errors.exceptions[0]}"
    sys.exit(problem)
