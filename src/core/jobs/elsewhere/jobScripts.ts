/**
 * @file A prepared run -> the texts that start it on other machines: one script that trains, and how Slurm, SkyPilot, dstack and
 * plain SSH call it. Names of variables and fields are those of their documentation; PyTorch's own are NNODES, NODE_RANK,
 * MASTER_ADDR and MASTER_PORT everywhere.
 */
import { TuneError } from '../../../shared/errors.ts';
import type { TorchBuild } from '../../python/torchBuild.ts';

export interface JobShape {
  readonly nodes: number;
  /** On each node; 0 trains on processors. */
  readonly gpus: number;
  /** As SkyPilot and dstack call the card: `H100`, `A100-80GB`. */
  readonly gpuName: string;
  /** As Slurm reads it: `24:00:00`, `2-00:00:00`. */
  readonly timeLimit: string;
  readonly partition: string | undefined;
  readonly account: string | undefined;
  readonly build: TorchBuild;
}

export interface JobFacts {
  /** The run's id: letters, digits and dashes. */
  readonly runId: string;
  readonly shape: JobShape;
  /** Whether the base model's folder travels along. */
  readonly hasModel: boolean;
}

const patterns: readonly [keyof JobShape, RegExp, string][] = [
  ['gpuName', /^[A-Za-z0-9][\w.+-]{0,40}$/, 'the name of a card like H100'],
  ['timeLimit', /^(\d+-)?\d{1,3}(:\d{2}){0,2}$/, 'a time like 24:00:00'],
  ['partition', /^[\w.,+-]{1,100}$/, 'the name of a partition'],
  ['account', /^[\w.,+-]{1,100}$/, 'the name of an account'],
];

/** @throws TuneError `usage` for what would mean something else in a script */
export function checkShape(shape: JobShape): void {
  for (const [name, pattern, words] of patterns) {
    const value = shape[name];
    if (value === undefined || pattern.test(String(value))) continue;
    throw new TuneError('usage', `${name}: expected ${words}, got "${value}"`);
  }
}

/** Scheduler's names hold lower-case letters, digits and dashes, and no more than 40 of them. */
export function nameJob(runId: string): string {
  const slug = runId.replace(/^\d{8}-\d{6}-/, '');
  return `tf-${slug}`
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-')
    .slice(0, 40)
    .replace(/-+$/, '');
}

/** Makes the environment once, then trains; what every other text calls. */
export function writeTrainScript({ runId, shape }: JobFacts): string {
  const alone = shape.build === 'rocm' ? '' : ' --no-deps';
  return `#!/usr/bin/env bash
# Trains the run in this folder: makes a Python environment beside it once, then starts the engine.
#   TUNING_FORK_PYTHON         a Python of your own with the packages of engine/requirements, instead of making one
#   TUNING_FORK_VENV           where the environment is made (default: venv in this folder)
#   TUNING_FORK_BUILD          build of PyTorch: cpu, cuda12, cuda13, rocm (default: ${shape.build})
#   TUNING_FORK_MODEL_FOLDER   the base model's folder, where it does not lie beside this script
set -euo pipefail
here="$(cd -- "$(dirname -- "\${BASH_SOURCE[0]}")" && pwd)"
build="\${TUNING_FORK_BUILD:-${shape.build}}"
venv="\${TUNING_FORK_VENV:-$here/venv}"
requirements="$here/engine/requirements"

make_environment() {
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --only-binary=:all: --no-input${alone} -r "$requirements/torch-$build.txt"
  "$venv/bin/python" -m pip install --only-binary=:all: --no-input -r "$requirements/packages.txt"
  touch "$venv/.whole"
}

python="\${TUNING_FORK_PYTHON:-}"
if [ -z "$python" ]; then
  python="$venv/bin/python"
  # On a shared disk one node makes it and the others wait.
  waits=
  while [ ! -e "$venv/.whole" ]; do
    if mkdir "$venv.making" 2>/dev/null; then
      trap 'rmdir "$venv.making"' EXIT
      [ -e "$venv/.whole" ] || make_environment
      rmdir "$venv.making"
      trap - EXIT
    else
      [ -n "$waits" ] || echo "Waiting for the Python environment that another start makes here. If none does, remove $venv.making and start again." >&2
      waits=1
      sleep 5
    fi
  done
fi
[ "\${1:-}" = "--only-environment" ] && exit 0

export TUNING_FORK_MODEL_FOLDER="\${TUNING_FORK_MODEL_FOLDER:-$here/model}"
export PYTHONPATH="$here/engine" PYTHONSAFEPATH=1 PYTHONNOUSERSITE=1 PYTHONUTF8=1
exec "$python" -u -m tuning_fork_engine "$here/store/runs/${runId}"
`;
}

