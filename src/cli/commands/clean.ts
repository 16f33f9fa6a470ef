/** `tuning-fork clean`: a dataset cleaned step by step into a new file; without --out a preview of what each step would do. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { textsOf } from '../../core/data/check/exampleTexts.ts';
import { type CleanedStep, cleanExamples } from '../../core/data/clean/cleanExamples.ts';
import { writeCleaned } from '../../core/data/clean/cleanedFile.ts';
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
        const target = { removed: args.one('removed'), replaces: args.has('replace') };
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

function showStep({ step, rowsBefore, rowsAfter, removed, changed }: CleanedStep, shown: number, output: Output): void {
  output.line({
    type: 'cleaning',
    step: step.step,
    rowsBefore,
    rowsAfter,
    removed: removed.length,
    changed: changed.length,
  });
  output.print(
    `${step.step}: ${rowsBefore} -> ${rowsAfter} rows, ${removed.length} removed, ${changed.length} changed`,
  );
  for (const { example, reason } of removed.slice(0, shown)) {
    output.line({ type: 'removed', step: step.step, ...example.origin, reason });
    output.print(`  - line ${example.origin.line} ${reason}: ${shorten(textsOf(example).join(' | '))}`);
  }
  for (const { before, after } of changed.slice(0, shown)) {
    const at = textsOf(before).findIndex((text, i) => text !== textsOf(after)[i]);
    const [was, is] = showDifference(textsOf(before)[at] ?? '', textsOf(after)[at] ?? '');
    output.line({ type: 'changed', step: step.step, ...before.origin, before: was, after: is });
    output.print(`  ~ line ${before.origin.line}: ${JSON.stringify(was)} -> ${JSON.stringify(is)}`);
  }
}

const shownCharacters = 80;

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= shownCharacters ? line : `${line.slice(0, shownCharacters)}…`;
}

/** Both texts from shortly before where they first differ. */
function showDifference(before: string, after: string): [string, string] {
  let at = 0;
  while (at < before.length && before[at] === after[at]) at++;
  const start = Math.max(0, at - 16);
  return [before.slice(start, start + shownCharacters), after.slice(start, start + shownCharacters)];
}
