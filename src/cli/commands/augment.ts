/** `tuning-fork augment`: new rows beside a dataset's own, made by rules or a teacher, each with its source. */
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { estimateTokens } from '../../core/data/documents/chunkDocument.ts';
import { parseMapping } from '../../core/data/mapping/mapping.ts';
import { type AugmentationChoice, readChoice } from '../../core/jobs/augment/augmentationReport.ts';
import { augmentDataset } from '../../core/jobs/augment/augmentDataset.ts';
import { parseAugmentation } from '../../core/jobs/augment/parseAugmentation.ts';
import { openModelText } from '../../core/jobs/prepare/openModelText.ts';
import { openModel } from '../../core/models/openModel.ts';
import { type AugmentationRecipe, type AugmentationResult, augmentationHelp } from '../../shared/augmentation.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { defaultHyperparameters } from '../../shared/hyperparameters.ts';
import { decodingOptions, modelOption, readDecoding, tellProgress } from '../answering.ts';
import type { Command, CommandArguments } from '../command.ts';
import { interruptible } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { findTinyModel } from '../places.ts';
import { encodingOption, readEncoding, resolveModel, runsOption } from '../runOptions.ts';
import { readTeacher, teacherOptions } from '../teacherOptions.ts';

const defaultMaxTokens = 1024;
const defaultSimilarity = 0.9;
const shownProblems = 5;

export const augment: Command = {
  name: 'augment',
  summary: 'Make new rows from a dataset or from documents: synonyms, paraphrase, back-translation, questions.',
  usage: '[<dataset>] --recipe METHOD[:setting=value],... --output FILE [--documents PATH]... [--teacher M|RUN|URL]',
  options: [
    { name: 'recipe', value: 'METHODS|FILE', help: 'Methods with their settings, or the report of an augmentation.' },
    { name: 'output', value: 'FILE', help: 'The new dataset, as JSON lines; begun again, it goes on where it was.' },
    {
      name: 'documents',
      value: 'PATH',
      isRepeatable: true,
      help: 'A document (.md, .txt, .html, .pdf) or a folder of them, for questions; may be repeated.',
    },
    { name: 'rows', value: 'N', help: 'New rows that are wanted, default all that come.' },
    {
      name: 'max-share',
      value: 'X',
      help: `Most of the training rows that may be synthetic, default ${defaultHyperparameters.maxSyntheticShare}.`,
    },
    {
      name: 'similarity',
      value: 'X',
      help: `From which likeness on two texts are one (Jaccard of 5-grams), default ${defaultSimilarity}.`,
    },
    { name: 'only-new', help: "Leave the dataset's own rows out of the new file." },
    { name: 'tokenizer', value: 'M', help: 'Model whose tokens chunks are measured in; default an estimate.' },
    ...teacherOptions,
    { name: 'eval-ratio', value: 'X', help: 'Share of rows held out, no source of any, default that of training.' },
    { name: 'test-ratio', value: 'X', help: 'Share of rows for the test, no source of any, default that of training.' },
    { name: 'split-seed', value: 'N', help: "Decides which rows are held out, as a run's seed does." },
    { name: 'mapping', value: 'KIND[:slot=field,...]', help: 'How fields become conversations; default detected.' },
    encodingOption,
    { name: 'skip-broken', help: 'Leave rows out that cannot be read, instead of refusing the dataset.' },
    { ...modelOption, help: 'The base model of --teacher where that is an adapter; default the one of the run.' },
    ...decodingOptions.map(option =>
      option.name === 'max-tokens'
        ? { ...option, help: `Most tokens of an answer, default ${defaultMaxTokens}.` }
        : option,
    ),
    runsOption,
  ],
  maxPositionals: 1,
  details: ['Methods:', ...Object.entries(augmentationHelp).map(([name, help]) => `  ${name}: ${help}`)].join('\n'),
  run: (args, output) =>
    interruptible(output, async signal => {
      const dataset = args.positionals[0];
      const choice = readChosen(args);
      const mapping = args.one('mapping');
      const openTeacher = args.has('teacher') ? readTeacher(args, output, choice.decoding, signal) : undefined;
      const tokenizer = await openTokenizer(args);
      try {
        const result = await augmentDataset(
          {
            dataset: dataset === undefined ? null : resolve(dataset),
            documents: args.many('documents').map(path => resolve(path)),
            mapping: mapping === undefined ? null : parseMapping(mapping),
            encoding: readEncoding(args),
            skipBrokenRows: args.has('skip-broken'),
            choice,
            tokenizer,
            out: resolve(args.required('output')),
            onlyNew: args.has('only-new'),
            isPreview: false,
            onProgress: (done, total) => tellProgress(output, 'asking the teacher', done, total),
            onProblem: ({ file, line, code, message }) =>
              output.line({ type: 'problem', file, line, code, message, fix: 'Nothing came of it for the new file.' }),
            signal,
          },
          openTeacher,
        );
        tell(result, output);
        const { shown: _, problems: __, ...told } = result;
        output.line({ type: 'result', ...told });
        return exitCodes.done;
      } finally {
        tokenizer.close();
      }
    }),
};

