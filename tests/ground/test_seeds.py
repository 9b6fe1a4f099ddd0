from blox_env.ground.seeds import spawn_seeds


def test_spawned_seeds_are_nested_and_distinct():
    few, many = spawn_seeds(5, 3), spawn_seeds(5, 100)
    assert many[:3] == few
    assert len(set(many)) == 100
    assert spawn_seeds(6, 3) != few
    assert all(0 <= s < 2**31 for s in many)
