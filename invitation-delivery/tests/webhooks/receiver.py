"""A receiver of webhooks: checks signatures by the standard library, and misbehaves on demand.

Arguments: the port (0 for a free one), the file of its log, the secret, and optionally a
certificate with its key. The file `<log>.mode` says how to treat the next requests, one word a
request; without a word, a request is accepted.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import ssl
import sys
import threading

port, log, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]
key = base64.b64decode(secret.removeprefix("whsec_"))
lock = threading.Lock()


def next_mode():
    try:
        with open(log + ".mode") as file:
            modes = file.read().split()
    except FileNotFoundError:
        return "accept"
    if not modes:
        return "accept"
    with open(log + ".mode.new", "w") as file:
        file.write(" ".join(modes[1:]))
    os.replace(log + ".mode.new", log + ".mode")
    return modes[0]


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        id, time = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        signed = f"{id}.{time}.".encode() + body
        wanted = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        signatures = self.headers["webhook-signature"].split(" ")
        verified = any(hmac.compare_digest(wanted, one) for one in signatures)
        with lock:
            mode = next_mode()
            message = json.loads(body)
            entry = {"mode": mode, "id": id, "verified": verified, "signatures": len(signatures)}
            entry |= {"path": self.path, "type": message["type"], "data": message["data"]}
            with open(log, "a") as file:
                file.write(json.dumps(entry) + "\n")
        if mode in ("hang", "late"):
            # Waits until the sender has given up, which closes the connection.
            self.connection.recv(1)
        if mode in ("hang", "drop"):
            self.close_connection = True
            return
        self.send_response(204 if mode in ("accept", "late") else int(mode))
        self.send_header("content-length", "0")
        self.send_header("location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_error(405)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", port), Receiver)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
