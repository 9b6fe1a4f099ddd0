import pytest

from blox_env.ground.extras import extra, extra_module


def test_a_missing_package_names_the_extra():
    with (
        pytest.raises(
            ImportError, match=r"a report needs 'no_such_package'.*blox-env\[experiment\]"
        ) as e,
        extra("experiment", "a report"),
    ):
        import no_such_package  # type: ignore[import-not-found]  # noqa: F401
    assert e.value.name == "no_such_package"
    assert isinstance(e.value.__cause__, ModuleNotFoundError)


def test_other_errors_pass():
    with pytest.raises(KeyError), extra("experiment", "a report"):
        raise KeyError("x")


def test_modules():
    assert extra_module("json.decoder", "experiment", "a report").JSONDecoder
    with pytest.raises(ImportError, match=r"measuring needs 'no_such_package'"):
        extra_module("no_such_package.sub", "devices", "measuring")
