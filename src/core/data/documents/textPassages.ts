/**
 * @file Plain text or Markdown -> its paragraphs with their lines. A fenced block of code is one passage whatever stands in it;
 * front matter says nothing to learn and is left out.
 */
import type { Passage } from './passage.ts';

export function splitText(text: string, isMarkdown: boolean): Passage[] {
  const lines = text.split(/\r\n|\n|\r/);
  const passages: Passage[] = [];
  let held: string[] = [];
  let fence: string | undefined;
  const end = (last: number): void => {
    const paragraph = held.join('\n').trim();
    if (paragraph !== '') passages.push({ text: paragraph, lines: [last - held.length + 1, last], page: null });
    held = [];
  };
  for (let at = isMarkdown ? skipFrontMatter(lines) : 0; at < lines.length; at++) {
    const line = lines[at]!;
    const mark = isMarkdown ? /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] : undefined;
    if (fence === undefined && line.trim() === '') {
      end(at);
      continue;
    }
    if (fence === undefined && isMarkdown && /^#{1,6}\s/.test(line)) end(at);
    held.push(line);
    if (fence === undefined) fence = mark;
    else if (mark !== undefined && mark[0] === fence[0] && mark.length >= fence.length) fence = undefined;
  }
  end(lines.length);
  return passages;
}

/** The line on which the text begins, from 0. */
function skipFrontMatter(lines: readonly string[]): number {
  if (lines[0] !== '---') return 0;
  const end = lines.findIndex((line, at) => at > 0 && (line === '---' || line === '...'));
  return end < 0 ? 0 : end + 1;
}
