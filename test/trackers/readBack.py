"""What TensorBoard, MLflow and Weights & Biases say of a run, as one JSON object: readBack.py tensorboard FOLDER | mlflow URI RUN_ID | wandb FOLDER."""

import json
import subprocess
import sys


def read_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    events = EventAccumulator(folder, size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    texts = [tag for tag in tags["tensors"] if tag.endswith("/text_summary")]
    data = plugin_data_pb2.HParamsPluginData()
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    data.ParseFromString(content)
    hparams = data.session_start_info.hparams
    return {
        "scalars": {tag: [[e.step, e.value, e.wall_time] for e in events.Scalars(tag)] for tag in tags["scalars"]},
        "texts": {tag: [[e.step, e.tensor_proto.string_val[0].decode()] for e in events.Tensors(tag)] for tag in texts},
        "hparams": {name: getattr(value, value.WhichOneof("kind")) for name, value in hparams.items()},
    }


def read_mlflow(uri, run_id):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    run = client.get_run(run_id)
    files = []
    folders = [None]
    while folders:
        for item in client.list_artifacts(run_id, folders.pop()):
            (folders if item.is_dir else files).append(item.path)
    return {
        "status": run.info.status,
        "name": run.info.run_name,
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": {
            key: [[m.step, m.value, m.timestamp] for m in client.get_metric_history(run_id, key)]
            for key in run.data.metrics
        },
        "files": sorted(files),
    }


def read_wandb(folder):
    inspect = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", folder]
    lines = subprocess.run(inspect, capture_output=True, text=True, check=True).stdout.splitlines()
    records = [json.loads(line) for line in lines]
    config = {}
    for record in records:
        if record["type"] == "run":
            config.update(record["run"]["config"]["update"])
    return {
        "history": [record["history"]["item"] for record in records if record["type"] == "history"],
        "config": config,
        "artifacts": [record["artifact"]["name"] for record in records if record["type"] == "artifact"],
        "exits": [record for record in records if record["type"] == "exit"],
    }


readers = {"tensorboard": read_tensorboard, "mlflow": read_mlflow, "wandb": read_wandb}
print(json.dumps(readers[sys.argv[1]](*sys.argv[2:])))
