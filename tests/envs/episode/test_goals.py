import numpy as np

from blox_env.envs.episode.goals import draws, seed_numbers


def test_draws_of_an_environment_do_not_depend_on_the_others():
    many = draws(seed_numbers(5, 4), np.array([0, 1, 2, 3]), 3)
    for i in range(4):
        alone = draws(seed_numbers(5 + i, 1), np.array([i]), 3)
        np.testing.assert_array_equal(many[i], alone[0])
    plenty = draws(seed_numbers(0, 50_000), np.zeros(50_000, np.int64), 2)
    assert ((plenty >= 0) & (plenty < 1)).all()
    assert np.abs(np.histogram(plenty, 20)[0] / 5000 - 1).max() < 0.08
    assert abs(np.corrcoef(plenty.T)[0, 1]) < 0.02
    assert len(np.unique(plenty)) > 99_000