/** `sbatch slurm.sh` in this folder, which all nodes must see. */
export function writeSlurmScript({ runId, shape }: JobFacts): string {
  const { nodes, gpus, timeLimit, partition, account } = shape;
  const directives = [
    `--job-name=${nameJob(runId)}`,
    `--nodes=${nodes}`,
    '--ntasks-per-node=1',
    ...(gpus > 0 ? [`--gpus-per-node=${gpus}`] : []),
    `--time=${timeLimit}`,
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    '--output=slurm-%j.txt',
    // Two minutes before its time is over the run writes a checkpoint and pauses; submit it again to go on.
    '--signal=TERM@120',
  ];
  return `#!/bin/bash
${directives.map(line => `#SBATCH ${line}`).join('\n')}
set -euo pipefail
cd -- "$SLURM_SUBMIT_DIR"
export NNODES="$SLURM_JOB_NUM_NODES"
MASTER_ADDR="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"
MASTER_PORT="$((20000 + SLURM_JOB_ID % 20000))"
export MASTER_ADDR MASTER_PORT TUNING_FORK_RENDEZVOUS="$SLURM_JOB_ID"
./train.sh --only-environment
# One launcher a node; it starts a process for each card.
srun --kill-on-bad-exit=1 bash -c 'NODE_RANK="$SLURM_NODEID" exec ./train.sh'
`;
}

/** `sky launch skypilot.yaml` in this folder. */
export function writeSkyPilotTask({ runId, shape }: JobFacts): string {
  const { nodes, gpus, gpuName } = shape;
  return `name: ${quote(nameJob(runId))}
workdir: .
num_nodes: ${nodes}
resources:
${gpus > 0 ? `  accelerators: ${quote(`${gpuName}:${gpus}`)}` : '  cpus: 8+'}
setup: |
  bash train.sh --only-environment
run: |
  export NNODES="$SKYPILOT_NUM_NODES" NODE_RANK="$SKYPILOT_NODE_RANK" MASTER_PORT=29400
  export MASTER_ADDR="$(echo "$SKYPILOT_NODE_IPS" | head -n 1)"
  bash train.sh
`;
}

/** `dstack apply -f job.dstack.yml` in this folder. */
export function writeDstackTask({ runId, shape }: JobFacts): string {
  const { nodes, gpus, gpuName } = shape;
  return `type: task
name: ${quote(nameJob(runId))}
nodes: ${nodes}
python: "3.12"
files:
  - .:job
commands:
  - cd job
  - export NNODES="$DSTACK_NODES_NUM" NODE_RANK="$DSTACK_NODE_RANK" MASTER_ADDR="$DSTACK_MASTER_NODE_IP" MASTER_PORT=29400
  - bash train.sh
resources:
${gpus > 0 ? `  gpu: ${quote(`${gpuName}:${gpus}`)}` : '  cpu: 8..'}
  shm_size: 24GB
`;
}

/** Copies this folder to a machine, starts the run there detached, and brings it back as it goes. */
export function writeSshScript({ runId }: JobFacts): string {
  return `#!/usr/bin/env bash
# ./ssh.sh start USER@HOST [FOLDER]    copies this folder there and starts the run, which goes on without this machine
# ./ssh.sh follow USER@HOST [FOLDER]   brings the run back every 10 s and takes what was asked for here (pause, stop) there
# ./ssh.sh fetch USER@HOST [FOLDER]    the same, once
# FOLDER is relative to the home there; default: tuning-fork/${runId}
set -euo pipefail
cd -- "$(dirname -- "\${BASH_SOURCE[0]}")"
usage() { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
act="$1" host="$2" folder="\${3:-tuning-fork/${runId}}"
case "$host" in -*) usage ;; esac
# ssh hands its words to a shell there; rsync -s does not.
there="$(printf '%q' "$folder")"
run="store/runs/${runId}"

fetch() {
  mkdir -p "$run/control"
  rsync -as --ignore-existing -- "$run/control/" "$host:$folder/$run/control/"
  rsync -as --exclude '*.tmp' -- "$host:$folder/$run/" "$run/"
}

case "$act" in
  start)
    ssh -- "$host" "mkdir -p $there"
    # Started again, what the run has written there since is newer than what lies here.
    rsync -as --update --exclude venv --exclude venv.making -- ./ "$host:$folder/"
    ssh -- "$host" "cd $there && nohup bash train.sh > train.log 2>&1 < /dev/null & echo started, process \\$!"
    ;;
  fetch) fetch ;;
  follow)
    until fetch && grep -Eq '"state": ?"(finished|stopped|failed|paused)"' "$run/status.json"; do sleep 10; done
    ;;
  *) usage ;;
esac
`;
}

export function writeJobReadme(facts: JobFacts): string {
  const { runId, shape, hasModel } = facts;
  const model = hasModel
    ? 'The base model lies in model/.'
    : 'The base model does not travel along: set TUNING_FORK_MODEL_FOLDER to its folder there (config.json and *.safetensors).';
  return `Tuning Fork run ${runId}, prepared to train elsewhere: ${shape.nodes} node(s), ${shape.gpus} card(s) each.

store/           the run with its tokens and plan, and the data that it was prepared from
engine/          the Python package that trains, and its pinned requirements
${model}

Slurm       sbatch slurm.sh                      this folder on a disk that all nodes see
SkyPilot    sky launch skypilot.yaml
dstack      dstack apply -f job.dstack.yml       uploads are limited to 2 MB unless the server says otherwise
                                                 (DSTACK_SERVER_CODE_UPLOAD_LIMIT): keep the model on a volume
SSH         ./ssh.sh start USER@HOST, then ./ssh.sh follow USER@HOST
By hand     ./train.sh

While it trains, the run can be watched where this folder is shared or synced: tuning-fork runs --runs store, or the setting
tuningFork.runsFolder with the path of store/. Pause and stop work through files in the run's control/ folder. Started again,
it goes on from its last checkpoint.
`;
}

/** A double-quoted YAML string. */
const quote = (text: string): string => JSON.stringify(text);
