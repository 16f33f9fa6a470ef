/** `tuning-fork clean`: a dataset cleaned step by step into a new file; without --out a preview of what each step would do. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CleanedStep, cleanExamples } from '../../core/data/clean/cleanExamples.ts';
import { writeCleaned } from '../../core/data/clean/cleanedFile.ts';
import { describeStep } from '../../core/data/clean/describeCleaning.ts';
import { parseCleaning, readCleaning } from '../../core/data/clean/parseCleaning.ts';
import type { Example } from '../../core/data/example.ts';
import { parseMapping } from '../../core/data/mapping/mapping.ts';
import { readDataset } from '../../core/data/readDataset.ts';
import { openModelText } from '../../core/jobs/prepare/openModelText.ts';
import { openModel } from '../../core/models/openModel.ts';
import { encodeExample } from '../../core/text/encodeExample.ts';
import { type CleaningRecipe, cleaningStepHelp, cleaningStepNames, usualCleaning } from '../../shared/cleaning.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import type { Command, CommandArguments } from '../command.ts';
import { interruptible } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { findTinyModel } from '../places.ts';
import { encodingOption, readEncoding, resolveModel } from '../runOptions.ts';

const defaultShown = 3;

export const clean: Command = {
  name: 'clean',
  summary: 'Clean a dataset step by step into a new file with a report; without --out, show what each step would do.',
  usage: '<dataset> [--steps STEP[:setting=value],...] [--out FILE]',
  options: [
    {
      name: 'steps',
      value: 'STEPS',
      help: `Steps in order, default ${usualCleaning.steps.map(({ step }) => step).join(',')}.`,
    },
    { name: 'recipe', value: 'report.json', help: 'Steps of an earlier cleaning, from its report.' },
    { name: 'out', value: 'FILE', help: 'New JSONL file; its report stands beside it as FILE.report.json.' },
    { name: 'removed', value: 'FILE', help: 'Write the rows that went here, with step and reason.' },
    { name: 'replace', help: 'Replace files that exist; never the dataset itself.' },
    { name: 'show', value: 'N', help: `Rows shown of each step, default ${defaultShown}.` },
    { name: 'held-out', value: 'DATASET', help: 'What must not be trained on, for dropLeaked.' },
    { name: 'model', value: 'M', help: 'Whose tokens dropOverContext counts.' },
    { name: 'mapping', value: 'KIND[:slot=field,...]', help: 'How fields become conversations; default detected.' },
    encodingOption,
  ],
  maxPositionals: 1,
  details: ['Steps:', ...cleaningStepNames.map(name => `  ${name}: ${cleaningStepHelp[name]}`)].join('\n'),
  run: async (args, output) => {
    const path = resolve(args.positional(0, 'dataset'));
    const recipe = readSteps(args);
    const shown = args.integer('show', 0, 1_000_000) ?? defaultShown;
    return interruptible(output, async signal => {
      const dataset = await readDataset(path, {
        mapping: args.one('mapping') === undefined ? null : parseMapping(args.one('mapping')!),
        encoding: readEncoding(args),
        signal,
        onProgress: (done, total) => output.progress(`reading ${done}/${total}`),
      });
      const heldOut = args.one('held-out');
      const counter = await openCounter(args);
      try {
        const cleaned = await cleanExamples(dataset.examples, recipe, {
          signal,
          heldOut: heldOut === undefined ? undefined : (await readDataset(resolve(heldOut), { signal })).examples,
          countTokens: counter?.countTokens,
          onProgress: (step, steps) => output.progress(`step ${step}/${steps}`),
        });
        if (dataset.brokenRows > 0)
          output.print(
            `${dataset.brokenRows} of ${dataset.rows} rows cannot be read and are left out (tuning-fork inspect)`,
          );
        for (const step of cleaned.steps) showStep(step, shown, output);
        const out = args.one('out');
        const removed = args.one('removed');
        const target = {
          removed: removed === undefined ? undefined : resolve(removed),
          replaces: args.has('replace'),
        };
        const report =
          out === undefined ? null : await writeCleaned({ ...target, out: resolve(out) }, dataset, recipe, cleaned);
        output.print(
          `${dataset.usableRows} rows before, ${cleaned.examples.length} after${report === null ? ' (nothing was written: no --out)' : `: ${report.output.path}`}`,
        );
        output.line({
          type: 'result',
          rowsBefore: dataset.usableRows,
          rowsAfter: cleaned.examples.length,
          recipe,
          report,
        });
        return exitCodes.done;
      } finally {
        counter?.close();
      }
    });
  },
};

function readSteps(args: CommandArguments): CleaningRecipe {
  const steps = args.one('steps');
  if (steps !== undefined) return parseCleaning(steps);
  const file = args.one('recipe');
  return file === undefined ? usualCleaning : readCleaning(file, readFileSync(resolve(file), 'utf8'));
}

async function openCounter(
  args: CommandArguments,
): Promise<{ countTokens: (example: Example) => number; close(): void } | undefined> {
  const name = args.one('model');
  if (name === undefined) return undefined;
  const model = await openModel(resolveModel(name), { tinyFolder: findTinyModel() });
  const settings = { ...openModelText(model), contextTokens: 1_000_000, trainOn: 'all' as const };
  return { countTokens: example => encodeExample(example, 0, settings).wholeTokens, close: () => model.close() };
}

function showStep(cleaned: CleanedStep, shown: number, output: Output): void {
  const { step, rowsBefore, rowsAfter, removed, changed, removedRows, changedRows } = describeStep(cleaned, shown);
  output.line({ type: 'cleaning', step, rowsBefore, rowsAfter, removed, changed });
  output.print(`${step}: ${rowsBefore} -> ${rowsAfter} rows, ${removed} removed, ${changed} changed`);
  for (const { file, line, reason, text } of removedRows) {
    output.line({ type: 'removed', step, file, line, reason });
    output.print(`  - line ${line} ${reason}: ${text}`);
  }
  for (const { file, line, before, after } of changedRows) {
    output.line({ type: 'changed', step, file, line, before, after });
    output.print(`  ~ line ${line}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`);
  }
}
