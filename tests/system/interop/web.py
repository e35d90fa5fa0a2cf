#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""web.py PORT FOLDER: a server of HTTP, of both versions of IP, on Linux: GET gives FOLDER's files, PUT stores one there. Says "ready"
when it can; ends with its standard input."""
import functools
import http.server
import os
import socket
import sys
import threading


class Files(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):  # pylint: disable=invalid-name
        left = int(self.headers["Content-Length"])
        if self.headers.get("Expect") == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        with open(self.translate_path(self.path), "wb") as file:
            while left > 0:
                left -= file.write(self.rfile.read(min(left, 1 << 16)))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *_):  # pylint: disable=redefined-builtin
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6  # and 4, mapped


def main(port, folder):
    server = Server(("::", int(port)), functools.partial(Files, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
