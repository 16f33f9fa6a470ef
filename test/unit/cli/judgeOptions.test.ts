import { beforeEach, describe, expect, it, vi } from 'vitest';
import { parseArguments } from '../../../src/cli/command.ts';
import { judge } from '../../../src/cli/commands/judge.ts';
import { readJudge } from '../../../src/cli/judgeOptions.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

function keyOf(...options: string[]): string | null {
  const read = readJudge(parseArguments(judge, [...options, '--judge-model', 'wise']));
  return read?.kind === 'endpoint' ? read.endpoint.keyVariable : null;
}

describe('readJudge', () => {
  beforeEach(() => {
    vi.stubEnv('TUNING_FORK_STATE', temporaryFolder());
    vi.stubEnv('TUNING_FORK_ENDPOINT_KEY', 'secret-key');
    vi.stubEnv('JUDGE_KEY', 'other-key');
    return () => {
      vi.unstubAllEnvs();
    };
  });

  it("gives the endpoint's key to no other server", () => {
    const judged = ['--judge', 'http://judge.example:8080/v1'];
    expect(keyOf(...judged)).toBeNull();
    for (const other of [
      'http://answers.example:8080/v1',
      'http://judge.example:9090/v1',
      'https://judge.example:8080',
    ]) {
      expect(keyOf(...judged, '--endpoint', other)).toBeNull();
    }
    expect(keyOf(...judged, '--endpoint', 'http://JUDGE.example:8080/other')).toBe('TUNING_FORK_ENDPOINT_KEY');
  });

  it('takes the key that is named for it', () => {
    const named = ['--judge', 'http://judge.example/v1', '--judge-key-env'];
    expect(keyOf(...named, 'JUDGE_KEY')).toBe('JUDGE_KEY');
    expect(() => keyOf(...named, 'NOT_SET')).toThrow('expected a variable that is set');
  });
});
