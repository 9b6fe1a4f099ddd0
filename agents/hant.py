"""Search by the sum of signatures, in the manner of HANT.

Molchanov et al., *LANA: Latency Aware Network Acceleration* (first as HANT), ECCV 2022: what an
operation costs in accuracy is measured once, in the place of the teacher's own, and a network is
worth the sum over its layers. Here a signature is the logarithm of a distilled block's error.
A few random architectures tell how much accuracy a unit of the sum is, which matters only where
latency counts as well; then it goes down its ranking.
Deviations: nothing is chosen by integer programming, since the whole space can be ranked; each
architecture is trained in full, since that is what a table holds. The teacher, ``round0``, is a
random network that was never trained: on ``digits`` its blocks order networks about as well as
those of the best (docs/blockwise.md), which presume a search before the search, and it costs least.
``initial`` and ``batch`` are not tuned.
"""

from __future__ import annotations

from blox_env.agents._blockwise import Blockwise, check_measure
from blox_env.benchmarks.blocks import TaughtBlocks
from blox_env.ground.errors import check_positive_int
from blox_env.networks.predictors import Predictor, SignatureSum


class HANT(Blockwise):
    """Ranking by the sum of signatures.

    Args:
        teacher: whose blocks; names are those of the benchmark's ``blocks()``.
        initial: random architectures at the start.
        batch: architectures between two fits of the scale.
        measure: ``"nsr"``, ``"mse"`` or ``"swap_acc"``.
    """

    name = "hant"

    def __init__(
        self,
        teacher: str = "round0",
        initial: int = 5,
        batch: int = 5,
        measure: str = "nsr",
    ) -> None:
        self.teacher, self.measure = teacher, check_measure(measure)
        self.initial = check_positive_int("initial", initial)
        self.batch = check_positive_int("batch", batch)

    def model(self, blocks: TaughtBlocks) -> Predictor:
        """The sum, scaled."""
        return SignatureSum(blocks.signatures, self.measure)
