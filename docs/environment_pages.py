"""Writes a page for each registered environment, ``docs/environments/``, from the code.

    python docs/environment_pages.py

Spaces are those of environments made here, arguments and words those of the code. A test compares
the pages with what this gives. Needs the extra ``experiment`` for the animations, which are drawn
anew where ``--draw`` is given.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import inspect
import re
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike

import blox_env
from blox_env.envs.config import EnvConfig, MOEnvConfig

FOLDER = Path(__file__).resolve().parent / "environments"
SPACES = {
    "Blox": blox_env.BloxSpace,
    "BloxXL": blox_env.BloxXLSpace,
    "Darts": blox_env.DartsSpace,
    "MacroBench": blox_env.MacroBenchSpace,
    "NatsTopology": blox_env.NatsTopologySpace,
}
DATA = {  # what an environment runs on, where nothing is embedded
    "Darts": "blox-env import yahpo_data/nb301 --out stores/nb301",
    "MacroBench": "blox-env import nas-bench-macro_cifar10.json --out stores/macro",
    "NatsTopology": "blox-env import NATS-tss-v1_0-3ffb9-simple --out stores/nats",
}
RULE = r"^=+ [= ]+\n"
TABLE = re.compile(rf"{RULE}(?:.+\n)+?{RULE}(?:.+\n)+?=+ [= ]+$", re.MULTILINE)
ORDER = ("Blox", "BloxEdit", "MOBlox", "BloxXL", "BloxXLEdit", "MOBloxXL", "Darts", "DartsEdit",
         "MODarts", "MacroBench", "NatsTopology")  # fmt: skip


EXAMPLE = """\
import gymnasium as gym
import blox_env

env = gym.make(CALL)
env.action_space.seed(0)
observation, info = env.reset(seed=0)
over = False
while not over:
    action = env.action_space.sample(info["action_mask"])
    observation, reward, terminated, truncated, info = env.step(action)
    over = terminated or truncated
