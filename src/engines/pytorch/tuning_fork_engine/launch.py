"""A recipe for several processes -> torchrun or accelerate, which start them, and what is said when they fail.

Hosts find each other by the names that people know: NNODES, NODE_RANK, MASTER_ADDR, MASTER_PORT; the same command runs on each.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from .errors import wire_error
from .extension_builds import use_own_builds
from .failures import clear_failures, read_first_failure
from .log_file import LogFile
from .parent_watch import PARENT_VARIABLE, watch_parent
from .run_files import STATUS, read_json, write_json

_PORT = "29400"
_TERMINAL = ("finished", "failed", "paused", "stopped")


def launch(run: Path, recipe: dict[str, Any]) -> int:
    """The exit code of the launcher; a run that it leaves without a last word is failed."""
    watch_parent()
    clear_failures(run)
    if recipe["sharding"] == "deepspeed":
        use_own_builds()
    log = LogFile(run, int(os.environ.get("NODE_RANK", "0")))
    command = make_command(run, recipe, dict(os.environ))
    log.write(f"PyTorch: {' '.join(command)}")
    environment = {**os.environ, "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}  # without it restarted processes do not find each other
    environment[PARENT_VARIABLE] = str(os.getpid())  # torchrun gives each process a session of its own: nobody else would end them
    environment.setdefault("OMP_NUM_THREADS", str(recipe["threads"] or max(1, (os.cpu_count() or 1) // recipe["processes"])))
    child = subprocess.Popen(command, env=environment)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: child.send_signal(received))
    code = child.wait()
    if int(os.environ.get("NODE_RANK", "0")) == 0:
        _tell_failure(run, log, code, environment.get("NNODES", str(recipe["hosts"])))
        state = read_json(run / STATUS)["state"]
        return {"finished": 0, "paused": 130, "stopped": 130}.get(state, 1)
    return code


def make_command(run: Path, recipe: dict[str, Any], environment: dict[str, str]) -> list[str]:
    """The command of this host."""
    hosts = environment.get("NNODES", str(recipe["hosts"]))
    module = ["-m", "tuning_fork_engine", str(run)]
    if recipe["launcher"] == "accelerate":
        processes = recipe["processes"] * recipe["hosts"]
        # Its word for several processes, graphics cards or not: without it one is started where it sees a single card or none.
        several = ["--multi_gpu"] if processes > 1 else []
        config = ["--config_file", recipe["launcherConfig"][0]] if recipe["launcherConfig"] else several
        return [
            *(sys.executable, "-m", "accelerate.commands.launch", *config),
            *("--num_processes", str(processes), "--num_machines", hosts),
            *("--machine_rank", environment.get("NODE_RANK", "0"), "--max_restarts", str(recipe["maxRestarts"])),
            *(("--main_process_ip", environment["MASTER_ADDR"]) if "MASTER_ADDR" in environment else ()),
            # 0: any that is free.
            *("--main_process_port", environment.get("MASTER_PORT", "0" if hosts == "1" else _PORT)),
            *module,
        ]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(recipe["processes"]), "--max-restarts", str(recipe["maxRestarts"])]
    if hosts == "1":
        return [*command, "--standalone", *module]
    address = environment.get("MASTER_ADDR", "127.0.0.1")
    node = environment.get("NODE_RANK", "0")
    return [
        *(*command, "--nnodes", hosts, "--rdzv-backend", "c10d", "--rdzv-id", environment.get("TUNING_FORK_RENDEZVOUS", run.name)),
        *("--rdzv-endpoint", f"{address}:{environment.get('MASTER_PORT', _PORT)}"),
        # Who holds the rendezvous is said, not guessed: hosts whose names do not resolve guess wrong.
        *("--rdzv-conf", f"is_host={1 if node == '0' else 0}"),
        *(("--local-addr", environment["LOCAL_ADDR"]) if "LOCAL_ADDR" in environment else ()),
        *module,
    ]


def _tell_failure(run: Path, log: LogFile, code: int, hosts: str) -> None:
    """A process that was killed could say nothing itself."""
    status = read_json(run / STATUS)
    if status["state"] in _TERMINAL:
        return
    error = read_first_failure(run) or _describe_end(code, hosts)
    log.write(f"PyTorch: failed: {error['code']}: {error['message']}")
    write_json(run / STATUS, {**status, "state": "failed", "identity": None, "phase": None, "error": error})


def _describe_end(code: int, hosts: str) -> dict[str, Any]:
    """What is said where no process said anything here."""
    if code == 0 and hosts != "1":
        return wire_error(
            "process-ended",
            "hosts: expected the run to be written on the host of NODE_RANK 0, got it written on another",
            "Its results are on that host: copy its run folder here. Hosts are numbered by their addresses (LOCAL_ADDR), sorted as text.",
        )
    return wire_error(
        "process-ended",
        f"launcher: expected the processes to end by themselves, got exit code {code}",
        "The log of the run and logs/rank-N.txt tell what each process said last.",
    )
