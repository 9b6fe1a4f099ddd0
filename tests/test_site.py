"""The documentation site: its code runs, its commands exist, its generated pages are up to date."""

import re
import shlex
from copy import deepcopy
from pathlib import Path

import pytest
import typer

import blox_env.cli
from blox_env.ground import registry
from tests.test_pages import loaded
from tests.test_structure import api

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "docs" / "site"
PAGES = sorted([*SITE.glob("**/*.md"), *(ROOT / "docs" / "environments").glob("*.md")])
LONG = (
    "train-sb3",
    "train-jax",
    "cluster",
    "multi-objective",
)  # they train, or start what is slow to start


def blocks(path, language):
    """Code of a page in this language, one text a block."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def pages():
    return loaded("environment_pages")


@pytest.mark.extra
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.site] * (path.stem in LONG))
        for path in PAGES
        if blocks(path, "python")
    ],
)
def test_python_of_a_page_runs(path, pages, tmp_path, monkeypatch, capsys):
    """From top to bottom in one namespace; what is imported from others has a stand-in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_ENTRIES", deepcopy(registry._ENTRIES))
    code = "\n".join(blocks(path, "python"))
    space = pages.SPACES.get(pages.space_of(path.stem.removesuffix("-v0")))
    names = {"__name__": path.stem, "imported": pages.Nothing(space()) if space else None}
    code = re.sub(r'benchmark="stores/\w+"', "benchmark=imported", code)
    try:
        exec(compile(code, str(path), "exec"), names)
    except ImportError as error:
        pytest.skip(str(error))
    assert capsys.readouterr().out


def commands(path):
    """Each call of the command on a page, as a list of arguments."""
    lines = "\n".join(blocks(path, "sh")).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("blox-env ")]


@pytest.mark.parametrize("path", [p for p in PAGES if commands(p)], ids=lambda path: path.stem)
def test_commands_of_a_page_exist(path):
    top = typer.main.get_command(blox_env.cli.app)
    for arguments in commands(path):
        command = top
        for argument in arguments:
            if argument.startswith("--"):
                options = {o for each in command.params for o in each.opts + each.secondary_opts}
                assert argument.partition("=")[0] in options, (arguments, argument)
            else:
                command = getattr(command, "commands", {}).get(argument, command)
        assert command is not top, arguments


def test_pages_of_environments_are_what_the_code_gives(pages):
    written = {path.stem: path.read_text(encoding="utf-8") for path in pages.FOLDER.glob("*.md")}
    assert set(written) == {f"{name}-v0" for name in pages.names()}
    for name in pages.names():
        assert written[f"{name}-v0"] == pages.page(name), "run `python docs/environment_pages.py`"
        assert (pages.FOLDER / pages.animation(name)).exists()


def test_the_reference_has_a_page_for_every_public_package():
    there = {path.stem for path in (SITE / "api").glob("*.md")}
    assert set(api()) <= there
    for name in there:
        assert f"automodule:: {name}\n" in (SITE / "api" / f"{name}.md").read_text()
        assert f"\napi/{name}\n" in (SITE / "api.md").read_text()


def test_tables_of_docstrings_become_markdown(pages):
    rule = "=====  ====\n"
    rows = "``x``  one,\n       two\n``y``  :class:`~m.Three`\n"
    text = f"{rule}a      b\n{rule}{rows}{rule}".strip()
    assert pages.markdown(text) == "| a | b |\n| --- | --- |\n| `x` | one, two |\n| `y` | `Three` |"
    assert pages.markdown(":meth:`render` of :mod:`a.b`") == "`render` of `a.b`"
