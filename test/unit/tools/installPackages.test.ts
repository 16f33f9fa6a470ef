import { describe, expect, it } from 'vitest';
import { findLockMismatch } from '../../../src/tools/installPackages.mjs';

const wanted = {
  packages: {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b-win32': { version: '2.0.0', optional: true },
  },
};

describe('findLockMismatch', () => {
  it('finds nothing when all packages of this platform are there', () => {
    expect(findLockMismatch(wanted, { packages: { 'node_modules/a': { version: '1.0.0' } } })).toBeUndefined();
  });

  it('says when nothing is installed', () => {
    expect(findLockMismatch(wanted, undefined)).toBe('packages are not installed');
  });

  it('names a missing package', () => {
    expect(findLockMismatch(wanted, { packages: {} })).toBe('node_modules/a is missing');
  });

  it('names a package of another version, an optional one too', () => {
    const installed = {
      packages: { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b-win32': { version: '1.9.0' } },
    };
    expect(findLockMismatch(wanted, installed)).toBe('node_modules/b-win32 is 1.9.0, expected 2.0.0');
  });
});
