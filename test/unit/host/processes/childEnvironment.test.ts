import { describe, expect, it } from 'vitest';
import { cleanEnvironment, isInside } from '../../../../src/host/processes/childEnvironment.ts';

describe('cleanEnvironment', () => {
  it('takes away what changes how Node starts and what the editor left', () => {
    const env = {
      HOME: '/home/user',
      NODE_OPTIONS: '--inspect',
      NODE_PATH: '/modules',
      NODE_CHANNEL_FD: '3',
      ELECTRON_RUN_AS_NODE: '1',
      VSCODE_PID: '1',
      HF_TOKEN: 't',
    };
    expect(cleanEnvironment(env, [], ':')).toEqual({ HOME: '/home/user', HF_TOKEN: 't', ORT_DISABLE_TELEMETRY: '1' });
  });

  it('keeps absolute folders outside the workspace on the PATH alone', () => {
    const env = { PATH: '/usr/bin:.:/srv/project/bin:node_modules/.bin::/srv/project-tools' };
    expect(cleanEnvironment(env, ['/srv/project'], ':').PATH).toBe('/usr/bin:/srv/project-tools');
  });

  it('looks for native libraries nowhere in the workspace', () => {
    const env = { LD_LIBRARY_PATH: '/srv/project/lib:/opt/lib', DYLD_LIBRARY_PATH: '.:/srv/project' };
    const clean = cleanEnvironment(env, ['/srv/project'], ':');
    expect(clean.LD_LIBRARY_PATH).toBe('/opt/lib');
    expect(clean).not.toHaveProperty('DYLD_LIBRARY_PATH');
  });
});

describe('isInside', () => {
  it.each([
    ['/a/b', '/a', true],
    ['/a', '/a', true],
    ['/a/../b', '/a', false],
    ['/ab', '/a', false],
    ['/a/..b', '/a', true],
  ])('%s in %s: %s', (path, folder, expected) => expect(isInside(path, folder)).toBe(expected));
});
