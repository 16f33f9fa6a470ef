/** @file Kinds of tasks -> how their data is read, what the base model is told, how answers are decoded and judged; each can be changed by itself. */
import { type MetricName, metricNames, type TaskName } from './evaluation.ts';
import type { Mapping } from './recipe.ts';

export interface TaskPreset {
  readonly label: string;
  /** One sentence: when to choose it. */
  readonly help: string;
  /** Mappings of usual fields: the first whose fields a dataset has is taken, else what is detected. */
  readonly mappings: readonly Mapping[];
  /** The system text of the prompted base model; null: found from the training rows. */
  readonly system: string | null;
  readonly metrics: readonly MetricName[];
  readonly decoding: { readonly maxTokens: number; readonly temperature: number; readonly topP: number };
}

const pair = (question: string, answer: string): Mapping => ({ kind: 'questionAnswer', fields: { question, answer } });
const speed: readonly MetricName[] = ['secondsPerAnswer', 'tokensPerSecond'];

export const taskPresets: Readonly<Record<TaskName, TaskPreset>> = {
  questionAnswering: {
    label: 'Question answering',
    help: 'Questions with answers in sentences: judged by shared words, glossary terms and relevance.',
    mappings: [pair('question', 'answer'), pair('query', 'response'), pair('prompt', 'answer')],
    system: null,
    metrics: [
      'loss',
      'perplexity',
      'exactMatch',
      'tokenF1',
      'rougeL',
      'chrF',
      'termAccuracy',
      'relevance',
      'judge',
      ...speed,
    ],
    decoding: { maxTokens: 160, temperature: 0, topP: 1 },
  },
  summarisation: {
    label: 'Summarisation',
    help: 'Long texts with short versions of them: judged by ROUGE-L, BLEU and chrF against the reference summary.',
    mappings: [
      pair('document', 'summary'),
      pair('article', 'highlights'),
      pair('article', 'summary'),
      pair('text', 'summary'),
      pair('dialogue', 'summary'),
    ],
    system: 'Summarise the text. Keep what matters, add nothing, and write the summary alone.',
    metrics: [
      'loss',
      'perplexity',
      'tokenF1',
      'rougeL',
      'bleu',
      'chrF',
      'termAccuracy',
      'relevance',
      'judge',
      ...speed,
    ],
    decoding: { maxTokens: 256, temperature: 0, topP: 1 },
  },
  classification: {
    label: 'Classification',
    help: 'Texts with one of a few labels: judged by accuracy and macro F1, answered with few tokens.',
    mappings: [pair('text', 'label'), pair('sentence', 'label'), pair('input', 'label'), pair('text', 'category')],
    system: 'Give the label of the text. Answer with the label alone.',
    metrics: ['loss', 'perplexity', 'accuracy', 'macroF1', 'exactMatch', ...speed],
    decoding: { maxTokens: 16, temperature: 0, topP: 1 },
  },
};

/** What is measured where no task is named: all that applies. */
export const usualMetrics: readonly MetricName[] = metricNames;

/** The preset's mapping for a dataset with these fields; undefined where none fits. */
export function findTaskMapping(task: TaskName, fields: readonly string[]): Mapping | undefined {
  return taskPresets[task].mappings.find(({ fields: wanted }) =>
    Object.values(wanted).every(name => fields.includes(name)),
  );
}
