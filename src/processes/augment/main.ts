/** The augment process: makes rows and compares them for the editor, which answers for its language models, and ends with it. */
import { fileURLToPath } from 'node:url';
import type { AugmentCalls, AugmentEvents, AugmentQuestions } from '../../shared/augmentProtocol.ts';
import { RpcPeer } from '../../shared/rpc.ts';
import { answerCalls } from './answerCalls.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';

const peer: RpcPeer<AugmentQuestions, AugmentCalls, AugmentEvents, Record<string, never>> = new RpcPeer(
  {
    send: message => void process.send?.(message),
    onMessage: receive => void process.on('message', receive),
  },
  answerCalls(
    fileURLToPath(new URL('../media/tiny', import.meta.url)),
    (question, signal) => peer.call('teacher/answer', question, signal),
    (done, total) => peer.emit('augment/progress', { done, total }),
  ),
  {},
);
process.on('disconnect', () => process.exit(0));
