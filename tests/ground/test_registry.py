import pytest

from blox_env import Agent, Benchmark
from blox_env.ground import registry
from tests.toys import ToyBenchmark

made: list[ToyBenchmark] = []


def toy():
    made.append(ToyBenchmark())
    return made[-1]


HERE = f"{__name__}:toy"


@pytest.fixture(autouse=True)
def own(monkeypatch):
    monkeypatch.setattr(registry, "_ENTRIES", registry.registrations())


def test_a_name_is_made_once_and_again_when_it_stands_for_something_else():
    registry.register_benchmark("mine", HERE)
    first = registry.load("benchmark", "mine", Benchmark)
    assert registry.load("benchmark", "mine", Benchmark) is first
    registry._ENTRIES["benchmark"]["mine"] = "tests.toys:ToyBenchmark"
    assert registry.load("benchmark", "mine", Benchmark) is not first


@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        ("a:b", HERE, "name must be a word"),
        ("", HERE, "name must be a word"),
        ("mine", "no colon", 'target must be "module:Class"'),
        ("digits", HERE, "already stands for"),
    ],
)
def test_bad_registrations(name, target, message):
    with pytest.raises(ValueError, match=message):
        registry.register_benchmark(name, target)


def test_registering_twice_is_no_conflict():
    registry.register_agent("mine", HERE)
    registry.register_agent("mine", HERE)
    assert registry.list_agents().count("mine") == 1


def test_a_target_of_another_class_is_refused():
    with pytest.raises(TypeError, match=r"agent 'tests\.toys:ToyBenchmark' must give an Agent"):
        registry.make("agent", "tests.toys:ToyBenchmark", {}, Agent)
    with pytest.raises(TypeError, match="benchmark must be a name, got 3"):
        registry.load("benchmark", 3, Benchmark)
    with pytest.raises(ImportError, match="has no 'Nothing'"):
        registry.resolve("benchmark", "tests.toys:Nothing")


def test_unknown_options_are_named_with_a_near_miss():
    with pytest.raises(ValueError, match="did you mean 'space'"):
        registry.make("benchmark", "tests.toys:ToyBenchmark", {"spac": None}, Benchmark)


def test_registrations_travel():
    registry.register_device("far", HERE)
    there = registry.registrations()
    del registry._ENTRIES["device"]["far"]
    registry.restore(there)
    assert "far" in registry.names("device")


def test_folders_become_absolute_and_names_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert registry.absolute("benchmark", "mine") == str(tmp_path / "mine")
    (tmp_path / "digits").mkdir()
    assert registry.absolute("benchmark", "digits") == "digits"
    assert registry.absolute("benchmark", "nowhere") == "nowhere"


def test_code_is_told_from_names():
    assert registry.is_code("benchmark", "some.module:Class")
    assert not registry.is_code("benchmark", "live:digits")
    assert not registry.is_code("benchmark", "digits")


def test_folders_of_another_kind_and_near_misses_are_named(tmp_path):
    store, board = tmp_path / "store", tmp_path / "store" / "devices" / "board"
    board.mkdir(parents=True)
    (board / "latency.npy").touch()
    (store / "manifest.json").touch()
    for kind, place, message in (
        ("benchmark", board, "board is a device, not a benchmark"),
        ("device", store, f"is a benchmark, not a device; its devices are {board}"),
        ("device", board.with_name("boardd"), f"there is no such folder; did you mean {board}"),
        ("benchmark", tmp_path / "x", "benchmark '.*x': there is no such folder$"),
    ):
        with pytest.raises(ValueError, match=message):
            registry.load(kind, str(place), object)
