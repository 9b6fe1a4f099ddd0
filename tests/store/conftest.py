import shutil

import pytest

from tests.store.stores import import_store


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    return import_store(tmp_path_factory.mktemp("release"))


@pytest.fixture
def damaged(store, tmp_path):
    shutil.copytree(store, tmp_path / "copy")
    return tmp_path / "copy"
