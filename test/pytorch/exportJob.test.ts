/** A job made for elsewhere trains here: its own scripts, in a folder with an odd name, on two nodes of a make-believe Slurm. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/programs.ts';
import { makePytorchPlace, readSeries, readStatusFile } from './pytorchRuns.ts';

/** Two nodes are two groups of processes on this machine, told apart as Slurm does. */
const srun = `#!/bin/bash
while case "$1" in --*) true ;; *) false ;; esac; do shift; done
for node in 0 1; do SLURM_NODEID=$node "$@" & pids="$pids $!"; done
for pid in $pids; do wait "$pid" || code=$?; done
exit "\${code:-0}"
`;

describe.skipIf(process.platform === 'win32')('tuning-fork export-job', () => {
  it('gives a folder that trains to its end, on two nodes by its Slurm script', async () => {
    const place = makePytorchPlace();
    const out = join(place.folder, "it's a job");
    const sets = ['maxSteps=3', 'contextTokens=48', 'batchRows=2', 'threads=1', 'evalEverySteps=3'];
    const { code, lines, errorText } = await runCli(
      ['export-job', 'rows.jsonl', '--model', 'model', '--out', out, '--nodes', '2', '--gpus', '0', '--json'].concat(
        sets.flatMap(set => ['--set', set]),
      ),
      place,
    );
    expect(code, errorText).toBe(0);
    const { run } = lines.at(-1) as unknown as { run: string };
    expect(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'))).toMatchObject({
      engine: 'pytorch',
      hyperparameters: { launcher: 'torchrun', processes: 1, hosts: 2 },
    });
    // The model that trains is the copy.
    const copied = join(out, 'model', 'model.safetensors');
    expect(readFileSync(copied).equals(readFileSync(join(place.folder, 'model', 'model.safetensors')))).toBe(true);

    const programs = join(place.folder, 'programs');
    mkdirSync(programs);
    for (const [name, text] of Object.entries({ srun, scontrol: '#!/bin/sh\necho 127.0.0.1\n' })) {
      writeFileSync(join(programs, name), text);
      chmodSync(join(programs, name), 0o755);
    }
    const slurm = { SLURM_SUBMIT_DIR: out, SLURM_JOB_NUM_NODES: '2', SLURM_JOB_NODELIST: 'n[1-2]' };
    const job = { SLURM_JOB_ID: String(process.pid), LOCAL_ADDR: '127.0.0.1', GLOO_SOCKET_IFNAME: 'lo' };
    execFileSync('bash', [join(out, 'slurm.sh')], {
      cwd: out,
      env: { ...place.env, ...slurm, ...job, PATH: [programs, place.env.PATH].join(delimiter) },
      stdio: 'pipe',
      timeout: 120_000,
    });
    expect(readStatusFile(run)).toMatchObject({ state: 'finished', step: 3, error: null });
    expect(readSeries(run).steps.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(existsSync(join(run, 'adapter', 'adapter_model.safetensors'))).toBe(true);
    const shown = await runCli(['runs', '--runs', join(out, 'store'), '--json'], place);
    expect(shown.lines.at(-1)).toMatchObject({ runs: [{ state: 'finished' }] });

    const refused = await runCli(['export-job', 'rows.jsonl', '--model', 'model', '--out', out, '--json'], place);
    expect(refused.lines.at(-1)).toMatchObject({ type: 'error', code: 'usage' });
    const missing = join(place.folder, 'none');
    const failed = await runCli(['export-job', 'rows.jsonl', '--model', 'nowhere.gguf', '--out', missing], place);
    expect([failed.code, existsSync(missing)]).toEqual([1, false]);
  }, 240_000);
});
