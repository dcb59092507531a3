#!/usr/bin/env python3
"""Publishes messages on an arauto server; prints `published SEQ` for each published message.

    ARAUTO_PASSWORD=... escritor.py ENDPOINT USER [TEXT...]

A message that the server refuses for a reason that may pass is sent again. If the connection is
lost, the program ends: whether its last message was published is unknown.

Each TEXT is a message; without TEXT, each line of stdin is a message, until the line fim.
ENDPOINT uses the cbor dialect: unix:PATH, unix:@NAME, pipe:NAME (on Unix) or tcp:HOST:PORT.
A local server must run as this user, as root, or as ARAUTO_SERVER_USER.
Needs Python 3.11 and cbor2. Exit codes: 0 if everything is published, 1 otherwise.
"""

import asyncio
import errno
import itertools
import os
import pwd
import random
import signal
import socket
import stat
import struct
import sys
import threading

import cbor2


# How many seconds a login or a message is retried while the server refuses it.
RETRY_LIMIT = 60

# The codes of failures that may pass: see "Trying again" in docs/protocol.md. Others are final.
RETRY = {"throttled", "internal"}
LOG_IN_AGAIN = {"not-logged-in", "login-timeout", "idle-timeout", "too-many-sessions",
                "slow-consumer", "stopping"}
TRANSIENT = {getattr(errno, name) for name in (
    "ECONNREFUSED ENOENT EAGAIN EINTR ECONNRESET ECONNABORTED EPIPE ENOTCONN ETIMEDOUT "
    "EHOSTUNREACH ENETUNREACH ENETDOWN EMFILE ENFILE ENOBUFS ENOMEM EADDRNOTAVAIL "
    "EADDRINUSE").split()}

# A server that sends nothing for this many seconds is lost. It is pinged three times in that time.
SERVER_TIMEOUT = 30


class Failure(Exception):
    """A failure with a text for people, the server's code, and retry_after in seconds."""

    def __init__(self, text, code=None, retry_after=0):
        super().__init__(text)
        self.code, self.retry_after = code, retry_after / 1000


class Lost(Failure):
    """The connection ended without closing."""


def may_pass(problem):
    """Returns whether trying again may help."""
    match problem:
        case Lost() | TimeoutError():
            return True
        case Failure(code=code):
            return code in RETRY | LOG_IN_AGAIN
        case socket.gaierror(errno=number):
            return number == socket.EAI_AGAIN
        case OSError(errno=number):
            return number in TRANSIENT
    return False


def waits():
    """Yields the seconds before each further attempt. They double up to a bound, with jitter, so
    that clients of the same server do not all reconnect at the same moment."""
    longest = 0.1
    while True:
        yield random.uniform(longest / 2, longest)
        longest = min(longest * 2, 10)


