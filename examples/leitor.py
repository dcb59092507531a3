#!/usr/bin/env python3
"""Prints every broadcast of an arauto server, one a line, until the server closes.

It connects again to a server that it has lost, and misses nothing that is still held. A server
that cannot let anybody in for a moment is asked again.

    ARAUTO_PASSWORD=... leitor.py ENDPOINT USER [RESUME_FILE]

With RESUME_FILE it remembers there how far it has read, and goes on from there next time.
ENDPOINT speaks cbor: unix:PATH, unix:@NAME, pipe:NAME (on unix) or tcp:HOST:PORT.
On a socket the server must be our own user's, root's, or ARAUTO_SERVER_USER's.
Needs Python 3.11 and cbor2. Exit codes: 0 the server closed in order, 1 anything else.
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


# What to do about a failure: "Trying again" in docs/protocol.md. All else is final.
RETRY = {"throttled", "internal"}
LOG_IN_AGAIN = {"not-logged-in", "login-timeout", "idle-timeout", "too-many-sessions",
                "slow-consumer", "stopping"}
TRANSIENT = {getattr(errno, name) for name in (
    "ECONNREFUSED ENOENT EAGAIN EINTR ECONNRESET ECONNABORTED EPIPE ENOTCONN ETIMEDOUT "
    "EHOSTUNREACH ENETUNREACH ENETDOWN EMFILE ENFILE ENOBUFS ENOMEM EADDRNOTAVAIL "
    "EADDRINUSE").split()}

# A server that answers nothing for so many seconds is lost. It is pinged before that.
SERVER_TIMEOUT = 30


class Failure(Exception):
    """Its text is for people, its code the server's, its retry_after in seconds."""

    def __init__(self, text, code=None, retry_after=0):
        super().__init__(text)
        self.code, self.retry_after = code, retry_after / 1000


class Lost(Failure):
    """The connection ended without closing."""


def may_pass(problem):
    """Tells whether trying again may help."""
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
    """Yields the seconds before each further attempt. They double, up to a bound, and have
    jitter, so that clients that lost the same server do not all come back at once."""
    longest = 0.1
    while True:
        yield random.uniform(longest / 2, longest)
        longest = min(longest * 2, 10)


def keep_alive(sock):
    """Has the system notice a host that lost power, with Linux's options where they are."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def dial(endpoint):
    """Returns a connected socket. Blocks, for there is nothing else to do yet."""
    kind, _, rest = endpoint.partition(":")
    if kind == "tcp":
        host, _, port = rest.rpartition(":")
        sock = socket.create_connection((host.strip("[]"), int(port)), SERVER_TIMEOUT)
        keep_alive(sock)
        return sock
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


class Link:
    """Frames over a socket: four bytes of length, then one CBOR item.

    Not an asyncio stream, because that forgets what is yet to read as soon as a write
    fails, and the last frames of a server that has gone are what we want to read.
    """

    def __init__(self, sock):
        sock.setblocking(False)
        self.sock, self.loop, self.unread = sock, asyncio.get_running_loop(), bytearray()
        self.writing = asyncio.Lock()  # frames go out one after the other
        self.every = SERVER_TIMEOUT / 3  # seconds between two pings
        self.is_welcome = asyncio.Event()  # the server has said what it expects

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
        """Pings for ever: for the server's idle timeout, and to notice that it is lost."""
        await self.is_welcome.wait()
        while True:
            await asyncio.sleep(self.every)
            try:
                await self.send("ping", id=0)
            except OSError:
                return  # the reader learns why

    async def piece(self):
        """Receives what there is. A server that is silent for too long is lost."""
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
                raise Lost("the pipe ended without closing; something failed")
            self.unread += piece
        taken = bytes(self.unread[:size])
        del self.unread[:size]
        return taken


class Place:
    """How far was read: in which stream, in which term of it, and up to which seq."""

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
        """Takes the place that a login was given for one's own."""
        self.has_begun = True
        before, self.known = self.known, {"stream": stream, "seq": seq}
        if term is not None:
            self.known["term"] = term
        if before and before["stream"] == stream and seq < before["seq"]:
            lost = f"{seq + 1} to {before['seq']}"
            print(f"leitor.py: seq {lost} were read from another history", file=sys.stderr)
        self.move(seq)

    def move(self, seq):
        """Remembers that everything up to `seq` is shown."""
        self.known["seq"] = seq
        if self.path:
            with open(f"{self.path}.new", "w", encoding="utf-8") as file:
                json.dump(self.known, file)
            os.replace(f"{self.path}.new", self.path)


async def read(link, user, password, place):
    """Prints until the end; returns the reason that the server gives for it."""
    shown, acknowledged, reason = 0, 0, None
    while reason is None:
        match await link.receive():
            case "welcome", {"version": 1} as welcome:
                # A third is asked for; a ping may be late.
                link.every = min(link.every, welcome.get("idle_timeout", 1e9) / 4000)
                link.is_welcome.set()
                await link.send("login", id=1, user=user, password=password, **place.resume())
            case "logged_in", {"stream": stream, "seq": seq, **more}:
                place.begin(stream, seq, more.get("term"))
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
            place.known["seq"] = shown  # also where the connection breaks before the ack
        # Once for all that came together, whichever frame was its last: nothing is
        # unread behind `closing`, and an ack still counts there.
        if acknowledged < shown and not link.unread:
            acknowledged = shown
            place.move(shown)
            await acknowledge(link, shown)
    return reason


def show(seq, line):
    print(line, flush=True)  # only what has left this program may be acknowledged
    return seq


async def acknowledge(link, seq):
    try:
        await link.send("ack", seq=seq)
    except ConnectionError:
        pass  # the server has gone; its last frames are still to be read


def printable(body):
    """One line, whatever the body holds: nobody shall forge a line or steer our terminal."""
    if isinstance(body, bytes):
        return "".join(f"\\x{byte:02x}" for byte in body)
    short = {"\\": r"\\", "\n": r"\n", "\r": r"\r"}
    return "".join(short.get(c) or (c if c.isprintable() else f"\\u{{{ord(c):x}}}") for c in body)


async def session(endpoint, user, place):
    """Reads one session to its end."""
    with dial(endpoint) as sock:
        link = Link(sock)
        pinging = asyncio.create_task(link.ping())
        try:
            reason = await read(link, user, os.environ["ARAUTO_PASSWORD"], place)
        finally:
            pinging.cancel()
    if reason in LOG_IN_AGAIN | RETRY:
        raise Failure(f"closed: {reason}", reason)
    print(f"leitor.py: closed: {reason}", file=sys.stderr)


async def main(endpoint, user, file=None):
    place, pauses = Place(file), waits()
    is_server_known = False
    while True:
        place.has_begun = False
        try:
            return await session(endpoint, user, place)
        except (Failure, OSError) as problem:
            # Where nobody was ever there the endpoint may be wrong: that is not waited for.
            is_server_known |= place.has_begun or getattr(problem, "code", None) is not None
            if not (may_pass(problem) and is_server_known):
                raise
            if place.has_begun:
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
