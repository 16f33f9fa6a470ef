import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  checkShape,
  type JobFacts,
  type JobShape,
  nameJob,
  writeDstackTask,
  writeJobReadme,
  writeSkyPilotTask,
  writeSlurmScript,
  writeSshScript,
  writeTrainScript,
} from '../../../../../src/core/jobs/elsewhere/jobScripts.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';
import { catchTuneError } from '../../formats/catchTuneError.ts';

const runId = '20261124-093000-medquad-1f3a';
const shape: JobShape = {
  nodes: 2,
  gpus: 8,
  gpuName: 'H100',
  timeLimit: '2-00:00:00',
  partition: 'gpu',
  account: undefined,
  build: 'cuda13',
};
const facts: JobFacts = { runId, shape, hasModel: true };
const alone: JobFacts = { ...facts, shape: { ...shape, nodes: 1, gpus: 0, build: 'cpu' }, hasModel: false };
const hasBash = process.platform !== 'win32';

describe('the YAML tasks', () => {
  it('parse to the fields that SkyPilot documents', () => {
    expect(parse(writeSkyPilotTask(facts))).toEqual({
      name: 'tf-medquad-1f3a',
      workdir: '.',
      num_nodes: 2,
      resources: { accelerators: 'H100:8' },
      setup: 'bash train.sh --only-environment\n',
      run: expect.stringContaining('NODE_RANK="$SKYPILOT_NODE_RANK"'),
    });
    expect(parse(writeSkyPilotTask(alone)).resources).toEqual({ cpus: '8+' });
  });

  it('parse to the fields that dstack documents', () => {
    expect(parse(writeDstackTask(facts))).toEqual({
      type: 'task',
      name: 'tf-medquad-1f3a',
      nodes: 2,
      python: '3.12',
      files: ['.:job'],
      commands: ['cd job', expect.stringContaining('NODE_RANK="$DSTACK_NODE_RANK"'), 'bash train.sh'],
      resources: { gpu: 'H100:8', shm_size: '24GB' },
    });
    expect(parse(writeDstackTask(alone)).resources).toEqual({ cpu: '8..', shm_size: '24GB' });
  });

  it('have names that schedulers take', () => {
    expect(nameJob(`20261124-093000-${'a'.repeat(40)}-1f3a`)).toMatch(/^[a-z][a-z0-9-]{1,40}$/);
  });
});

