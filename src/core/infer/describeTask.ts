/** @file Training rows -> the system text for the base model: the dataset's own where it has one, else one that describes its answers. */
import { splitWords } from '../../shared/tokenF1.ts';
import type { AnsweredQuestion } from './answeredQuestion.ts';

/** The system text of most rows that have one; a description of the answers when most have none. */
export function describeTask(rows: readonly AnsweredQuestion[]): string {
  const own = new Map<string, number>();
  for (const { messages } of rows) {
    const text = messages.find(({ role }) => role === 'system')?.content.trim() ?? '';
    if (text !== '') own.set(text, (own.get(text) ?? 0) + 1);
  }
  const withOwn = [...own.values()].reduce((sum, count) => sum + count, 0);
  if (withOwn * 2 < rows.length || withOwn === 0) return describeAnswers(rows.map(({ reference }) => reference));
  return [...own].reduce((most, entry) => (entry[1] > most[1] ? entry : most))[0];
}

function describeAnswers(answers: readonly string[]): string {
  const share = (test: (answer: string) => boolean): number => answers.filter(test).length / answers.length;
  const sentences = [
    'You answer questions correctly and directly, without an introduction and without repeating them.',
  ];
  if (share(isJson) > 0.9) sentences.push('Answer with JSON and nothing else.');
  else if (share(isList) > 0.5) sentences.push('Answer with a list, one item a line.');
  sentences.push(describeLength(answers.map(answer => splitWords(answer).length)));
  return sentences.join(' ');
}

function describeLength(words: number[]): string {
  words.sort((a, b) => a - b);
  const middle = words[Math.floor(words.length / 2)] ?? 0;
  if (middle <= 4) return 'Answer with a few words.';
  if (middle <= 25) return `Answer with one or two sentences of about ${middle} words.`;
  return `Answer with about ${Math.round(middle / 10) * 10} words.`;
}

function isJson(answer: string): boolean {
  if (!/^\s*[[{]/.test(answer)) return false;
  try {
    JSON.parse(answer);
    return true;
  } catch {
    return false; // not JSON is the answer, not an error
  }
}

const isList = (answer: string): boolean => (answer.match(/^\s*(?:[-*]|\d+[.)])\s/gm)?.length ?? 0) >= 2;
