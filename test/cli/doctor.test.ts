import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DeviceReport } from '../../src/core/runtime/describeDevices.ts';
import { makePlace, runCli } from '../support/programs.ts';
import { writeTinyDataset } from '../support/tinyModel.ts';

describe('tuning-fork doctor', () => {
  it('finds the engine, the parts of the program and the user folder', async () => {
    const place = makePlace();
    const { lines } = await runCli(['doctor', '--json'], place);
    const result = lines.find(line => line.type === 'result') as unknown as { checks: { name: string; ok: boolean }[] };
    const parts = result.checks.filter(({ name }) => !['memory', 'disk'].includes(name));
    expect(parts.map(({ name, ok }) => [name, ok])).toEqual(
      ['node', 'engine', 'user folder', 'trainer', 'computing thread', 'tiny model'].map(name => [name, true]),
    );
  });

  it('lists every device, the CPU ready, and says of the others what is missing', async () => {
    const { lines } = await runCli(['doctor', '--json'], makePlace());
    const { devices } = lines.find(line => line.type === 'result') as unknown as { devices: DeviceReport[] };
    expect(devices.map(({ device }) => device)).toEqual(['cpu', 'webgpu', 'dml', 'coreml']);
    expect(devices[0]).toMatchObject({
      state: 'ready',
      version: expect.stringMatching(/^ONNX Runtime \d/),
      missing: null,
    });
    expect(devices[0]!.memoryBytes).toBeGreaterThan(1e8);
    for (const { state, missing } of devices) {
      if (state !== 'ready') expect(missing).toMatch(/is there on|needs|driver/);
    }
    if (process.platform === 'linux')
      expect(devices[3]).toMatchObject({ state: 'not on this platform', version: null });
  });

  it('ends with an error that names what is amiss and the way out', async () => {
    const place = makePlace();
    const blocked = join(place.folder, 'a-file');
    writeFileSync(blocked, '');
    const { code, lines } = await runCli(['doctor', '--json'], {
      ...place,
      env: { ...place.env, TUNING_FORK_STATE: blocked },
    });
    expect(code).toBe(1);
    expect(lines.map(line => line.type)).toEqual(['result', 'error']);
    expect(lines.at(-1)).toMatchObject({
      code: 'unsupported-platform',
      message: expect.stringContaining('user folder'),
      hint: expect.stringMatching(/\w/),
    });
  });
});

describe('a reader that leaves', () => {
  it('ends the command quietly, as a Ctrl-C does', async () => {
    const place = makePlace();
    writeTinyDataset(join(place.folder, 'rows.jsonl'));
    const program = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
    const child = spawn(process.execPath, [program, 'inspect', 'rows.jsonl', '--model', 'tiny', '--row', '0'], {
      cwd: place.folder,
      env: place.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let errorText = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errorText += text;
    });
    const code = await new Promise(resolve => child.once('close', resolve));
    expect([code, errorText]).toEqual([130, '']);
  });
});
