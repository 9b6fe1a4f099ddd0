from blox_env.ground.progress import silent, untracked


def test_walking_shows_nothing_and_leaves_no_step_out(capsys):
    assert list(untracked("title", range(2, 5))) == [2, 3, 4]
    silent(1, 2, "note")
    assert capsys.readouterr() == ("", "")
