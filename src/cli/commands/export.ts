/** `tuning-fork export`: what a run tuned -> a folder for the program that is to use it. */
import { resolve } from 'node:path';
import { describeCheck } from '../../core/jobs/export/exportReadme.ts';
import { exportTuned } from '../../core/jobs/export/exportTuned.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { TuneError } from '../../shared/errors.ts';
import {
  type ExportFormat,
  type ExportType,
  exportFormatNames,
  exportFormats,
  exportTypes,
} from '../../shared/exportFormats.ts';
import { formatBytes } from '../../shared/formatBytes.ts';
import { chooseAdapter, chooseModel, modelOption, tellProgress } from '../answering.ts';
import type { Command, CommandArguments } from '../command.ts';
import { interruptible } from '../interruptible.ts';
import { findTinyModel } from '../places.ts';
import { runsOption } from '../runOptions.ts';

/** Short names that people type. */
const typeNames: Readonly<Record<string, ExportType>> = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' };

export const exportRun: Command = {
  name: 'export',
  summary: 'Export the tuned model or adapter of a run for other programs.',
  usage: `<run|adapter> --format ${exportFormatNames.join('|')} --out DIR [--dtype T] [--model M] [--runs DIR]`,
  options: [
    { name: 'format', value: 'F', help: `One of: ${exportFormatNames.join(', ')}. See below.` },
    { name: 'out', value: 'DIR', help: 'Folder to be made; an existing one must be empty.' },
    {
      name: 'dtype',
      value: 'T',
      help: `How weights are stored: ${[...Object.keys(typeNames), 'q8_0', 'q4_0'].join(', ')}.`,
    },
    { name: 'quantize', value: 'T', help: 'The same as --dtype, for q8_0 and q4_0.' },
    modelOption,
    runsOption,
  ],
  maxPositionals: 1,
  details: [
    'Formats:',
    ...exportFormatNames.map(name => {
      const { purpose, types } = exportFormats[name];
      return `  ${name}: ${purpose}${types.length === 0 ? '' : ` Types: ${types.join(', ')}.`}`;
    }),
  ].join('\n'),
  run: (args, output) =>
    interruptible(output, async signal => {
      const adapter = chooseAdapter(args.positional(0, 'run'), args);
      const result = await exportTuned(
        {
          paths: adapter.paths,
          model: chooseModel(args, adapter.paths),
          format: readFormat(args),
          dtype: readType(args),
          out: resolve(args.required('out')),
        },
        {
          models: { tinyFolder: findTinyModel() },
          signal,
          onProgress: (phase, done, total) => tellProgress(output, phase, done, total),
        },
      );
      output.say(`${result.path} (${formatBytes(result.bytes)})`);
      output.say(describeCheck(result.check));
      for (const { label, text } of result.commands) output.say(`${label}: ${text}`);
      output.line({ type: 'result', ...result });
      return exitCodes.done;
    }),
};

/** @throws TuneError `usage` */
function readFormat(args: CommandArguments): ExportFormat {
  const given = args.required('format');
  const format = exportFormatNames.find(name => name === given);
  if (format !== undefined) return format;
  throw new TuneError('usage', `--format: expected one of ${exportFormatNames.join(', ')}, got "${given}"`);
}

/** @throws TuneError `usage` */
function readType(args: CommandArguments): ExportType | null {
  const given = args.one('dtype') ?? args.one('quantize');
  if (given === undefined) return null;
  const type = typeNames[given] ?? exportTypes.find(name => name === given.toLowerCase());
  if (type !== undefined) return type;
  throw new TuneError('usage', `--dtype: expected one of ${exportTypes.join(', ')}, got "${given}"`);
}
