"""Search by regression on signatures, in the manner of DONNA.

Moons et al., *Distilling Optimal Neural Networks: Rapid Search in Diverse Spaces*, ICCV 2021. Every
block is distilled once; a linear regression with second-order terms, learned from a few trained
networks, predicts accuracies from the blocks' losses; the search goes through predictions.
Deviations: networks are trained in full from scratch, since that is what a table holds, and not
fine-tuned from the blocks; the regression is fitted anew after every batch, its penalty chosen by
leaving one out; instead of an evolution the whole space is ranked. The teacher, ``round0``, is a
random network that was never trained: on ``digits`` its blocks order networks about as well as
those of the best (docs/blockwise.md), which presume a search before the search, and it costs least.
``initial`` (Moons et al.: 30 networks) and ``batch`` are not tuned.
"""

from __future__ import annotations

from blox_env.agents._blockwise import Blockwise, check_measure
from blox_env.benchmarks.blocks import TaughtBlocks
from blox_env.ground.errors import check_positive_int
from blox_env.networks.predictors import Predictor, SecondOrder


class DONNA(Blockwise):
    """Ranking by a second-order regression on signatures.

    Args:
        teacher: whose blocks; names are those of the benchmark's ``blocks()``.
        initial: random architectures at the start.
        batch: architectures between two fits.
        measure: ``"nsr"``, ``"mse"`` or ``"swap_acc"``.
    """

    name = "donna"

    def __init__(
        self,
        teacher: str = "round0",
        initial: int = 10,
        batch: int = 5,
        measure: str = "nsr",
    ) -> None:
        self.teacher, self.measure = teacher, check_measure(measure)
        self.initial = check_positive_int("initial", initial)
        self.batch = check_positive_int("batch", batch)

    def model(self, blocks: TaughtBlocks) -> Predictor:
        """The regression."""
        return SecondOrder(blocks.signatures, self.measure)
