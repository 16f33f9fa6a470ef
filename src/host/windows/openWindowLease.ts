/** @file The lease of this window, over the stores that it shows. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { userStateFolder } from '../../shared/processRegistry.ts';
import { windowLeaseFolderName } from '../../shared/windowLease.ts';
import type { RunStores } from '../runs/runStores.ts';
import { WindowLease } from './windowLease.ts';

export function openWindowLease(stores: RunStores, onError: (error: unknown) => void): WindowLease {
  const state = userStateFolder({ platform: process.platform, home: homedir(), env: process.env });
  const listStores = () => stores.listStores().map(store => store.root);
  return new WindowLease(join(state, windowLeaseFolderName), listStores, onError);
}
