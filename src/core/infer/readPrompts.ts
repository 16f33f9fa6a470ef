/**
 * @file A file of prompts -> questions, with reference answers where it has them: any dataset, or JSON lines that only
 * ask (`{"prompt": "..."}`, `{"messages": [...]}`, or a text).
 */
import type { TextEncoding } from '../../shared/datasetFormats.ts';
import { TuneError } from '../../shared/errors.ts';
import type { ChatMessage } from '../../shared/inferenceProtocol.ts';
import { readMessages } from '../data/mapping/readMessages.ts';
import { isFields } from '../data/mapping/rowReport.ts';
import { readUtf8 } from '../data/read/decodeText.ts';
import { readJsonLines } from '../data/read/readJsonLines.ts';
import { readDataset } from '../data/readDataset.ts';
import { type AskedQuestion, toAnsweredQuestion } from './answeredQuestion.ts';

const questionFields = ['prompt', 'question', 'instruction', 'query', 'input'];

/**
 * @param encoding of a file of questions with answers; questions alone are UTF-8
 * @throws TuneError `dataset-unreadable`, `dataset-empty`, or `dataset-invalid` with file and line
 */
export async function readPrompts(file: string, encoding?: TextEncoding): Promise<AskedQuestion[]> {
  const answered = await readAnswered(file, encoding);
  return answered ?? (await readQuestions(file));
}

/** Undefined where the file is no dataset of questions with answers. */
async function readAnswered(file: string, encoding: TextEncoding | undefined): Promise<AskedQuestion[] | undefined> {
  try {
    const { examples, brokenRows } = await readDataset(file, { encoding });
    const questions = examples.flatMap(example => toAnsweredQuestion(example) ?? []);
    return brokenRows === 0 && questions.length === examples.length && questions.length > 0 ? questions : undefined;
  } catch (error) {
    if (error instanceof TuneError && error.code === 'dataset-invalid') return undefined;
    throw error;
  }
}

async function readQuestions(file: string): Promise<AskedQuestion[]> {
  const questions: AskedQuestion[] = [];
  for await (const outcome of readJsonLines(file, readUtf8(file))) {
    if (outcome.kind === 'problem') {
      const { message, line, fix } = outcome.problem;
      throw new TuneError('dataset-invalid', message, { file, line, hint: fix });
    }
    const { line, value } = outcome;
    questions.push({ origin: { file, line }, messages: readQuestion(file, line, value) });
  }
  if (questions.length > 0) return questions;
  throw new TuneError('dataset-empty', `${file}: expected at least one prompt, got none`, { file });
}

function readQuestion(file: string, line: number, value: unknown): ChatMessage[] {
  const fail = (got: string): TuneError =>
    new TuneError('dataset-invalid', `${file}:${line}: expected a prompt, got ${got}`, {
      file,
      line,
      hint: 'Write {"prompt": "..."} or {"messages": [{"role": "user", "content": "..."}]} on each line.',
    });
  if (typeof value === 'string' && value.trim() !== '') return [{ role: 'user', content: value }];
  if (!isFields(value)) throw fail('a line without a question');
  if (Object.hasOwn(value, 'messages')) {
    let problem: string | undefined;
    const report = { error: (_code: string, what: string) => void (problem ??= what), warn: () => undefined };
    const messages = readMessages(value, 'messages', report);
    if (messages === undefined || messages.at(-1)?.role !== 'user') {
      throw fail(problem ?? 'messages that do not end with a question');
    }
    return messages.map(({ role, content }) => {
      if (role === 'tool') throw fail('a message of a tool');
      return { role, content };
    });
  }
  for (const name of questionFields) {
    const held = Object.hasOwn(value, name) ? value[name] : undefined;
    if (typeof held === 'string' && held.trim() !== '') return [{ role: 'user', content: held }];
  }
  throw fail(`the fields ${Object.keys(value).slice(0, 12).join(', ') || '(none)'}`);
}
