"""Writes an offline run of Weights & Biases with its own library, or uploads one.

JSON lines on standard input, one answer each on standard output. Ends with its input; a run that is open then is finished.
"""

import io
import json
import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout

run = None
answers = sys.stdout


def read_number(value):
    if isinstance(value, dict) and set(value) == {"number"}:
        return float(value["number"])
    return value


def init(message):
    global run
    import wandb

    settings = wandb.Settings(
        console="off",
        disable_git=True,
        save_code=False,
        silent=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
    )
    run = wandb.init(
        mode="offline",
        id=message["id"],
        dir=message["folder"],
        project=message["project"],
        entity=message["entity"],
        name=message["name"],
        tags=message["tags"],
        config=message["config"],
        settings=settings,
    )
    return {"folder": os.path.dirname(run.dir)}


def log(message):
    for row in message["rows"]:
        run.log({name: read_number(value) for name, value in row["values"].items()}, step=row["step"])
    return {}


def samples(message):
    import wandb

    rows = [[row["step"], row["prompt"], row["text"]] for row in message["rows"]]
    run.log({"samples": wandb.Table(columns=["step", "prompt", "text"], data=rows)})
    return {}


def artifact(message):
    import wandb

    logged = wandb.Artifact(message["name"][:128], type="model")
    for name in sorted(os.listdir(message["folder"])):
        path = os.path.join(message["folder"], name)
        if os.path.isfile(path):
            # The run folder keeps it: no second copy until the upload.
            logged.add_file(path, name=name, policy="immutable", skip_cache=True)
    run.log_artifact(logged)
    return {}


def finish(message):
    global run
    run.summary["state"] = message["state"]
    run.finish(exit_code=1 if message["state"] in ("failed", "interrupted") else 0)
    run = None
    return {}


def sync(message):
    os.environ["WANDB_API_KEY"] = message["key"]
    os.environ["WANDB_BASE_URL"] = message["baseUrl"]
    from click.exceptions import ClickException
    from wandb.cli.cli import cli

    said = io.StringIO()
    code = 0
    try:
        with redirect_stdout(said), redirect_stderr(said):
            code = cli(["sync", "--include-synced", message["folder"]], standalone_mode=False) or 0
    except SystemExit as end:
        code = end.code
    except ClickException as error:
        return {"error": error.format_message()}
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said.getvalue()).replace(message["key"], "***")
    if code != 0 or re.search(r"^(wandb: )?ERROR", text, re.M):
        return {"error": " ".join(text.split())[-600:] or f"exit code {code}"}
    link = re.search(r"https?://\S+/runs/[\w.~-]+", text)
    return {"link": link.group(0) if link else None}


def main():
    global answers
    # What the library prints must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    acts = {"init": init, "log": log, "samples": samples, "artifact": artifact, "finish": finish, "sync": sync}
    for line in sys.stdin:
        message = json.loads(line)
        try:
            answer = acts[message["type"]](message)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps({"answer": answer}, separators=(",", ":")) + "\n")
        answers.flush()
    if run is not None:
        run.finish()


main()
