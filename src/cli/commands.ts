/** Every command, in the order of the help text. A new one is a file in commands/ and a line here. */
import type { Command } from './command.ts';
import { resume } from './commands/resume.ts';
import { train } from './commands/train.ts';

export const commands: readonly Command[] = [train, resume];
