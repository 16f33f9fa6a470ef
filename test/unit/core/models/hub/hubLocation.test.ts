import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { locateHub, parseHubReference } from '../../../../../src/core/models/hub/hubLocation.ts';
import { catchTuneError } from '../../formats/catchTuneError.ts';

describe('parseHubReference', () => {
  it.each([
    ['org/name', { repository: 'org/name', revision: 'main', ggufFile: undefined }],
    ['HuggingFaceTB/SmolLM2-135M', { repository: 'HuggingFaceTB/SmolLM2-135M', revision: 'main', ggufFile: undefined }],
    ['org/name@v1.0', { repository: 'org/name', revision: 'v1.0', ggufFile: undefined }],
    ['org/name@refs/pr/4', { repository: 'org/name', revision: 'refs/pr/4', ggufFile: undefined }],
    ['org/name/a-Q8_0.gguf', { repository: 'org/name', revision: 'main', ggufFile: 'a-Q8_0.gguf' }],
    ['org/name/sub/a.gguf@dev', { repository: 'org/name', revision: 'dev', ggufFile: 'sub/a.gguf' }],
  ])('understands %s', (text, expected) => {
    expect(parseHubReference(text)).toEqual(expected);
  });

  it.each([
    'name',
    'a/b/c',
    'org/..',
    '../name',
    'org/name/../x.gguf',
    'org//name',
    'o--g/name',
    'org/name@',
    'https://host/org',
  ])('takes %s for nothing of the Hub', text => {
    expect(parseHubReference(text)).toBeUndefined();
  });
});

describe('locateHub', () => {
  const none = { endpoint: null, cache: null, token: null };

  it('takes settings before variables before defaults', () => {
    expect(locateHub(undefined, {})).toEqual({
      endpoint: 'https://huggingface.co',
      cache: join(homedir(), '.cache/huggingface/hub'),
      token: undefined,
    });
    const variables = { HF_ENDPOINT: 'https://mirror/', HF_HOME: '/home', HF_TOKEN: 'a' };
    expect(locateHub(none, variables)).toEqual({ endpoint: 'https://mirror', cache: resolve('/home/hub'), token: 'a' });
    expect(locateHub(none, { ...variables, HF_HUB_CACHE: '/cache' }).cache).toBe(resolve('/cache'));
    const settings = { endpoint: 'http://127.0.0.1:1', cache: '/chosen', token: 'b' };
    expect(locateHub(settings, variables)).toEqual({
      endpoint: 'http://127.0.0.1:1',
      cache: resolve('/chosen'),
      token: 'b',
    });
  });

  it.each(['nonsense', 'file:///etc', 'https://user:secret@host'])(
    'refuses the endpoint %s without repeating it',
    endpoint => {
      const error = catchTuneError(() => locateHub({ ...none, endpoint }, {}));
      expect(error.code).toBe('usage');
      expect(error.message).not.toContain(endpoint);
    },
  );
});
