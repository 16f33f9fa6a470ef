/** The dataset process: answers the editor over its channel and ends with it. */
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { DatasetCalls, DatasetEvents } from '../../shared/datasetProtocol.ts';
import { RpcPeer } from '../../shared/rpc.ts';
import { pythonFolder } from '../../shared/userCache.ts';
import { answerCalls } from './answerCalls.ts';

const { env, platform } = process;
new RpcPeer<Record<string, never>, DatasetCalls, DatasetEvents, Record<string, never>>(
  {
    send: message => void process.send?.(message),
    onMessage: receive => void process.on('message', receive),
  },
  answerCalls(fileURLToPath(new URL('../media/tiny', import.meta.url)), {
    root: pythonFolder({ platform, home: homedir(), env }),
    requirementsFolder: fileURLToPath(new URL('./pytorch/requirements', import.meta.url)),
    env,
  }),
  {},
);
process.on('disconnect', () => process.exit(0));
