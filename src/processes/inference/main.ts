/** The inference process: keeps a base model and its adapters resident, answers the editor over its channel, ends with it. */
import { fileURLToPath } from 'node:url';
import type { InferenceCalls, InferenceEvents } from '../../shared/inferenceProtocol.ts';
import { RpcPeer } from '../../shared/rpc.ts';
import { answerCalls } from './answerCalls.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';

const peer: RpcPeer<Record<string, never>, InferenceCalls, InferenceEvents, Record<string, never>> = new RpcPeer(
  {
    send: message => void process.send?.(message),
    onMessage: receive => void process.on('message', receive),
  },
  answerCalls(fileURLToPath(new URL('../media/tiny', import.meta.url)), (name, payload) => peer.emit(name, payload)),
  {},
);
process.on('disconnect', () => process.exit(0));
