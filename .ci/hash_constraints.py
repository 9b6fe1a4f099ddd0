"""Write constraints-hashed.txt: what `make setup` installs, each with the SHA-256 of its file.

    python .ci/hash_constraints.py

pip resolves `.[all,dev]` with constraints.txt and says which file it would take for this Python and
platform; nothing is installed. Then anybody can install exactly these files:

    pip install --require-hashes -r constraints-hashed.txt
    pip install --no-deps -e .
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HASHED = ROOT / "constraints-hashed.txt"
HEAD = """\
# The files that constraints.txt stands for with Python {python} on Linux, x86-64.
#     pip install --require-hashes -r constraints-hashed.txt && pip install --no-deps -e .
# Written by `make hashes`; change constraints.txt instead.
"""


def report() -> list[dict[str, Any]]:
    """What pip would install."""
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"),
        *("--report", "-", "-c", str(ROOT / "constraints.txt"), f"{ROOT}[all,dev]"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{done.stderr[-4000:]}\npip found no set of versions")
    installs: list[dict[str, Any]] = json.loads(done.stdout)["install"]
    return installs


def lines(installs: list[dict[str, Any]]) -> list[str]:
    """A requirement for each package, but for the checkout itself.

    Raises:
        SystemExit: where the registry gives no hash of a file.
    """
    found = []
    for each in installs:
        name, version = each["metadata"]["name"], each["metadata"]["version"]
        info = each["download_info"]
        if "dir_info" in info:
            continue
        digest = info.get("archive_info", {}).get("hashes", {}).get("sha256")
        if digest is None:
            sys.exit(f"no SHA-256 of {name} {version}")
        name = re.sub(r"[-_.]+", "-", name).lower()
        found.append(f"{name}=={version} --hash=sha256:{digest}")
    return sorted(found)


def main() -> None:
    """Resolve and write."""
    wanted = lines(report())
    python = ".".join(map(str, sys.version_info[:2]))
    HASHED.write_text(HEAD.format(python=python) + "\n".join(wanted) + "\n")
    print(f"{HASHED.name}: {len(wanted)} packages")


if __name__ == "__main__":
    main()