print(info["arch"], reward)
"""


class Nothing(blox_env.Benchmark):
    """Half of all pictures right, for spaces whose data are other people's."""

    name = "nothing"

    def __init__(self, space: blox_env.SearchSpace) -> None:
        self.space = space

    def evaluate(
        self,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> blox_env.Evaluation:
        """The same for each."""
        del epochs, best, seed
        half = np.full(len(self.space.check(x)), 0.5)
        return blox_env.Evaluation(half, half, half * 0, half, np.full(len(half), "imported"))


def names() -> list[str]:
    """Registered environments, without ``blox_env/`` and ``-v0``, in the order of the pages."""
    there = [
        name.removeprefix("blox_env/").removesuffix("-v0")
        for name in gym.registry
        if name.startswith("blox_env/")
    ]
    return sorted(there, key=ORDER.index)


def space_of(name: str) -> str:
    """``"DartsEdit"`` -> ``"Darts"``."""
    return name.removeprefix("MO").removesuffix("Edit")


def beside(name: str) -> Any:
    """A script beside this one as a module, however this one was started."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make(name: str, **arguments: Any) -> gym.Env[Any, Any]:
    """An environment, with made-up values where its data are other people's."""
    if space_of(name) in DATA:
        benchmark = Nothing(SPACES[space_of(name)]())
        arguments = {"benchmark": benchmark, "device": None, "reward": "accuracy", **arguments}
        if name.startswith("MO"):
            arguments |= {"reward": None, "objectives": ("val_acc", "params")}
    return gym.make(f"blox_env/{name}-v0", **arguments)


def told(space: object) -> str:
    """A space as a cell of a table: long rows of equal numbers shortened."""
    text = re.sub(r"\[(\d+)( \1){3,}\]", lambda m: f"[{m[1]} × {m[0].count(m[1])}]",
                  re.sub(r"\s+", " ", str(space)))  # fmt: skip
    text = re.sub(r"\[((?:\d+ ){6})[\d ]{12,}( \d+)\]", r"[\1…\2]", text)
    return f"`{text}`"


def steps(env: gym.Env[Any, Any]) -> str:
    """Length of an episode of allowed actions, ``"up to"`` where another end is set."""
    if env.spec is not None and env.spec.max_episode_steps:
        return f"up to {env.spec.max_episode_steps}"
    return str(len(play(env)))


def play(env: gym.Env[Any, Any], seed: int = 0) -> list[dict[str, Any]]:
    """The infos of an episode of random allowed actions."""
    rng, infos, over = np.random.default_rng(seed), [], False
    _, info = env.reset(seed=seed)
    while not over:
        _, _, terminated, truncated, info = env.step(allowed(env, info, rng))
        infos.append(info)
        over = terminated or truncated
    return infos


def allowed(env: gym.Env[Any, Any], info: dict[str, Any], rng: np.random.Generator) -> Any:
    """An action that the mask allows, of all slots at once where the action is that."""
    mask = info["action_mask"]
    if isinstance(env.action_space, gym.spaces.MultiDiscrete):
        parts = np.split(mask, np.cumsum(env.action_space.nvec)[:-1])
        return np.array([rng.choice(np.flatnonzero(part)) for part in parts])
    return int(rng.choice(np.flatnonzero(mask)))


def variants(name: str, argument: str, values: tuple[str, ...], what: str) -> list[str]:
    """Rows of a table of what an argument's values give; those that a space lacks are left out.

    Args:
        name: of the environment.
        argument: which argument.
        values: what is tried.
        what: ``"action_space"`` or ``"observation_space"``.
    """
    lines = []
    for value in values:
        try:
            env = make(name, **{argument: value})
        except ValueError:
            continue  # this environment has no such thing
        cells = [f"`{value}`", told(getattr(env, what))]
        if what == "action_space":
            cells.append(steps(env))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def options(config: type, name: str) -> list[str]:
    """The table of arguments, with the defaults of this environment."""
    own = gym.registry[f"blox_env/{name}-v0"].kwargs
    lines = ["| argument | default | meaning |", "| --- | --- | --- |"]
    for each in dataclasses.fields(config):
        default = own.get(each.name, each.default)
        shown = (
            f"`{default!r}`" if not (isinstance(default, str) and ":" in default) else "imported"
        )
        meaning = markdown(each.metadata["meaning"]).replace("|", "\\|")
        lines.append(f"| `{each.name}` | {shown} | {meaning} |")
    return lines


def markdown(text: str) -> str:
    """Docstring markup (roles, double backquotes, simple tables) as Markdown."""
    text = TABLE.sub(lambda match: table(match[0]), text)
    text = re.sub(r":\w+:`~[\w.]*\.(\w+)`", r"`\1`", text)
    text = re.sub(r":\w+:`([^`]+)`", r"`\1`", text)
    return re.sub(r"``(.+?)``", r"`\1`", text, flags=re.DOTALL)


def table(text: str) -> str:
    """A simple table of reStructuredText as one of Markdown; a row goes on where it is indented."""
    lines = text.splitlines()
    starts = [match.start() for match in re.finditer(r"=+", lines[0])]
    ends = [*starts[1:], None]
    rows: list[list[str]] = []
    for line in lines[1:-1]:
        if line.startswith("="):
            continue
        cells = [line[a:b].strip() for a, b in zip(starts, ends, strict=True)]
        if cells[0] or not rows:
            rows.append(cells)
        else:
            rows[-1] = [f"{a} {b}".strip() for a, b in zip(rows[-1], cells, strict=True)]
    shown = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([shown[0], "|" + " --- |" * len(starts), *shown[1:]])


def sections(cls: type) -> dict[str, str]:
    """The parts of an environment's docstring by heading, ``""`` for what comes first."""
    text = markdown(inspect.cleandoc(cls.__doc__ or ""))
    first, *rest = re.split(r"(?m)^## (.+)\n", text)
    return {"": first, **dict(zip(rest[::2], (part.strip() for part in rest[1::2]), strict=True))}


def entry(name: str) -> type:
    """The class of an environment."""
    return type(make(name).unwrapped)


def example(name: str) -> str:
    """A few lines that run."""
    base = space_of(name)
    given = [f'"blox_env/{name}-v0"']
    if base in DATA:
        given.append(f'benchmark="{DATA[base].rpartition(" ")[2]}"')
        if name.startswith("MO"):
            given += ["device=None", 'objectives=("val_acc", "params")']
    call = ", ".join(given)
    if len(call) > 80:  # as ruff formats it
        call = f"\n    {call}\n"
    return EXAMPLE.replace("CALL", call)


def page(name: str) -> str:
    """The page of one environment."""
    base, cls = space_of(name), entry(name)
    env, said = make(name), sections(cls)
    if name != "Blox":
        said = {k: v.replace("`BloxEnv`", "[`Blox-v0`](Blox-v0.md)") for k, v in said.items()}
    space = SPACES[base]()
    config = MOEnvConfig if name.startswith("MO") else EnvConfig
    edits = name.endswith("Edit")
    choices = " and ".join(map(str, sorted(set(space.options))))
    count = f"{space.size:,}" if space.size < 10**9 else f"{float(space.size):.2e}"
    head = [
        f"# {name}-v0",
        "",
        "<!-- Written by docs/environment_pages.py; do not edit. -->",
        "",
        said[""].strip(),
        "",
        f"![An episode of random actions, as render() draws it]({animation(name)})",
        "",
        "| | |",
        "| --- | --- |",
        f"| id | `blox_env/{name}-v0` |",
        f"| search space | `{type(space).__name__}`: {count} architectures |",
        f"| an architecture | {len(space.options)} slots of {choices} options |",
        f"| action space | {told(env.action_space)} |",
        f"| observation space | {told(env.observation_space)} |",
        f"| steps of an episode | {steps(env)} |",
        '| many at once | `gym.make_vec(…, vectorization_mode="vector_entry_point")` |',
        "",
    ]
    if base in DATA:
        head += [
            "The data are other people's and not in the package. Import what you downloaded, once:",
            "",
            "```sh",
            DATA[base],
            "```",
            "",
        ]
    body = ["```python", example(name) + "```", ""]
    if base == "Blox" and "Description" in said:
        body += ["## Description", "", said["Description"], ""]
    body += ["## Actions", ""]
    body += ["| granularity | action space | steps |", "| --- | --- | --- |"]
    body += variants(name, "granularity", ("block", "operation", "whole"), "action_space")
    if base == "Blox":
        heading = next((key for key in said if key.startswith("Action space")), None)
        body += ["", *([said[heading]] if heading else [])]
    elif not edits:
        body += ["", "What they mean: [Blox-v0](Blox-v0.md#actions)."]
    else:
        body += ["", "What they mean: [BloxEdit-v0](BloxEdit-v0.md#actions)."]
    body += ["", "## Observations", ""]
    body += ["| observation | observation space |", "| --- | --- |"]
    kinds = ("ops", "onehot", "indices", "graph", "dict")
    body += variants(name, "observation", kinds, "observation_space")
    if name == "Blox":
        body += ["", said["Observation space"]]
    else:
        body += ["", "What they hold: [Blox-v0](Blox-v0.md#observations)."]
    like = {"": "Blox", "Edit": "BloxEdit"}["Edit" if edits else ""]
    like = "MOBlox" if name.startswith("MO") else like
    if base == "Blox":
        for heading in ("Reward", "Start and end of an episode", "Info"):
            if heading in said:
                body += ["", f"## {heading}", "", said[heading]]
        if name == "MOBlox":
            body += ["", "Episodes and infos are those of [Blox-v0](Blox-v0.md)."]
    else:
        body += ["", "## Reward, episodes, info", "", f"Those of [{like}-v0]({like}-v0.md)."]
    curves = beside("learning_curves")
    body += curves.words(name, curves.kept())
    body += ["", "## Arguments", "", *options(config, name)]
    body += ["", "## Versions", "", said.get("Version history", "* v0: initial version.")]
    return "\n".join([*head, *body]).rstrip() + "\n"


def animation(name: str) -> str:
    """The picture of an environment: those that look alike share one."""
    return f"{name.removeprefix('MO')}.gif"


def draw(name: str, path: Path) -> None:
    """An episode of random allowed actions as an animation.

    Args:
        name: of the environment.
        path: where it goes.
    """
    from PIL import Image

    env = make(name, render_mode="rgb_array")
    rng = np.random.default_rng(4)
    _, info = env.reset(seed=0)
    frames = [env.render()]
    over = False
    while not over and len(frames) < 8:
        _, _, terminated, truncated, info = env.step(allowed(env, info, rng))
        frames.append(env.render())
        over = terminated or truncated
    images = [Image.fromarray(np.asarray(frame)).convert("RGB") for frame in frames]
    width, height = (max(sizes) for sizes in zip(*(i.size for i in images), strict=True))
    scale = min(1.0, 760 / width)
    pictures = []
    for image in images:
        whole = Image.new("RGB", (width, height), "white")
        whole.paste(image, (0, 0))
        small = whole.resize((int(width * scale), int(height * scale)), Image.Resampling.LANCZOS)
        pictures.append(small.quantize(20, dither=Image.Dither.NONE))
    times = [900] * (len(pictures) - 1) + [3000]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=times, loop=0, optimize=True
    )


def main() -> None:
    """Write the pages, and the animations where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draw", action="store_true", help="draw the animations anew")
    arguments = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for name in names():
        (FOLDER / f"{name}-v0.md").write_text(page(name), encoding="utf-8")
        path = FOLDER / animation(name)
        if arguments.draw and not name.startswith("MO"):
            draw(name, path)


if __name__ == "__main__":
    main()
