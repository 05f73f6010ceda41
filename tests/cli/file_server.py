"""A small HTTP server over a folder, for tests: GET with Range, HEAD, PUT with If-Match and
If-None-Match, ETag, Last-Modified. Loopback only.

    file_server.py FOLDER

It prints its port and writes a line per request to FOLDER.requests: method, path, what was asked of
Range, status, bytes of the answer's body. Files beside the folder change what it does:
FOLDER.cut with a number N: the next GET of a .db file ends after N bytes; FOLDER.norange: ranges are
ignored; FOLDER.stall: nothing is ever answered; FOLDER.race: a PUT finds that somebody was faster.
"""
import hashlib
import http.server
import os
import sys
import time
from email.utils import formatdate

folder = sys.argv[1]
page = b"<p>what servers say beside a status</p>\n" * 300  # longer than any text that is asked for


def control(name):
    return folder + "." + name


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self, status, sent=0):
        with open(control("requests"), "a") as f:
            f.write(f"{self.command} {self.path} {self.headers.get('Range', '-')} {status} {sent}\n")

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.note(status, len(body))

    def path_here(self):
        return os.path.join(folder, os.path.basename(self.path.split("?")[0]))

    def etag(self, path):
        with open(path, "rb") as f:
            return '"' + hashlib.md5(f.read()).hexdigest() + '"'

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path_here()
        if os.path.exists(control("stall")):
            time.sleep(30)
            return
        if "/moved/" in self.path:
            return self.answer(302, Location=self.path.replace("/moved/", "/"))
        if "/to-file/" in self.path:
            return self.answer(302, Location="file://" + path)
        if not os.path.isfile(path):
            return self.answer(404, page * 1000 if "endless" in path else page)
        with open(path, "rb") as f:
            data = f.read()
        about = {"ETag": self.etag(path),
                 "Last_Modified": formatdate(os.stat(path).st_mtime, usegmt=True)}
        asked, start, status = self.headers.get("Range"), 0, 200
        if asked and not os.path.exists(control("norange")):
            start, status = int(asked.split("=")[1].split("-")[0]), 206
            if start >= len(data):
                return self.answer(416, Content_Range=f"bytes */{len(data)}")
            about["Content_Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        if self.command == "GET" and path.endswith(".db") and os.path.exists(control("cut")):
            with open(control("cut")) as f:
                end = int(f.read())
            os.unlink(control("cut"))
            self.send_response(status)
            for name, value in about.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start:end])
            self.wfile.flush()
            self.note(status, end - start)
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.answer(status, data[start:], **about)

    def do_PUT(self):
        path = self.path_here()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if os.path.exists(control("race")):
            os.unlink(control("race"))
            with open(path, "wb") as f:
                f.write(b"somebody was faster")
        match, none = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        there = os.path.exists(path)
        if (match and (not there or self.etag(path) != match)) or (none == "*" and there):
            return self.answer(412)
        with open(path + ".new", "wb") as f:
            f.write(body)
        os.replace(path + ".new", path)
        self.answer(201, page)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):  # clients may hang up
        pass


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
