"""Search with a graph convolutional network that sees signatures.

Chau et al., *Blox*, NeurIPS 2022 (after Dudziak et al., *BRP-NAS*): a graph network predicts
accuracies, and the nodes of its graphs carry the signatures of distilled blocks. After some random
architectures the best predicted are trained, and the network is trained anew.
Deviations: messages go along edges both ways; it is trained by 200 steps on all trials instead of
epochs of batches. Every architecture is trained in full, since that is what a table holds. The
teacher, ``round0``, is a random network that was never trained, as in ``donna``. ``initial`` and
``batch`` are not tuned.
"""

from __future__ import annotations

from blox_env.agents._blockwise import Blockwise, check_measure
from blox_env.benchmarks.blocks import TaughtBlocks
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.networks.predictors import Predictor


class BlockwiseGCN(Blockwise):
    """Ranking by a graph network with signatures on its nodes.

    Args:
        teacher: whose blocks; names are those of the benchmark's ``blocks()``.
        initial: random architectures at the start.
        batch: architectures between two trainings of the network.
        measure: ``"nsr"``, ``"mse"`` or ``"swap_acc"``.
        steps: of each training.
        candidates: architectures that are ranked, half of them neighbours of the best.
    """

    name = "blockwise-gcn"

    def __init__(
        self,
        teacher: str = "round0",
        initial: int = 20,
        batch: int = 10,
        measure: str = "nsr",
        steps: int = 200,
        candidates: int = 2000,
    ) -> None:
        self.teacher, self.measure = teacher, check_measure(measure)
        self.initial = check_positive_int("initial", initial)
        self.batch = check_positive_int("batch", batch)
        self.steps = check_positive_int("steps", steps)
        self.candidates = check_positive_int("candidates", candidates)

    def model(self, blocks: TaughtBlocks) -> Predictor:
        """The network, its weights drawn once a search."""
        with extra("torch", f"the agent {self.name}"):
            from blox_env.networks.blockwise.graph import GraphPredictor
        seed = int(self._rng.integers(2**31))
        options = {"seed": seed, "steps": self.steps}
        return GraphPredictor(blocks.signatures, self.measure, space=self._space, **options)
