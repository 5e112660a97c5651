"""A folder that stands for an object store: gs://bucket/x is FOLDER/bucket/x, for any process.

`python -m tests.training.stand_in_store FOLDER DIE_AT WORDS` runs `vfi-jax WORDS`; the process that
draws step DIE_AT kills itself.
"""

import http.server
import json
import os
import re
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import fsspec
from etils.epath import backend
from fsspec.implementations.local import LocalFileSystem

NEVER = "99"  # a step that no run takes


def register(folder):
    """fsspec opens gs:// in a folder of this machine from now on."""

    class Bucket(LocalFileSystem):
        protocol = ("gs", "gcs")
        cachable = False

        def __init__(self, **options):
            super().__init__(auto_mkdir=True)

        @classmethod
        def _strip_protocol(cls, path):
            path = str(path)
            if path.startswith("gs://"):
                path = os.path.join(folder, path.removeprefix("gs://"))
            return super()._strip_protocol(path)

        def glob(self, path, **options):
            return [os.path.relpath(name, folder) for name in super().glob(path, **options)]

    install(Bucket)


def install(file_system):
    """fsspec opens gs:// with this class from now on, and so does epath, which caches instances."""
    fsspec.register_implementation("gcs", file_system, clobber=True)
    backend._FileSystemSpecBackend._get_filesystem.cache_clear()


def serve(folder):
    """The client of Google Cloud Storage inside array_record reads the folder from now on."""

    class Objects(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            url = urlsplit(self.path)
            bucket, name = re.fullmatch(r"/storage/v1/b/(.+?)/o/(.+)", url.path).groups()
            content = Path(folder, bucket, unquote(name)).read_bytes()
            first, total, status = 0, len(content), 200
            if parse_qs(url.query).get("alt") != ["media"]:
                facts = {"name": unquote(name), "bucket": bucket, "size": str(total)}
                content = json.dumps({"kind": "storage#object", **facts}).encode()
            elif wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
                first, status = int(wanted[1]), 206
                content = content[first : int(wanted[2] or total) + 1]
            self.send_response(status)
            if status == 206:
                last = first + len(content) - 1
                self.send_header("Content-Range", f"bytes {first}-{last}/{total}")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *about):
            """Nothing is printed."""

    server = http.server.ThreadingHTTPServer(("localhost", 0), Objects)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["CLOUD_STORAGE_EMULATOR_ENDPOINT"] = f"http://localhost:{server.server_port}"


def main():
    from vfi_jax.cli.__main__ import main as command
    from vfi_jax.data.resident import Resident

    folder, fatal, *words = sys.argv[1:]
    register(folder)
    serve(folder)
    draw = Resident.draw

    def deadly(self, step):
        if step == int(fatal):
            os.kill(os.getpid(), signal.SIGKILL)
        return draw(self, step)

    Resident.draw = deadly
    return command(words)


if __name__ == "__main__":
    sys.exit(main())
