import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePlace, type Place, runCli } from '../support/programs.ts';
import { writeTinyDataset, writeTinyModel } from '../support/tinyModel.ts';

async function trainedRun(place: Place): Promise<string> {
  const model = writeTinyModel(join(place.folder, 'model'));
  writeTinyDataset(join(place.folder, 'rows.jsonl'));
  const settings = ['contextTokens=48', 'batchRows=2', 'threads=1', 'maxSteps=2', 'learningRate=0.01'];
  const set = settings.flatMap(setting => ['--set', setting]);
  const { lines } = await runCli(['train', 'rows.jsonl', '--model', model, '--runs', 'store', '--json', ...set], place);
  return (lines[0] as { path: string }).path;
}

const exportTo = (place: Place, run: string, out: string) =>
  runCli(['export', run, '--format', 'peft', '--out', out, '--json'], place);

describe('tuning-fork export', () => {
  it('copies the adapter byte for byte to a new or empty folder, and overwrites nothing', async () => {
    const place = makePlace();
    const run = await trainedRun(place);
    mkdirSync(join(place.folder, 'empty'));
    for (const out of ['new/deep', 'empty']) {
      const { code, lines } = await exportTo(place, run, out);
      expect(code).toBe(0);
      const path = join(place.folder, out);
      expect(lines.at(-1)).toMatchObject({ type: 'result', path, format: 'peft', check: { difference: 0 } });
      const names = readdirSync(join(run, 'adapter'));
      const launching = ['launch.json', 'start-tgi.sh', 'start-vllm.sh'];
      expect(readdirSync(path)).toEqual([...names, ...launching].sort());
      for (const name of names)
        expect(readFileSync(join(path, name))).toEqual(readFileSync(join(run, 'adapter', name)));
    }
    const again = await exportTo(place, run, 'empty');
    expect([again.code, again.lines.at(-1)]).toMatchObject([1, { type: 'error', code: 'not-writable' }]);
    writeFileSync(join(place.folder, 'file'), '');
    const onFile = await exportTo(place, run, 'file');
    expect([onFile.code, onFile.lines.at(-1)]).toMatchObject([1, { type: 'error', code: 'not-writable' }]);
  });

  it('refuses a damaged adapter, and leaves nothing', async () => {
    const place = makePlace();
    const run = await trainedRun(place);
    truncateSync(join(run, 'adapter', 'adapter_model.safetensors'), 100);
    const { code, lines } = await exportTo(place, run, 'out');
    expect([code, lines.at(-1)]).toMatchObject([1, { type: 'error', code: 'adapter-invalid' }]);
    expect(readdirSync(place.folder).sort()).toEqual(['model', 'rows.jsonl', 'store']);
  });
});