def keep_alive(sock):
    """Enables TCP keepalive, to notice a host that lost power, with the options of Linux."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def dial(endpoint):
    """Returns a connected socket. Blocks, because nothing else runs yet."""
    kind, _, rest = endpoint.partition(":")
    if kind == "tcp":
        host, _, port = rest.rpartition(":")
        sock = socket.create_connection((host.strip("[]"), int(port)), SERVER_TIMEOUT)
        keep_alive(sock)
        return sock
    if kind == "pipe":
        folder = os.environ.get("XDG_RUNTIME_DIR") or ("/run" if os.getuid() == 0 else None)
        folder = f"{folder}/arauto" if folder else f"/tmp/arauto-{os.getuid()}"
        # In /tmp another user could have created this folder to get the password.
        info = os.lstat(folder)
        if info.st_uid != os.getuid() or not stat.S_ISDIR(info.st_mode) or info.st_mode & 0o022:
            raise Failure(f"{folder} is not a folder that only this user can write to")
        rest = f"{folder}/{rest}.sock"
    elif kind != "unix":
        raise Failure(f"{endpoint} is not an endpoint that this program supports")
    sock = socket.socket(socket.AF_UNIX)
    sock.connect("\0" + rest[1:] if rest.startswith("@") and kind == "unix" else rest)
    check_server(sock, endpoint)
    return sock


def check_server(sock, endpoint):
    """Raises unless the server runs as this user, as root, or as ARAUTO_SERVER_USER.

    While the server is not running, another user may be able to listen at its name to get the
    password. The kernel tells which user's process listens (SO_PEERCRED, unix(7)).
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
        self.writing = asyncio.Lock()  # one frame is written at a time
        self.is_logged_in = False
        self.every = SERVER_TIMEOUT / 3  # seconds between two pings
        self.is_welcome = asyncio.Event()  # set when `welcome`, with the idle timeout, has come

    async def send(self, name, **fields):
        item = cbor2.dumps({name: fields})
        async with self.writing:
            await self.loop.sock_sendall(self.sock, len(item).to_bytes(4, "big") + item)

    async def ask(self, name, **fields):
        """Sends a frame with an id, and returns the fields of the answer to that id."""
        id = next(self.ids)
        answer = self.waiting[id] = self.loop.create_future()
        await self.send(name, id=id, **fields)
        return await answer

    async def ask_with_retries(self, name, **fields):
        """As ask; retries with waits while the server refuses for a reason that may pass."""
        pauses, end = waits(), self.loop.time() + RETRY_LIMIT
        while True:
            try:
                return await self.ask(name, **fields)
            except Failure as refusal:
                pause = max(next(pauses), refusal.retry_after)
                if refusal.code not in RETRY or self.loop.time() + pause > end:
                    raise
            await asyncio.sleep(pause)

    async def ping(self):
        """Sends pings for ever, for the server's idle timeout and to notice that it is lost."""
        await self.is_welcome.wait()
        while True:
            await asyncio.sleep(self.every)
            try:
                await self.send("ping", id=0)
            except OSError:
                return  # the reader gets the error

    async def listen(self):
        """Reads all frames, so that the server never waits for this program to read.

        Returns the server's reason for closing the session.
        """
        while True:
            item = await self.exactly(int.from_bytes(await self.exactly(4), "big"))
            [(name, fields)] = cbor2.loads(item).items()
            answer = self.waiting.pop(fields.get("id"), None)
            match name, fields:
                case "welcome", {"version": version} if version != 1:
                    raise Failure(f"the server speaks version {version}, this program 1")
                case "welcome", _:
                    # The protocol asks for a third of it; a quarter allows for delays.
                    self.every = min(self.every, fields.get("idle_timeout", 1e9) / 4000)
                    self.is_welcome.set()
                case "closing", {"reason": reason}:
                    return reason
                case "error", {"code": code, "message": text}:
                    failure = Failure(f"{text} ({code})", code, fields.get("retry_after", 0))
                    if answer is None:
                        raise failure
                    answer.set_exception(failure)
                case _ if answer is not None:
                    answer.set_result(fields)
                case _:
                    self.unasked(name, fields)

    def unasked(self, name, fields):
        """Takes a frame that is no answer: a broadcast, stopping, a pong."""

    async def piece(self):
        """Receives the available bytes. Raises Lost if the server is silent for too long."""
        while True:
            began = self.loop.time()
            try:
                receiving = self.loop.sock_recv(self.sock, 65536)
                return await asyncio.wait_for(receiving, SERVER_TIMEOUT)
            except TimeoutError:
                try:
                    return self.sock.recv(65536)  # this process may have been suspended
                except BlockingIOError:
                    if self.loop.time() - began < SERVER_TIMEOUT * 1.2:
                        raise Lost("the server answers no ping") from None
            except ConnectionError as error:
                raise Lost(str(error)) from None

    async def exactly(self, size):
        while len(self.unread) < size:
            piece = await self.piece()
            if not piece:
                raise Lost("the connection ended without a closing frame")
            self.unread += piece
        taken = bytes(self.unread[:size])
        del self.unread[:size]
        return taken


async def publish(session, user, texts):
    password = os.environ["ARAUTO_PASSWORD"]
    await session.ask_with_retries("login", user=user, password=password)
    session.is_logged_in = True
    async for text in messages(texts):
        answer = await session.ask_with_retries("publish", body=text)
        print("published", answer["seq"], flush=True)
    await session.send("fim", id=0)


async def messages(texts):
    """Yields the texts, or the lines of stdin. A thread reads stdin, because a read of a terminal
    may block for ever; it is a daemon, so that the exit does not wait for it."""
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
    pauses, end = waits(), asyncio.get_running_loop().time() + RETRY_LIMIT
    while True:
        with dial(endpoint) as sock:
            session, refusal = Session(sock), None
            try:
                return await run(session, user, texts)
            except* Failure as errors:
                refusal = errors.exceptions[0]
                is_late = session.loop.time() > end
                if session.is_logged_in or is_late or refusal.code not in LOG_IN_AGAIN:
                    raise
        await asyncio.sleep(max(next(pauses), refusal.retry_after))


async def run(session, user, texts):
    """Publishes all messages in one session."""
    async with asyncio.TaskGroup() as group:
        publisher = group.create_task(publish(session, user, texts))
        pinging = group.create_task(session.ping())
        reason = await session.listen()
        pinging.cancel()
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