describe('the scripts', () => {
  it.runIf(hasBash)('are shell that bash understands, without a word that is not replaced', () => {
    const texts = [facts, alone].flatMap(of => [writeTrainScript(of), writeSlurmScript(of), writeSshScript(of)]);
    const tasks = [facts, alone].flatMap(of => [
      parse(writeSkyPilotTask(of)).run,
      parse(writeDstackTask(of)).commands.join('\n'),
    ]);
    for (const text of [...texts, ...tasks]) {
      execFileSync('bash', ['-n'], { input: text });
      expect(text).not.toMatch(/undefined|\[object/);
    }
  });

  it('ask Slurm for a launcher a node and all its cards', () => {
    const directives = writeSlurmScript(facts)
      .split('\n')
      .filter(line => line.startsWith('#SBATCH '))
      .map(line => line.slice('#SBATCH '.length));
    expect(directives).toEqual([
      '--job-name=tf-medquad-1f3a',
      '--nodes=2',
      '--ntasks-per-node=1',
      '--gpus-per-node=8',
      '--time=2-00:00:00',
      '--partition=gpu',
      '--output=slurm-%j.txt',
      '--signal=TERM@120',
    ]);
    expect(writeSlurmScript(alone)).not.toContain('gpus-per-node');
  });

  it.runIf(hasBash)('say once what they wait for where another start makes the environment, and what to remove', () => {
    const folder = temporaryFolder();
    const programs = join(folder, 'programs');
    for (const path of [programs, join(folder, 'venv.making')]) mkdirSync(path);
    // The third look finds it made.
    const sleep = `#!/bin/bash
if [ -e "${folder}/slept" ]; then mkdir -p "${folder}/venv"; touch "${folder}/venv/.whole"; fi
touch "${folder}/slept"
`;
    writeFileSync(join(programs, 'sleep'), sleep);
    chmodSync(join(programs, 'sleep'), 0o755);
    writeFileSync(join(folder, 'train.sh'), writeTrainScript(alone));
    const { PATH, TUNING_FORK_PYTHON: _python, TUNING_FORK_VENV: _venv, ...env } = process.env;
    const { status, stderr } = spawnSync('bash', [join(folder, 'train.sh'), '--only-environment'], {
      env: { ...env, PATH: [programs, PATH].join(delimiter) },
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^Waiting .* remove .*venv\.making and start/),
    ]);
  });

  it('say what travels along', () => {
    expect(writeJobReadme(facts)).toContain('The base model lies in model/.');
    expect(writeJobReadme(alone)).toContain('TUNING_FORK_MODEL_FOLDER');
  });

  it.runIf(hasBash)('start, fetch and follow a run over SSH, from a folder to a folder with odd names', () => {
    const folder = join(temporaryFolder(), "it's a job");
    const [programs, home] = [join(folder, '../programs'), join(folder, '../home')];
    const run = `store/runs/${runId}`;
    for (const path of [programs, home, join(folder, run, 'control')]) mkdirSync(path, { recursive: true });
    const write = (path: string, text: string) => {
      writeFileSync(path, text);
      chmodSync(path, 0o755);
    };
    // ssh runs the command in another home; rsync copies between here and there, its words read by no shell as with -s.
    write(join(programs, 'ssh'), `#!/bin/bash\n[ "$1" = -- ] && shift\nshift\ncd "${home}" && exec bash -c "$*"\n`);
    write(
      join(programs, 'rsync'),
      `#!/bin/bash
[ "$1" = -as ] || exit 9
update=
while [ "$1" != -- ]; do [ "$1" = --update ] && update=1; shift; done; shift
resolve() { case "$1" in user@host:*) printf '%s/%s' "${home}" "\${1#user@host:}" ;; *) printf '%s' "$1" ;; esac; }
from="$(resolve "$1")" to="$(resolve "$2")"
(cd "$from" && find . -type f) | while IFS= read -r file; do
  [ -n "$update" ] && [ "$to$file" -nt "$from$file" ] && continue
  mkdir -p "$(dirname -- "$to$file")" && cp -p "$from$file" "$to$file"
done
`,
    );
    write(join(folder, 'ssh.sh'), writeSshScript(facts));
    write(join(folder, 'train.sh'), `echo '{"state": "finished"}' > "$PWD/${run}/status.json"; touch trained\n`);
    writeFileSync(join(folder, run, 'status.json'), '{"state": "queued"}');
    writeFileSync(join(folder, run, 'control', 'a.json'), '{"type":"pause"}');
    const call = (...parts: string[]) =>
      execFileSync('bash', [join(folder, 'ssh.sh'), ...parts], {
        env: { ...process.env, PATH: [programs, process.env.PATH].join(delimiter) },
        encoding: 'utf8',
        stdio: 'pipe',
      });
    const there = 'a "new" $(touch evil) place';
    expect(call('start', 'user@host', there)).toContain('started, process');
    call('follow', 'user@host', there);
    expect(readFileSync(join(folder, run, 'status.json'), 'utf8')).toContain('finished');
    expect(readFileSync(join(home, there, run, 'control', 'a.json'), 'utf8')).toContain('pause');
    // Started again, what the run has written there since stays, and what was changed here travels.
    const [old, recent] = [new Date(1e12), new Date(1.1e12)];
    for (const [base, name, date] of [
      [folder, 'metrics.jsonl', old],
      [join(home, there), 'metrics.jsonl', recent],
      [folder, 'notes.json', recent],
      [join(home, there), 'notes.json', old],
    ] as const) {
      writeFileSync(join(base, run, name), base === folder ? 'here' : 'there');
      utimesSync(join(base, run, name), date, date);
    }
    call('start', 'user@host', there);
    const after = ['metrics.jsonl', 'notes.json'].map(name => readFileSync(join(home, there, run, name), 'utf8'));
    expect(after).toEqual(['there', 'here']);
    expect(() => readFileSync(join(home, 'evil'))).toThrow(/ENOENT/);
    expect(() => call('start', '-oProxyCommand=evil')).toThrow(/./);
  });
});

describe('checkShape', () => {
  it.each([
    [{ gpuName: 'H100; rm' }, 'gpuName'],
    [{ timeLimit: 'soon' }, 'timeLimit'],
    [{ partition: 'a b' }, 'partition'],
    [{ account: '$(x)' }, 'account'],
  ] as const)('refuses what would mean something else in a script: %j', (change, name) => {
    expect(catchTuneError(() => checkShape({ ...shape, ...change })).message).toContain(`${name}: expected`);
  });

  it('takes what schedulers use', () => {
    expect(() =>
      checkShape({ ...shape, gpuName: 'A100-80GB', partition: 'gpu,gpu-long', account: 'proj_1' }),
    ).not.toThrow();
  });
});
