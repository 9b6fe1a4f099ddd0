"""Upstream's graph-invariant hash of an architecture."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from blox_env.spaces.blox.blocks import BLOCKS, stage_edges


@lru_cache(maxsize=4096)
def model_hash(row: tuple[int, ...]) -> str:
    """The MD5 of one architecture's graph, 32 hex digits, the same for isomorphic graphs."""
    labels: list[int] = [-1]
    edges: list[tuple[int, int]] = []
    source = 0
    for stage, number in enumerate(row):
        block = BLOCKS[number]
        nodes = {"in": source}
        for name, op in (("op1", block.op1), ("op2", block.op2)):
            if name == "op2" or not block.single:
                nodes[name] = len(labels)
                labels.append(op + 4 * stage)
        source = nodes["out"] = len(labels)  # the reduction
        labels.append(3 + 4 * stage)
        edges += [(nodes[a], nodes[b]) for a, b in stage_edges(block)]
    edges.append((source, len(labels)))
    labels.append(-2)

    inward: list[list[int]] = [[] for _ in labels]
    outward: list[list[int]] = [[] for _ in labels]
    for a, b in edges:
        outward[a].append(b)
        inward[b].append(a)
    hashes = [
        _md5(str((float(len(outward[v])), float(len(inward[v])), label)))
        for v, label in enumerate(labels)
    ]
    for _ in labels:
        hashes = [
            _md5(
                "".join(sorted(hashes[u] for u in inward[v]))
                + "|"
                + "".join(sorted(hashes[u] for u in outward[v]))
                + "|"
                + hashes[v]
            )
            for v in range(len(labels))
        ]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
