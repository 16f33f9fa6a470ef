/** @file The text of a `.prompt.md` file -> its front matter as far as it matters here, its prompt, and the line on which that begins. */

export interface PromptFile {
  /** As the front matter names it. */
  readonly model: string | undefined;
  readonly prompt: string;
  /** 0-based. */
  readonly line: number;
  /** Names between `${input:` and `}`, each once, with what the file says of them. */
  readonly inputs: readonly PromptInput[];
}

export interface PromptInput {
  readonly name: string;
  readonly placeholder: string;
}

const inputPattern = /\$\{input:([^:}]+)(?::([^}]*))?\}/g;

export function readPromptFile(text: string): PromptFile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const end = lines[0]?.trim() === '---' ? lines.findIndex((line, i) => i > 0 && /^(---|\.\.\.)\s*$/.test(line)) : -1;
  const head = lines.slice(1, Math.max(1, end));
  const body = lines.slice(end + 1);
  const first = Math.max(
    0,
    body.findIndex(line => line.trim() !== ''),
  );
  const prompt = body.join('\n').trim();
  const inputs = new Map([...prompt.matchAll(inputPattern)].map(([, name, hint]) => [name!, hint ?? '']));
  return {
    model: readModel(head),
    prompt,
    line: end + 1 + first,
    inputs: [...inputs].map(([name, placeholder]) => ({ name, placeholder })),
  };
}

export function fillInputs(prompt: string, values: ReadonlyMap<string, string>): string {
  return prompt.replace(inputPattern, (whole, name: string) => values.get(name) ?? whole);
}

/** One line of YAML, with or without quotes; the first of a list. */
function readModel(head: readonly string[]): string | undefined {
  const value = head.map(line => /^model\s*:\s*(.*?)\s*$/.exec(line)?.[1]).find(found => found !== undefined);
  const name = value?.replace(/^\[\s*/, '').replace(/\s*[,\]].*$/, '');
  return name?.replace(/^(["'])(.*)\1$/, '$2').replace(/\s+\(Tuning Fork\)$/, '') || undefined;
}
