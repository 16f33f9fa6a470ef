/** @file Two texts -> the words of both in order, each kept, left out or added: Myers' greedy O(ND) difference. */

export interface WordPart {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** Beyond this many changed words the rest is shown as replaced. */
const mostEdits = 600;

/** From `before` to `after`; parts of one kind are joined, white space stays with the word before it. */
export function diffWords(before: string, after: string): WordPart[] {
  const [a, b] = [split(before), split(after)];
  const parts: { kind: WordPart['kind']; text: string }[] = [];
  for (const part of walkBack(a, b)) {
    const last = parts.at(-1);
    if (last?.kind === part.kind) last.text += part.text;
    else parts.push({ ...part });
  }
  return parts;
}

const split = (text: string): string[] =>
  text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]\s*|[\p{L}\p{M}\p{N}]+\s*|[^\p{L}\p{M}\p{N}]/gu) ??
  [];

const isSame = (a: string | undefined, b: string | undefined): boolean => a?.trim() === b?.trim();

function walkBack(a: readonly string[], b: readonly string[]): WordPart[] {
  const trace = findTrace(a, b);
  if (trace === undefined) {
    return [
      { kind: 'removed', text: a.join('') },
      { kind: 'added', text: b.join('') },
    ];
  }
  const parts: WordPart[] = [];
  let [x, y] = [a.length, b.length];
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d]!;
    const k = x - y;
    const isDown = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const previousK = isDown ? k + 1 : k - 1;
    const previousX = d === 0 ? 0 : (reach.get(previousK) ?? 0);
    const previousY = d === 0 ? 0 : previousX - previousK;
    while (x > previousX && y > previousY && isSame(a[x - 1], b[y - 1])) {
      // With the white space of either, so that words that follow do not stick to it.
      parts.push({ kind: 'same', text: a[x - 1]!.length > b[y - 1]!.length ? a[x - 1]! : b[y - 1]! });
      x--;
      y--;
    }
    if (d === 0) break;
    if (isDown) parts.push({ kind: 'added', text: b[--y]! });
    else parts.push({ kind: 'removed', text: a[--x]! });
  }
  return parts.reverse();
}

/** For each number of edits, how far into `a` each diagonal came before them; undefined beyond the limit. */
function findTrace(a: readonly string[], b: readonly string[]): Map<number, number>[] | undefined {
  const trace: Map<number, number>[] = [];
  let reach = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= Math.min(a.length + b.length, mostEdits); d++) {
    trace.push(new Map(reach));
    const next = new Map(reach);
    for (let k = -d; k <= d; k += 2) {
      const isDown = k === -d || (k !== d && (next.get(k - 1) ?? -1) < (next.get(k + 1) ?? -1));
      let x = isDown ? (next.get(k + 1) ?? 0) : (next.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && isSame(a[x], b[x - k])) x++;
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return trace;
    }
    reach = next;
  }
  return undefined;
}
