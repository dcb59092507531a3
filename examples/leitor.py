#!/usr/bin/env python3
"""Prints every broadcast of an arauto server, one per line, until the server closes the session.

If the connection is lost, or the server refuses for a reason that may pass, it connects again, and
misses no broadcast that the server still has.

    ARAUTO_PASSWORD=... leitor.py ENDPOINT USER [RESUME_FILE]

RESUME_FILE stores how far was read; the next start continues from there.
ENDPOINT uses the cbor dialect: unix:PATH, unix:@NAME, pipe:NAME (on Unix) or tcp:HOST:PORT.
A local server must run as this user, as root, or as ARAUTO_SERVER_USER.
Needs Python 3.11 and cbor2. Exit codes: 0 if the server closed the session cleanly, 1 otherwise.
"""

import asyncio
import errno
import json
import os
import pwd
import random
import signal
import socket
import stat
import struct
import sys

import cbor2


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


class Connection:
    """Frames over a socket: four bytes of length, then one CBOR item.

    Not an asyncio stream, because that discards unread input when a write fails. The last frames
    of a server that has gone must still be read.
    """

    def __init__(self, sock):
        sock.setblocking(False)
        self.sock, self.loop, self.unread = sock, asyncio.get_running_loop(), bytearray()
        self.writing = asyncio.Lock()  # one frame is written at a time
        self.every = SERVER_TIMEOUT / 3  # seconds between two pings
        self.is_welcome = asyncio.Event()  # set when `welcome`, with the idle timeout, has come

    async def send(self, name, **fields):
        item = cbor2.dumps({name: fields})
        async with self.writing:
            await self.loop.sock_sendall(self.sock, len(item).to_bytes(4, "big") + item)

    async def receive(self):
        """Returns the next frame: its name, and the map of its fields."""
        item = await self.exactly(int.from_bytes(await self.exactly(4), "big"))
        [(name, fields)] = cbor2.loads(item).items()
        return name, fields

    async def ping(self):
        """Sends pings for ever, for the server's idle timeout and to notice that it is lost."""
        await self.is_welcome.wait()
        while True:
            await asyncio.sleep(self.every)
            try:
                await self.send("ping", id=0)
            except OSError:
                return  # the reader gets the error

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


class ResumePoint:
    """How far was read: the stream, its term, and the last seq."""

    def __init__(self, path):
        self.path, self.known, self.has_begun = path, None, False
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.known = json.load(file)

    def resume(self):
        """Returns the keys that a login needs to go on from here."""
        if self.known is None:
            return {}
        point = {"stream": self.known["stream"], "after": self.known["seq"]}
        if "term" in self.known:
            point["term"] = self.known["term"]
        return {"resume": point}

    def begin(self, stream, seq, term):
        """Continues from the point that the login's answer names."""
        self.has_begun = True
        before, self.known = self.known, {"stream": stream, "seq": seq}
        if term is not None:
            self.known["term"] = term
        if before and before["stream"] == stream and seq < before["seq"]:
            lost = f"{seq + 1} to {before['seq']}"
            print(f"leitor.py: seq {lost} were read from another history", file=sys.stderr)
        self.move(seq)

    def move(self, seq):
        """Stores that everything up to `seq` is shown."""
        self.known["seq"] = seq
        if self.path:
            with open(f"{self.path}.new", "w", encoding="utf-8") as file:
                json.dump(self.known, file)
            os.replace(f"{self.path}.new", self.path)


async def read(connection, user, password, point):
    """Prints broadcasts until the end of the session; returns the server's reason for the end."""
    shown, acknowledged, reason = 0, 0, None
    while reason is None:
        match await connection.receive():
            case "welcome", {"version": 1} as welcome:
                # The protocol asks for a third of it; a quarter allows for delays.
                connection.every = min(connection.every, welcome.get("idle_timeout", 1e9) / 4000)
                connection.is_welcome.set()
                await connection.send("login", id=1, user=user, password=password, **point.resume())
            case "logged_in", {"stream": stream, "seq": seq, **more}:
                point.begin(stream, seq, more.get("term"))
            case "pong", _:
                pass
            case "message", {"seq": seq, "from": sender, "body": body}:
                shown = show(seq, f"{seq} {sender}: {printable(body)}")
            case "joined" | "left" as event, {"seq": seq, "user": who}:
                shown = show(seq, f"{seq} * {who} {event}")
            case "gap", {"from": first, "to": last}:
                shown = show(last, f"{first}-{last} * gap: no longer held")
            case "stopping", {"reason": why}:
                print(f"leitor.py: the server stops: {why}", file=sys.stderr)
            case "closing", {"reason": reason}:
                pass
            case "error", {"code": code, "message": text, **more}:
                raise Failure(f"{text} ({code})", code, more.get("retry_after", 0))
            case name, _:
                raise Failure(f"did not expect {name}")
        if shown:
            point.known["seq"] = shown  # also if the connection breaks before the ack
        # One ack for all frames that were received together. After `closing` nothing is unread,
        # so the last ack is sent then; it still counts.
        if acknowledged < shown and not connection.unread:
            acknowledged = shown
            point.move(shown)
            await acknowledge(connection, shown)
    return reason


def show(seq, line):
    print(line, flush=True)  # flushed, because it will be acknowledged
    return seq


async def acknowledge(connection, seq):
    try:
        await connection.send("ack", seq=seq)
    except ConnectionError:
        pass  # the server has gone; its last frames will still be read


def printable(body):
    """Escapes a body to one line, so that it cannot forge a line or control the terminal."""
    if isinstance(body, bytes):
        return "".join(f"\\x{byte:02x}" for byte in body)
    short = {"\\": r"\\", "\n": r"\n", "\r": r"\r"}
    return "".join(short.get(c) or (c if c.isprintable() else f"\\u{{{ord(c):x}}}") for c in body)


async def session(endpoint, user, point):
    """Reads one session to its end."""
    with dial(endpoint) as sock:
        connection = Connection(sock)
        pinging = asyncio.create_task(connection.ping())
        try:
            reason = await read(connection, user, os.environ["ARAUTO_PASSWORD"], point)
        finally:
            pinging.cancel()
    if reason in LOG_IN_AGAIN | RETRY:
        raise Failure(f"closed: {reason}", reason)
    print(f"leitor.py: closed: {reason}", file=sys.stderr)


async def main(endpoint, user, file=None):
    point, pauses = ResumePoint(file), waits()
    is_server_known = False
    while True:
        point.has_begun = False
        try:
            return await session(endpoint, user, point)
        except (Failure, OSError) as problem:
            # Until a server has answered once, the endpoint may be wrong: no retry then.
            is_server_known |= point.has_begun or getattr(problem, "code", None) is not None
            if not (may_pass(problem) and is_server_known):
                raise
            if point.has_begun:
                pauses = waits()
            print(f"leitor.py: {problem}; connecting again", file=sys.stderr)
            await asyncio.sleep(max(next(pauses), getattr(problem, "retry_after", 0)))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it, without a traceback
    if len(sys.argv) not in (3, 4) or "ARAUTO_PASSWORD" not in os.environ:
        sys.exit(__doc__)
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        asyncio.run(main(*sys.argv[1:]))
    except (Failure, OSError, ValueError) as error:
        sys.exit(f"leitor.py: {error}")
