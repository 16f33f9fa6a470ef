/** What `tuning-fork inspect --topics` finds and shows: topics with their words and sizes, and those that are missing. */
import { openEmbedder } from '../core/infer/embed/openEmbedder.ts';
import { findTopics, TopicSampler } from '../core/jobs/topics/findTopics.ts';
import type { TopicReport } from '../shared/datasetTopics.ts';
import { defaultHyperparameters } from '../shared/hyperparameters.ts';
import { tellProgress } from './answering.ts';
import type { CommandArguments, CommandOption } from './command.ts';
import type { Output } from './output.ts';
import { findTinyModel } from './places.ts';
import { resolveModel } from './runOptions.ts';

const defaultSample = 1000;
/** Of a row; its beginning says what it is about. */
const readTokens = 128;

export const topicOptions: readonly CommandOption[] = [
  {
    name: 'topics',
    help: 'What the rows are about: embeddings of the model, clustered, with typical words, sizes and thin topics; needs --model.',
  },
  { name: 'topic-count', value: 'K', help: 'With --topics: so many topics; default as many as the rows have.' },
  {
    name: 'required',
    value: 'NAME,...',
    help: 'With --topics: topics that there ought to be; those that are thin or missing are told.',
  },
  { name: 'sample', value: 'N', help: `With --topics: rows that are embedded, default ${defaultSample}.` },
];

export interface TopicRequest {
  readonly sampler: TopicSampler;
  readonly model: string;
  readonly required: readonly string[];
  readonly topics: number | undefined;
}

/** Undefined where topics are not asked for. @throws TuneError `usage` */
export function readTopicRequest(args: CommandArguments): TopicRequest | undefined {
  if (!args.has('topics')) return undefined;
  const required = (args.one('required') ?? '').split(',').flatMap(name => (name.trim() === '' ? [] : [name.trim()]));
  const sample = args.integer('sample', 2, 1_000_000) ?? defaultSample;
  return {
    sampler: new TopicSampler(sample, required, defaultHyperparameters.seed),
    model: resolveModel(args.required('model')),
    required,
    topics: args.integer('topic-count', 2, 200),
  };
}

/** @throws TuneError as openModel; AbortError when cancelled */
export async function tellTopics(
  { sampler, model, required, topics }: TopicRequest,
  output: Output,
  signal: AbortSignal,
): Promise<TopicReport> {
  const say = (phase: string) => (done: number, total: number) => tellProgress(output, phase, done, total);
  const embed = await openEmbedder(
    model,
    { tinyFolder: findTinyModel() },
    { signal, onProgress: say('loading weights') },
  );
  const found = await findTopics(sampler.finish(), {
    required,
    topics,
    seed: defaultHyperparameters.seed,
    signal,
    embed: texts => embed(texts, { signal, contextTokens: readTokens, onProgress: say('embedding') }),
  });
  const report = { ...found, model };
  show(report, output);
  return report;
}

function show({ rows, sampledRows, topics, silhouettes, required }: TopicReport, output: Output): void {
  const sampled = sampledRows === rows ? `all ${rows} rows` : `a sample of ${sampledRows} of ${rows} rows`;
  const tried = silhouettes.map(({ topics: count, value }) => `${count}: ${value.toFixed(3)}`).join(', ');
  output.print(
    `${topics.length} topics in ${sampled}${tried === '' ? '' : ` (silhouette by number of topics ${tried})`}`,
  );
  for (const [index, { words, rows: own, share, isThin, examples }] of topics.entries()) {
    const percent = `${(100 * share).toFixed(1)} %`;
    output.print(`${index + 1}. ${words.join(', ')}: ${own} rows, ${percent}${isThin ? ', thin' : ''}`);
    if (examples[0] !== undefined) output.print(`   line ${examples[0].line}: ${examples[0].text}`);
  }
  for (const { name, state, mentions, nearRows, nearestTopic } of required) {
    const nearest = nearestTopic === null ? '' : `; nearest is topic ${nearestTopic + 1}`;
    output.print(`${name}: ${state} (${mentions} rows hold its words, ${nearRows} sampled rows are near it${nearest})`);
  }
}
