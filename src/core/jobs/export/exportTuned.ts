/** @file A tuned model -> a folder in one of the formats, written, read again and compared before it is put in its place. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TuneError } from '../../../shared/errors.ts';
import {
  type ExportCheck,
  type ExportFormat,
  type ExportResult,
  type ExportType,
  exportFormats,
} from '../../../shared/exportFormats.ts';
import { textFile } from '../../adapter/tokenizerFolder.ts';
import type { OpenModelOptions } from '../../models/openModel.ts';
import { canProbe, chooseProbe, probe } from './compareExport.ts';
import type { ExportPlanner } from './exportPlan.ts';
import { writeExportReadme } from './exportReadme.ts';
import { makeLaunchFiles, toCommands } from './launchFiles.ts';
import { openTuned } from './openTuned.ts';
import { planGguf } from './planGguf.ts';
import { planGgufLora } from './planGgufLora.ts';
import { planMerged } from './planMerged.ts';
import { planOnnx } from './planOnnx.ts';
import { planPeft } from './planPeft.ts';
import { requireEmpty, writeExport } from './writeExport.ts';

export interface ExportRequest {
  /** A run, or folders of adapters. */
  readonly paths: readonly string[];
  /** The base model. */
  readonly model: string;
  readonly format: ExportFormat;
  /** Null takes the format's usual one. */
  readonly dtype: ExportType | null;
  /** Absolute; new or empty. */
  readonly out: string;
}

export interface ExportOptions {
  readonly models: OpenModelOptions;
  readonly onProgress?: ((phase: string, done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const planners: Readonly<Record<ExportFormat, ExportPlanner>> = {
  peft: planPeft,
  merged: planMerged,
  gguf: planGguf,
  'gguf-lora': planGgufLora,
  onnx: planOnnx,
};

/** @throws TuneError `usage` for a type that the format has not, and whatever refuses the export; nothing is left then */
export async function exportTuned(request: ExportRequest, options: ExportOptions): Promise<ExportResult> {
  const { format, out } = request;
  const { signal, onProgress = () => undefined } = options;
  const dtype = chooseType(format, request.dtype);
  requireEmpty(out);
  onProgress('opening model', 0, 1);
  const tuned = await openTuned(request.paths, request.model, options.models);
  try {
    const planned = planners[format](tuned, { dtype: dtype ?? 'float32', signal });
    const { totalBytes } = planned;
    const probed = canProbe(tuned);
    if (probed) onProgress('computing reference', 0, 1);
    const expected = probed ? await probe(tuned.base, tuned.adapter, chooseProbe(tuned), signal) : undefined;
    const launching = makeLaunchFiles(tuned, format, dtype, planned.file);
    let check: ExportCheck | undefined;
    const bytes = await writeExport(
      out,
      planned.files,
      async staged => {
        onProgress('comparing', 0, 1);
        check = await planned.check(staged, expected);
        // A run's adapter goes out with the card that it has.
        if (existsSync(join(staged, 'README.md'))) return launching.files;
        const readme = writeExportReadme({ tuned, format, dtype, check, launches: launching.launches });
        return [textFile('README.md', readme), ...launching.files];
      },
      { totalBytes, signal, onBytes: done => onProgress('writing', Math.min(done, totalBytes), totalBytes) },
    );
    return { path: out, format, dtype, bytes, check: check!, commands: toCommands(launching.launches, out) };
  } finally {
    tuned.base.close();
  }
}

/** @throws TuneError `usage` */
function chooseType(format: ExportFormat, asked: ExportType | null): ExportType | null {
  const types: readonly ExportType[] = exportFormats[format].types;
  if (asked === null) return types[0] ?? null;
  if (types.includes(asked)) return asked;
  const expected = types.length === 0 ? 'no type of weights' : `one of ${types.join(', ')}`;
  throw new TuneError('usage', `--dtype: expected ${expected} for ${format}, got ${asked}`);
}
