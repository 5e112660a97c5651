"""A folder that stands for an object store: gs://bucket/x is FOLDER/bucket/x, for any process.

`python -m tests.training.stand_in_store FOLDER DIE_AT WORDS` runs `vfi-jax WORDS`; the process that
draws step DIE_AT kills itself.
"""

import os
import signal
import sys

import fsspec
from fsspec.implementations.local import LocalFileSystem


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

    fsspec.register_implementation("gcs", Bucket, clobber=True)


def main():
    from vfi_jax.cli.__main__ import main as command
    from vfi_jax.data.resident import Resident

    folder, fatal, *words = sys.argv[1:]
    register(folder)
    draw = Resident.draw

    def deadly(self, step):
        if step == int(fatal):
            os.kill(os.getpid(), signal.SIGKILL)
        return draw(self, step)

    Resident.draw = deadly
    return command(words)


if __name__ == "__main__":
    sys.exit(main())
