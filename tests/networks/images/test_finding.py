import pytest

from blox_env.networks.images import find_images


def test_nothing_given_says_what_to_get_and_where_to_put_it(monkeypatch, tmp_path):
    monkeypatch.delenv("BLOX_ENV_DATA", raising=False)
    with pytest.raises(FileNotFoundError) as error:
        find_images("cifar10")
    for part in ("cifar-10-python.tar.gz", "cs.toronto.edu", "--data", "BLOX_ENV_DATA"):
        assert part in str(error.value)
    monkeypatch.setenv("BLOX_ENV_DATA", str(tmp_path / "absent"))
    with pytest.raises(FileNotFoundError, match=r"absent does not exist; get cifar-100-python"):
        find_images("cifar100")
    monkeypatch.setenv("BLOX_ENV_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"expected cifar-10-python\.tar\.gz, .* there"):
        find_images("cifar10")


def test_an_unknown_name_has_a_near_miss():
    with pytest.raises(ValueError, match=r"unknown images 'cifar-10', .* did you mean 'cifar10'"):
        find_images("cifar-10")


def test_an_archive_is_no_folder_of_ones_own(tmp_path):
    path = tmp_path / "mine.tar.gz"
    path.write_bytes(b"x")
    with pytest.raises(ValueError, match="expected a folder of pictures by class, or a pack"):
        find_images("folder", path)
    with pytest.raises(ValueError, match=r"mine\.tar\.gz: expected MD5 c58f"):
        find_images("cifar10", path)