/** What an earlier report says, with what is given beside it. @throws TuneError `usage` */
function readChosen(args: CommandArguments): AugmentationChoice {
  const given = args.required('recipe');
  const isFile = existsSync(resolve(given));
  const earlier = isFile
    ? readChoice(given, readFileSync(resolve(given), 'utf8'))
    : { recipe: resolvePaths(parseAugmentation(given)) };
  const { evalRatio, testRatio, seed, maxSyntheticShare } = defaultHyperparameters;
  const split = earlier.split ?? { seed, evalRatio, testRatio };
  const decoding = readDecoding(args);
  const isGiven = ['max-tokens', 'temperature', 'top-p', 'seed'].some(name => args.has(name));
  const usual = { ...decoding, maxTokens: args.has('max-tokens') ? decoding.maxTokens : defaultMaxTokens };
  return {
    recipe: earlier.recipe,
    rows: args.integer('rows', 1, 100_000_000) ?? earlier.rows ?? null,
    maxSyntheticShare: args.number('max-share', 0, 1) ?? earlier.maxSyntheticShare ?? maxSyntheticShare,
    similarity: args.number('similarity', 0.5, 1) ?? earlier.similarity ?? defaultSimilarity,
    seed: args.integer('seed', 0, Number.MAX_SAFE_INTEGER) ?? earlier.seed ?? decoding.seed,
    split: {
      seed: args.integer('split-seed', 0, Number.MAX_SAFE_INTEGER) ?? split.seed,
      evalRatio: args.number('eval-ratio', 0, 0.9) ?? split.evalRatio,
      testRatio: args.number('test-ratio', 0, 0.9) ?? split.testRatio,
    },
    decoding: isGiven ? usual : (earlier.decoding ?? usual),
  };
}

function resolvePaths({ methods }: AugmentationRecipe): AugmentationRecipe {
  return {
    methods: methods.map(method =>
      method.method === 'synonyms' && method.thesaurus !== '' && !isAbsolute(method.thesaurus)
        ? { ...method, thesaurus: resolve(method.thesaurus) }
        : method,
    ),
  };
}

async function openTokenizer(args: CommandArguments) {
  const given = args.one('tokenizer');
  if (given === undefined) return { name: 'estimate', countTokens: estimateTokens, close: () => undefined };
  const model = await openModel(resolveModel(given), { tinyFolder: findTinyModel() });
  try {
    const { tokenizer } = openModelText(model);
    return {
      name: given,
      countTokens: (text: string) => tokenizer.encode(text).length,
      close: () => model.close(),
    };
  } catch (error) {
    model.close();
    throw error;
  }
}

function tell(result: AugmentationResult, output: Output): void {
  const { path, counts, syntheticShare, teacher, resumed, problems, brokenRows } = result;
  const { kept, tasks, notNeeded, ...other } = counts;
  for (const { message } of problems.slice(0, shownProblems)) output.say(`Warning: ${message}`);
  if (problems.length > shownProblems) output.say(`... and ${problems.length - shownProblems} more, see the report.`);
  const why: Readonly<Record<keyof typeof other, string>> = {
    refused: 'got no answer',
    cut: 'ended at the limit of tokens',
    unreadable: 'cannot be read',
    unchanged: 'came back unchanged',
    heldOutCopies: 'repeat held-out rows',
    duplicates: 'are duplicates',
    nearDuplicates: 'are near duplicates',
    surplus: 'are more than were wanted',
  };
  const dropped = Object.entries(why).flatMap(([name, what]) => {
    const count = other[name as keyof typeof other];
    return count === 0 ? [] : [`${count} ${what}`];
  });
  const from = teacher === null ? '' : ` by ${teacher}`;
  const earlier = resumed === 0 ? '' : `, ${resumed} answers were there already`;
  output.print(
    `${path}: ${kept} new rows${from} from ${tasks - notNeeded} of ${tasks} texts${earlier}; ${(100 * syntheticShare).toFixed(1)} % of the training rows are synthetic.`,
  );
  if (brokenRows > 0) output.print(`Rows that cannot be read and are left out: ${brokenRows}.`);
  if (dropped.length > 0) output.print(`Not taken: ${dropped.join(', ')}.`);
}
