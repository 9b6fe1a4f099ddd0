import pytest

from blox_env.experiment.facts import Facts, Origin, differing

SAID = {
    "agent": "a",
    "benchmark": "b",
    "device": None,
    "repeat": 3,
    "seed": 17,
    "budget": 5,
    "best": 0,
    "test_acc": 0.5,
    "options": {"batch": 2},
}


def test_facts_come_back_as_they_were_written():
    facts = Facts.from_json(SAID, 3)
    assert (facts.repeat, facts.seed, facts.budget) == (3, 17, 5)
    assert Facts.from_json(facts.to_json(), 3) == facts


def test_facts_of_schema_2_have_other_names():
    old = {**SAID, "seed": 3, "random": 17, "settings": {"code": "abc"}}
    del old["repeat"]
    facts = Facts.from_json(old, 2)
    assert (facts.repeat, facts.seed, facts.noise_seed) == (3, 17, 3)
    assert facts.agent_settings == {"code": "abc"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"budget": "many"}, "'budget' must be int, got 'many'"),
        ({"best": True}, "'best' must be int, got True"),
        ({"versions": {"numpy": 2}}, "'versions' must be"),
        ({"optimum": "best"}, "'optimum' must be float | None, got 'best'"),
    ],
)
def test_a_fact_of_another_type_is_named(change, message):
    with pytest.raises(ValueError, match=message.replace("|", r"\|")):
        Facts.from_json({**SAID, **change}, 3)


def test_missing_facts_are_named():
    with pytest.raises(ValueError, match="'agent'"):
        Facts.from_json({name: SAID[name] for name in SAID if name != "agent"}, 3)


def test_what_differs_between_origins():
    one = Origin(agent="a", benchmark="b", device=None, repeat=0)
    other = Origin(agent="a", benchmark="b", device=None, repeat=0, seed=3, budget=7)
    assert differing(one, other) == ["budget", "seed"]
