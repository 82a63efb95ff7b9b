"""An SMTP server that keeps each mail as a file. Its first argument is the folder, its second
the port. The local part of an address decides what becomes of a mail to it:

- refused…  550
- deferred… 451 the first time
- slow…     accepted after 300 ms
"""
import asyncio
import email
import email.policy
import os
import sys
import time

from aiosmtpd.smtp import SMTP

FOLDER, PORT = sys.argv[1], int(sys.argv[2])
SEPARATOR = "\x1f"


class Keeping:
    def __init__(self):
        self.deferred = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return f"550 5.1.1 <{address}> has no mailbox here"
        if address.startswith("deferred") and address not in self.deferred:
            self.deferred.add(address)
            return "451 4.3.2 try again later"
        if address.startswith("slow"):
            await asyncio.sleep(0.3)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)

        def text(kind):
            part = mail.get_body((kind,))
            return "" if part is None else part.get_content().replace("\r\n", "\n")

        def header(name):
            values = mail.get_all(name, [])
            return values[0] if len(values) == 1 else f"{len(values)} headers"

        parts = [
            ",".join(envelope.rcpt_tos),
            header("To"),
            header("Message-ID"),
            header("Subject"),
            mail.get("List-Unsubscribe", ""),
            text("plain"),
            text("html"),
        ]
        name = os.path.join(FOLDER, f"{time.time_ns()}")
        with open(name + ".part", "w", encoding="utf-8", newline="") as file:
            file.write(SEPARATOR.join(parts))
        os.rename(name + ".part", name + ".mail")
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    handler = Keeping()
    server = await loop.create_server(lambda: SMTP(handler), "127.0.0.1", PORT)
    await server.serve_forever()


asyncio.run(main())
