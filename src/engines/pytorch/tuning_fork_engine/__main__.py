"""`python -m tuning_fork_engine RUN`: one attempt at a prepared run; where the recipe asks for several processes, their launch."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

from .attempt import DONE, run_attempt
from .launch import launch
from .ranks_environment import is_launched, rank_from_environment
from .run_files import RECORD, read_json


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tuning_fork_engine", description="Trains a prepared run with PyTorch.")
    parser.add_argument("run", type=Path, help="the run's folder")
    run = parser.parse_args().run.resolve()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    recipe = read_json(run / RECORD)["hyperparameters"]
    if recipe["device"] == "cpu":
        # Before PyTorch is loaded: nothing of it asks for a card that it does not see. Windows takes an empty word for none.
        os.environ["CUDA_VISIBLE_DEVICES"] = os.environ["HIP_VISIBLE_DEVICES"] = "-1"
    if recipe["launcher"] != "python" and not is_launched():
        return launch(run, recipe)
    rank, _ = rank_from_environment()
    return run_attempt(run, rank)


if __name__ == "__main__":
    code = main()
    if is_launched():
        from . import ranks

        if code == DONE:
            ranks.leave_together()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)  # one clean exit in six of several processes aborts otherwise
    sys.exit(code)
