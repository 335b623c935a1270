#!/usr/bin/env python3
"""A large upload over a connection that is cut again and again arrives whole, with the right hash.

    tests/faults/resumed_upload.py                       64 MiB, cut five times
    tests/faults/resumed_upload.py --size 2147483648     2 GiB
    COWORK_BIN=… names the program; else target/release/cowork, else target/debug/cowork

Python's standard library is enough. The cuts are real: the socket is closed in the middle of a piece. Ends with code 1
when anything is not as promised.
"""

import argparse
import base64
import hashlib
import http.client
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import time

PIECE = 1024 * 1024
ROOT = pathlib.Path(__file__).resolve().parents[2]


def program():
    named = os.environ.get("COWORK_BIN")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    for path in [named] if named else [target / "release/cowork", target / "debug/cowork"]:
        if pathlib.Path(path).is_file():
            return str(path)
    sys.exit("There is no program. Build it, or name one in COWORK_BIN.")


def content(size):
    """Pieces of noise, the same each time."""
    noise = random.Random(7)
    while size > 0:
        piece = noise.randbytes(min(PIECE, size))
        size -= len(piece)
        yield piece


class Server:
    def __init__(self, home, size):
        (home / "work").mkdir()
        limits = f"[server]\nmax_upload_file_bytes = {size}\nmax_upload_request_bytes = {size + PIECE}\n"
        (home / "loom.toml").write_text(limits)
        arguments = ["--port", "0", "--workspace", home / "work", "--database", home / "cowork.db"]
        self.process = subprocess.Popen(
            [program(), *arguments], cwd=home, env={"HOME": str(home)}, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if "http://" not in line:
            sys.exit(f"The server did not start: {line!r}")
        self.address = line.split("http://")[1].strip()
        self.token = (home / "cowork.db.files" / "token").read_text().strip()

    def ask(self, method, path, headers=None, body=None):
        connection = http.client.HTTPConnection(self.address)
        connection.request(method, path, body, {"Authorization": f"Bearer {self.token}", **(headers or {})})
        answer = connection.getresponse()
        read = answer.read()
        connection.close()
        return answer, read

    def send(self, path, offset, size, pieces, cut):
        """Sends from `offset` on and closes the socket after `cut` bytes, or reads the answer where there is no cut."""
        host, port = self.address.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as connection:
            head = (
                f"PATCH {path} HTTP/1.1\r\nHost: {self.address}\r\nAuthorization: Bearer {self.token}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
                f"Content-Type: application/offset+octet-stream\r\nContent-Length: {size - offset}\r\n"
                "Connection: close\r\n\r\n"
            )
            connection.sendall(head.encode())
            passed, sent = 0, 0
            for piece in pieces:
                start = max(0, offset - passed)
                passed += len(piece)
                piece = piece[start:]
                if cut is not None and sent + len(piece) > cut:
                    connection.sendall(piece[: cut - sent])
                    return None
                connection.sendall(piece)
                sent += len(piece)
            return connection.makefile("rb").read().decode(errors="replace")


def run(size, cuts):
    expected = hashlib.sha256()
    for piece in content(size):
        expected.update(piece)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        home = pathlib.Path(folder).resolve()
        server = Server(home, size)
        try:
            _, made = server.ask("POST", "/cowork/sessions", {"Content-Type": "application/json"}, "{}")
            session = json.loads(made)["id"]
            name = base64.b64encode(b"large.bin").decode()
            headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": f"filename {name}"}
            answer, said = server.ask("POST", f"/cowork/sessions/{session}/uploads/tus", headers)
            assert answer.status == 201, said
            place = answer.getheader("Location")
            started, told = time.monotonic(), ""
            for cut in range(cuts + 1):
                answer, _ = server.ask("HEAD", place, {"Tus-Resumable": "1.0.0"})
                offset = int(answer.getheader("Upload-Offset"))
                print(f"at {offset} of {size} bytes", flush=True)
                assert not (home / "work/large.bin").exists(), "nothing is there before the last byte"
                part = None if cut == cuts else (size - offset) // (cuts + 1 - cut)
                told = server.send(place, offset, size, content(size), part)
            assert told.startswith("HTTP/1.1 204"), told
            seconds = time.monotonic() - started
            _, said = server.ask("GET", place)
            result = json.loads(said)["result"]
            assert result["sha256"] == expected.hexdigest(), result
            on_disk = hashlib.sha256()
            with open(home / "work/large.bin", "rb") as file:
                while piece := file.read(PIECE):
                    on_disk.update(piece)
            assert on_disk.hexdigest() == expected.hexdigest(), "the file on the disk is another"
            print(f"{size} bytes arrived over {cuts} cuts in {seconds:.1f} s, sha256 {result['sha256']}")
        finally:
            server.process.terminate()
            server.process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=64 * PIECE)
    parser.add_argument("--cuts", type=int, default=5)
    options = parser.parse_args()
    run(options.size, options.cuts)
