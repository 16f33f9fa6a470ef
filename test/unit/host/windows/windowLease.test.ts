import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WindowLease } from '../../../../src/host/windows/windowLease.ts';
import { WindowWatch } from '../../../../src/processes/trainer/windowWatch.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

describe('WindowLease and WindowWatch', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  function open() {
    const folder = join(temporaryFolder(), 'windows');
    const store = '/work space/.tuning-fork';
    const errors: unknown[] = [];
    const openWindow = (stores = [store]) =>
      new WindowLease(
        folder,
        () => stores,
        error => errors.push(error),
      );
    let pauses = 0;
    const watch = new WindowWatch(folder, store, () => pauses++);
    const look = (times: number) => {
      for (let i = 0; i < times; i++) watch.look();
      return pauses;
    };
    return { folder, openWindow, look, errors };
  }

  it('pauses the run a while after the last window has closed, once', () => {
    const { openWindow, look, errors } = open();
    const [first, second] = [openWindow(), openWindow()];
    first.follow('pause');
    second.follow('pause');
    expect(look(30)).toBe(0);
    first.dispose();
    expect(look(30)).toBe(0);
    second.dispose();
    expect(look(9)).toBe(0);
    expect(look(1)).toBe(1);
    expect(look(30)).toBe(1);
    expect(errors).toEqual([]);
  });

  it('lets a run go on over a reload', () => {
    const { openWindow, look, folder } = open();
    const window = openWindow();
    window.follow('pause');
    window.dispose();
    expect(look(5)).toBe(0);
    openWindow().follow('pause');
    expect(look(30)).toBe(0);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('notices a window that crashed by the age of its lease, which a living one writes anew', () => {
    const { openWindow, look, folder } = open();
    const window = openWindow();
    window.follow('pause');
    const file = join(folder, readdirSync(folder)[0]!);
    const age = () => utimesSync(file, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
    age();
    expect(look(5)).toBe(0);
    vi.advanceTimersByTime(5_000);
    expect(look(30)).toBe(0);
    age();
    expect(look(10)).toBe(1);
    window.dispose();
  });

  it('never pauses a run that no window asked for, nor one of another folder', () => {
    const { openWindow, look } = open();
    expect(look(30)).toBe(0);
    const other = openWindow(['/elsewhere/.tuning-fork']);
    other.follow('pause');
    other.dispose();
    expect(look(30)).toBe(0);
  });

  it('forgets the wish when the setting goes back, whatever earlier windows left', () => {
    const { openWindow, look, folder } = open();
    const earlier = openWindow();
    earlier.follow('pause');
    earlier.dispose();
    const window = openWindow();
    window.follow('pause');
    window.follow('keepTraining');
    expect(readdirSync(folder)).toEqual([]);
    window.dispose();
    expect(look(30)).toBe(0);
  });

  it('says which stores it shows, in a file for the user alone', () => {
    const { openWindow, folder } = open();
    const window = openWindow();
    window.follow('pause');
    const file = join(folder, readdirSync(folder)[0]!);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ stores: ['/work space/.tuning-fork'], closed: false });
    window.dispose();
  });
});
