"""HW-NAS-Bench's pickle (Li et al., ICLR 2021): latencies of NATS-Bench's cells on six devices.

``HW-NAS-Bench-v1_0.pickle`` is a dict: space, dataset, metric. Of ``nasbench201`` every metric
``DEVICE_latency`` is a list of 15,625 milliseconds, in the order of ``config``, whose entries name
the cell in ``arch_str``. It holds no accuracies: import it together with NATS-Bench's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from blox_env.ground.data_pickle import load_data
from blox_env.ground.errors import RowError, unknown_name
from blox_env.importers.contents import Contents, Wishes, source
from blox_env.spaces import NatsTopologySpace

SPACE, CELLS, METRIC = "nasbench201", "config", "_latency"
LONGEST = 2**30  # bytes that are read


def read(paths: list[Path], wishes: Wishes) -> list[Contents]:
    """The latencies in each file; of ``cifar10`` unless another dataset is asked for.

    Args:
        paths: of the files.
        wishes: the dataset may be ``cifar10``, ``cifar100`` or ``ImageNet16-120``.

    Raises:
        ValueError: names the file, and says what was expected.
    """
    return [_read(path, (wishes.dataset or "cifar10").partition(":")[0]) for path in paths]


def _read(path: Path, dataset: str) -> Contents:
    if path.stat().st_size > LONGEST:
        raise ValueError(f"{path}: expected at most {LONGEST} bytes")
    space = NatsTopologySpace()
    try:
        metrics = _part(_part(load_data(path.read_bytes()), "space", SPACE), "dataset", dataset)
        cells = _part(metrics, "metric", CELLS)
        cells = list(cells.values()) if isinstance(cells, dict) else cells
        rows = space.from_strings([_part(cell, "entry", "arch_str") for cell in cells])
        latencies = {
            str(name).removesuffix(METRIC): _numbers(name, values, len(rows))
            for name, values in metrics.items()
            if str(name).endswith(METRIC)
        }
    except RowError as error:
        raise ValueError(f"{path}, {CELLS} {error.row}: {error}") from None
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None
    if not latencies:
        raise ValueError(f"{path}: expected metrics such as edgegpu{METRIC}, got {list(metrics)}")
    gone = {name: int(np.isnan(values).sum()) for name, values in latencies.items()}
    others = sorted(str(m) for m in metrics if m != CELLS and not str(m).endswith(METRIC))
    words = f"HW-NAS-Bench (Li et al., ICLR 2021), imported: networks for {dataset}; its protocol"
    return Contents(
        name="hw-nas-bench",
        space=space,
        numbers=space.index(rows),
        description=f"Latencies of HW-NAS-Bench (Li et al., ICLR 2021) for {dataset}",
        dataset=dataset,
        latencies=latencies,
        devices=dict.fromkeys(latencies, f"{words} is that of the paper"),
        found=[f"{path.name}: {dataset}, {len(rows)} cells on {', '.join(sorted(latencies))}"],
        missing=[
            f"device {name}: no latency of {count} cells" for name, count in gone.items() if count
        ],
        notes=[f"not read: {', '.join(others)}"] if others else [],
        sources=[source(path, f"latencies for {dataset}", len(rows))],
    )


def _part(whole: Any, what: str, name: str) -> Any:
    if not isinstance(whole, dict):
        raise ValueError(f"expected a dict with the {what} {name!r}, got {type(whole).__name__}")
    if name not in whole:
        raise ValueError(unknown_name(what, name, map(str, whole)))
    return whole[name]


def _numbers(name: str, values: Any, count: int) -> np.ndarray:
    """Latencies ``(count,)``; what is not above 0 was not measured."""
    latency = np.asarray(values, dtype=np.float64).reshape(-1)
    if latency.shape != (count,):
        raise ValueError(f"{name}: expected {count} numbers, one a cell, got {latency.shape}")
    return np.where(latency > 0, latency, np.nan)
