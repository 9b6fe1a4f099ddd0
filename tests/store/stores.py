"""A small store that is imported, and how it is forged."""

import hashlib
import json

import numpy as np

from blox_env.importers.importing import import_files
from blox_env.importers.made_up import write_release
from blox_env.spaces import BloxSpace
from blox_env.store.reader import digest_of

SPACE = BloxSpace()
X = SPACE.from_index(np.random.default_rng(8).permutation(SPACE.size)[:40])
SEEDS, DEVICES, EPOCHS = (0, 5), ("phone", "server"), 6


def import_store(folder, **options):
    """A store in ``folder/store``, with all parts."""
    options = {"epochs": EPOCHS, "seeds": SEEDS, "devices": DEVICES, **options}
    write_release(folder / "files", X, **options, formats=("custom",))
    import_files(folder / "files", folder / "store")
    return folder / "store"


def sign(folder, change=lambda _: None):
    """Write checksums that fit the files that are there, as somebody who forges a store would."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    for key, column in {"number": manifest["numbers"], **manifest["columns"]}.items():
        data = (folder / f"{key}.npy").read_bytes()
        column.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    manifest["sha256"] = digest_of(manifest)
    path.write_text(json.dumps(manifest))
