"""Blockwise learning: blocks taught by a network's stages, and networks put together from them."""

from blox_env.networks.blockwise.assembly import assemble, fine_tune, fine_tune_recipe, load_blocks
from blox_env.networks.blockwise.distil import BlockLesson, Distilled, distil_block, lesson_for
from blox_env.networks.blockwise.driver import NetworkLesson, distil_all, train_all
from blox_env.networks.blockwise.iteration import Round, iterate
from blox_env.networks.blockwise.signatures import read_signatures
from blox_env.networks.blockwise.teacher import (
    Distilling,
    Taught,
    Teacher,
    random_teacher,
    teach,
    trained_teacher,
)
from blox_env.networks.signatures import Signatures

__all__ = [
    "BlockLesson",
    "Distilled",
    "Distilling",
    "NetworkLesson",
    "Round",
    "Signatures",
    "Taught",
    "Teacher",
    "assemble",
    "distil_all",
    "distil_block",
    "fine_tune",
    "fine_tune_recipe",
    "iterate",
    "lesson_for",
    "load_blocks",
    "random_teacher",
    "read_signatures",
    "teach",
    "train_all",
    "trained_teacher",
]
