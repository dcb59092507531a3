#!/usr/bin/env python3
"""Answers the requests to a service with their text backwards, until SIGTERM or Ctrl-C.

    ARAUTO_PASSWORD=... offer.py ENDPOINT USER SERVICE

Up to LIMIT calls are answered at once. After a signal no new calls come; those in work are answered,
then the program ends. If the connection is lost, the program connects again and offers the service
again.

ENDPOINT and the needs are those of escritor.py, whose session this program uses. Exit codes: 0 after
a signal, 1 otherwise.
"""

import asyncio
import os
import signal
import sys

sys.dont_write_bytecode = True
from escritor import Failure, Session, dial, may_pass, waits

LIMIT = 8


async def backwards(body, user):
    """Answers one call. It is cancelled if nobody waits for the answer any more."""
    if not isinstance(body, str):
        raise ValueError("the request is a byte string")
    return body[::-1]


class Responder(Session):
    """A session that answers calls, each in a task of its own."""

    def __init__(self, sock, handler):
        super().__init__(sock)
        self.handler, self.calls = handler, {}

    def unasked(self, name, fields):
        match name, fields:
            case "call", {"call": number}:
                self.calls[number] = asyncio.create_task(self.answer(**fields))
            case "cancelled", {"call": number}:
                if task := self.calls.pop(number, None):
                    task.cancel()
            case "withdrawn", {"service": service}:
                raise Failure(f"the server has withdrawn the offer of {service}")

    async def answer(self, call, body, **fields):
        try:
            answer = {"body": await self.handler(body, fields["from"])}
        except Exception as error:
            answer = {"error": {"code": type(error).__name__, "message": str(error)}}
        # Not in work any more: a `cancelled` that comes now must not cut the answer's frame.
        self.calls.pop(call, None)
        try:
            await self.send("answer", call=call, **answer)
        except OSError:
            pass  # the reader gets the error


async def offer(session, user, service, stop):
    """Offers the service until `stop` is set, and then ends the session."""
    await session.ask("login", user=user, password=os.environ["ARAUTO_PASSWORD"])
    session.is_logged_in = True
    await session.ask("offer", service=service, limit=LIMIT)
    print(f"offer.py: {service} is offered", file=sys.stderr, flush=True)
    await stop.wait()
    await session.ask("withdraw", service=service)  # answered once no call is in work
    await session.send("fim", id=0)


async def run(session, user, service, stop):
    """Answers calls in one session. Returns the server's reason for closing it."""
    async with asyncio.TaskGroup() as group:
        offering = group.create_task(offer(session, user, service, stop))
        pinging = group.create_task(session.ping())
        try:
            return await session.listen()
        finally:
            for task in [offering, pinging, *session.calls.values()]:
                task.cancel()


async def main(endpoint, user, service):
    stop, pauses, has_offered = asyncio.Event(), waits(), False
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not stop.is_set():
        problem, session = None, None
        try:
            with dial(endpoint) as sock:
                session = Responder(sock, backwards)
                problem = Failure(f"closed: {await run(session, user, service, stop)}", "stopping")
        except* (Failure, OSError) as errors:
            problem = errors.exceptions[0]
        if session and session.is_logged_in:
            pauses, has_offered = waits(), True
        if stop.is_set():
            return
        # Until the service has been offered once, the endpoint may be wrong: no retry then.
        if not (may_pass(problem) and has_offered):
            raise problem
        print(f"offer.py: {problem}; connecting again", file=sys.stderr)
        await asyncio.sleep(max(next(pauses), getattr(problem, "retry_after", 0)))


if __name__ == "__main__":
    if len(sys.argv) != 4 or "ARAUTO_PASSWORD" not in os.environ:
        sys.exit(__doc__)
    try:
        asyncio.run(main(*sys.argv[1:]))
    except (Failure, OSError, ValueError) as error:
        sys.exit(f"offer.py: {error}")
