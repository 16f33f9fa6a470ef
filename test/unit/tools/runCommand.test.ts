import { describe, expect, it } from 'vitest';
import { requireCommand, runCommand } from '../../../src/tools/runCommand.mjs';

const node = (script: string) => [process.execPath, '-e', script];

describe('runCommand', () => {
  it('gives each line of standard output, the last one without a newline too', async () => {
    const lines: string[] = [];
    await runCommand(node("process.stdout.write('a\\nb\\n\\nc')"), { onLine: line => lines.push(line) });
    expect(lines).toEqual(['a', 'b', '', 'c']);
  });

  it('ends a program that overstays, with its children', async () => {
    const child =
      "require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], {stdio: 'inherit'})";
    const result = await runCommand(node(`${child}; setInterval(() => {}, 1e6)`), { output: 'keep', limitMs: 300 });
    expect(result).toMatchObject({ code: 1, timedOut: true }); // 'close' comes only when the child let go of the pipe too
  });
});

describe('requireCommand', () => {
  it('says what failed, how, and what the program said last', async () => {
    const script = "console.error('disk is full'); process.exitCode = 3";
    await expect(requireCommand(node(script))).rejects.toThrow(/ended with code 3\ndisk is full/);
  });
});
