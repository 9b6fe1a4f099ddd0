"""Models asked inside a program answer as the numpy environment does."""

import numpy as np
import pytest

from tests.jax.lockstep import differences
from tests.toys import BoundedDevice, ToyBenchmark, ToyDevice, huge_space

jax = pytest.importorskip("jax")
pytest.importorskip("lightgbm")
import jax.numpy as jnp

from blox_env import Evaluation
from blox_env.benchmarks.carried import CarriedTrees
from blox_env.benchmarks.predictors.base import Features
from blox_env.benchmarks.predictors.network import Network
from blox_env.benchmarks.slottrees import Places, SlotTrees
from blox_env.importers.importing import import_files
from blox_env.jax import make
from blox_env.jax.evolution import Evolution
from tests.benchmarks.test_slottrees import fitted
from tests.benchmarks.test_yahpo import made_up_folder

# Sums of leaves, or layers of a network, in 32 bits; what follows rounds a few times more.
ASKED = 2.0**-20
SPACE = huge_space()


class TreeBenchmark(ToyBenchmark):
    """Boosted trees on a space of 45^12."""

    name = "trees"
    provides = frozenset()

    def __init__(self):
        super().__init__(SPACE)
        booster, shift, scale = fitted(SPACE, ("onehot",), rounds=30, num_leaves=12)
        self.places = Places(SPACE, ("onehot",), shift, scale)
        self.trees = SlotTrees.of(booster, self.places)

    def evaluate(self, x, *, epochs=None, best=False, seed=None):
        x = self.space.check(x)
        self.calls += len(x)
        said = self.trees.predict(self.places.of(x))
        acc, n = np.clip(1 - np.exp(0.1 * said - 2.0), 0, 1), len(x)
        return Evaluation(acc, acc, np.zeros(n), np.zeros(n), np.full(n, "surrogate"))

    def carried(self):
        return CarriedTrees(self.places, self.trees, 0.1, -2.0)


class UnitsBenchmark(ToyBenchmark):
    """A network of two components, four units each, on a space of 45^12."""

    name = "units"
    provides = frozenset()

    def __init__(self):
        super().__init__(SPACE)
        rng = np.random.default_rng(0)
        columns = SPACE.features(SPACE.sample(rng, 1)).shape[1]
        facts = {"kinds": ("onehot",), "shift": np.full(columns, 0.1), "scale": np.ones(columns)}
        hidden, output = rng.normal(size=(columns + 1, 8)), rng.normal(size=(2, 5))
        self.network = Network(Features(SPACE, facts), hidden, output, np.zeros((2, 1)))

    def evaluate(self, x, *, epochs=None, best=False, seed=None):
        x = self.space.check(x)
        self.calls += len(x)
        said = self.network.predict(x)[0][:, -1]
        acc, n = np.clip(1 - np.exp(0.1 * said - 2.0), 0, 1), len(x)
        return Evaluation(acc, acc, np.zeros(n), np.zeros(n), np.full(n, "surrogate"))

    def carried(self):
        return self.network.carried(0.1, -2.0)


@pytest.fixture(scope="module")
def trees():
    return TreeBenchmark()


def check(env, params, n):
    worst = differences(env, params, n)
    assert worst["val_acc"] > 0  # 32 bits: equal numbers would be the same code
    for name, gap in worst.items():
        assert gap <= ASKED, (name, gap)


def test_some_episodes_are_those_of_the_numpy_environment(trees):
    check(*make(benchmark=trees, device=ToyDevice(SPACE), goal="latency_target"), 200)


def test_a_small_network_is_carried_over_too():
    check(*make(benchmark=UnitsBenchmark(), device=ToyDevice(SPACE)), 200)


def everything():
    """Every form of environment, reward and observation."""
    timed = {"device": ToyDevice(SPACE)}
    for granularity in ("block", "whole"):
        yield "Blox-v0", {"device": None, "granularity": granularity, "observation": "graph"}
        yield "Blox-v0", {**timed, "granularity": granularity, "observation": "onehot"}
    yield "BloxEdit-v0", {**timed, "observation": "indices"}
    yield "BloxEdit-v0", {**timed, "goal": "latency_target", "observation": "dict"}
    yield "MOBlox-v0", {**timed, "objectives": ("val_acc", "latency_ms", "reward")}
    yield "Blox-v0", {"device": None, "goal": "device", "goals": [ToyDevice(SPACE), Slow(SPACE)]}
    free = {"constraints": {"latency_ms": 6.0}, "enforce_constraints": False}
    for reward in ("accuracy", "mnasnet-hard", "tunas", "linear", "chebyshev", "constraint"):
        yield "Blox-v0", {**timed, **free, "reward": reward, "goal": "latency_target"}


class Slow(ToyDevice):
    name = "slow-device"
    factor = 3.0


