#!/usr/bin/env python3
"""Sends requests to a service at once, and prints each reply with the user that answered.

    ARAUTO_PASSWORD=... ask.py ENDPOINT USER SERVICE TEXT...

A request that is throttled is sent again. One that is unavailable or has timed out is not: it may have
been done.

ENDPOINT and the needs are those of escritor.py, whose session this program uses. Exit codes: 0 if every
request has a reply, 1 otherwise.
"""

import asyncio
import os
import signal
import sys

sys.dont_write_bytecode = True
from escritor import Failure, Session, dial

TIMEOUT = 5000  # milliseconds for each reply


async def ask(session, user, service, texts):
    await session.ask("login", user=user, password=os.environ["ARAUTO_PASSWORD"])
    # Replies come in any order; each is the answer to its own id.
    asked = [session.ask_with_retries("request", body=text, service=service, timeout=TIMEOUT)
             for text in texts]
    failed = 0
    for text, reply in zip(texts, await asyncio.gather(*asked, return_exceptions=True)):
        match reply:
            case {"body": body, "from": user}:
                print(f"{user}: {body}", flush=True)
            case Failure(code="failed" | "unavailable" | "timeout"):
                print(f"ask.py: {text}: {reply}", file=sys.stderr)
                failed += 1
            case problem:
                raise problem
    await session.send("fim", id=0)
    if failed:
        raise Failure(f"{failed} of {len(texts)} requests failed")


async def main(endpoint, user, service, *texts):
    with dial(endpoint) as sock:
        session = Session(sock)
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(ask(session, user, service, texts))
            pinging = group.create_task(session.ping())
            reason = await session.listen()
            pinging.cancel()
            if not asking.done():
                raise Failure(f"closed before everything was answered: {reason}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it, without a traceback
    if len(sys.argv) < 4 or "ARAUTO_PASSWORD" not in os.environ:
        sys.exit(__doc__)
    sys.stdout.reconfigure(encoding="utf-8")
    problem = None
    try:
        asyncio.run(main(*sys.argv[1:]))
    except* (Failure, OSError, ValueError) as errors:
        problem = f"ask.py: {errors.exceptions[0]}"
    sys.exit(problem)