@pytest.mark.jax
@pytest.mark.parametrize(("id_", "arguments"), list(everything()))
def test_ten_thousand_episodes_are_those_of_the_numpy_environment(trees, id_, arguments):
    check(*make(f"blox_env/{id_}", benchmark=trees, **arguments), 10_000)


@pytest.mark.jax
@pytest.mark.parametrize("granularity", ["block", "operation"])
@pytest.mark.parametrize("family", ["Darts", "DartsEdit", "MODarts"])
def test_ten_thousand_cells_are_those_of_the_numpy_environment(
    reference, tmp_path, family, granularity
):
    import_files(reference / "yahpo-nb301", tmp_path / "store")
    given = {"benchmark": str(tmp_path / "store"), "granularity": granularity}
    if family == "MODarts":
        given["objectives"] = ("val_acc", "params")
    check(*make(f"blox_env/{family}-v0", **given), 10_000)


@pytest.mark.jax
@pytest.mark.parametrize(
    ("family", "goal"),
    [
        ("BloxXL", {}),
        ("BloxXL", {"goal": "latency_target"}),
        ("BloxXLEdit", {}),
        ("BloxXLEdit", {"goal": "latency_target"}),
        ("MOBloxXL", {}),  # goals are for scalar rewards
    ],
)
def test_the_embedded_model_and_device_of_a_large_space(family, goal):
    check(*make(f"blox_env/{family}-v0", **goal), 10_000)


@pytest.mark.jax
@pytest.mark.parametrize("space", ["blox", "bloxxl"])
def test_a_folder_of_a_model_is_compiled(tmp_path, space):
    from blox_env.benchmarks.fit import fit_model
    from tests.benchmarks.test_model import write_trainings

    packed = write_trainings(tmp_path / "t.csv", space=space)
    fit_model([packed], tmp_path / "model", space, name="made-up", folds=3)
    env, params = make(benchmark=str(tmp_path / "model"), device=None, reward="accuracy")
    assert (params.model is None) == (space == "blox")  # a table where all can be listed
    check(env, params, 10_000)


@pytest.mark.jax
def test_made_up_cells_are_those_of_the_numpy_environment(tmp_path):
    import_files(made_up_folder(tmp_path / "nb301"), tmp_path / "store")
    check(*make("blox_env/Darts-v0", benchmark=str(tmp_path / "store")), 100)


def test_answers_do_not_depend_on_how_they_are_batched(trees):
    env, params = make(benchmark=trees, device=ToyDevice(SPACE))
    model = env.worth.model
    rows = SPACE.sample(np.random.default_rng(0), 12)
    want = np.ones(12, dtype=bool)
    exact = trees.evaluate(rows).val_acc
    flat = jax.vmap(model.of, (None, 0, 0))(params.model, rows, want)
    np.testing.assert_allclose(flat.val_acc, exact, atol=ASKED)
    twice = jax.vmap(jax.vmap(model.of, (None, 0, None)), (None, 0, None))
    wide = jax.jit(twice)(params.model, rows.reshape(3, 4, 12), True)
    np.testing.assert_array_equal(np.ravel(wide.val_acc), flat.val_acc)
    np.testing.assert_allclose(
        np.ravel(wide.latency_ms), ToyDevice(SPACE).latency_ms(rows), rtol=ASKED
    )
    models = jax.tree.map(lambda part: jnp.stack([part, part]), params.model)
    side = jax.vmap(jax.vmap(model.of, (None, 0, None)), (0, None, None))(models, rows, True)
    np.testing.assert_array_equal(side.val_acc, [flat.val_acc] * 2)


def test_nothing_is_asked_where_nobody_wants_an_answer(trees):
    asked = []

    class Counting(ToyDevice):
        def latency_ms(self, x):
            asked.append(len(x))
            return super().latency_ms(x)

    env, params = make(benchmark=trees, device=Counting(SPACE))
    rows = SPACE.sample(np.random.default_rng(0), 8)
    ask = jax.vmap(env.worth.model.of, (None, 0, 0))
    asked.clear()
    nothing = ask(params.model, rows, np.zeros(8, dtype=bool))
    assert not np.any(nothing.val_acc)
    assert asked == []
    some = ask(params.model, rows, np.arange(8) == 3)
    assert np.all(some.val_acc > 0)
    assert asked == [8]


def test_what_cannot_be_asked_is_refused(trees):
    given = {"benchmark": trees, "device": BoundedDevice(SPACE)}
    with pytest.raises(ValueError, match=r"masks in a table, which limits .* space as large as"):
        make(latency_budget_ms=8.0, **given)
    with pytest.raises(ValueError, match="noise='sampled' needs a table"):
        make(noise="sampled", **given)
    with pytest.raises(ValueError, match="a model that is carried over, got 'toy'"):
        make(benchmark=ToyBenchmark(SPACE), device=None)
    env, _ = make(**given)
    with pytest.raises(ValueError, match="Evolution needs a space that can be listed"):
        Evolution(env)
