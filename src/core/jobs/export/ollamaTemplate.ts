/**
 * @file A chat template in Jinja -> the same in the language of Ollama's Modelfile, found by what it writes between messages.
 * @see https://docs.ollama.com/modelfile
 */
import { TuneError } from '../../../shared/errors.ts';
import type { Message } from '../../data/example.ts';
import type { ChatTemplate } from '../../text/chatTemplate.ts';

/** What stands before a message, by what came before it. */
interface Joints {
  readonly startToUser: string;
  /** Undefined where the template takes no system message. */
  readonly system: { readonly start: string; readonly toUser: string } | undefined;
  readonly userToAssistant: string;
  readonly assistantToUser: string;
  readonly userToEnd: string;
}

const marks = ['QmarkoneQ', 'QmarktwoQ', 'QmarkthreeQ', 'QmarkfourQ', 'QmarkfiveQ'] as const;

/**
 * The text of TEMPLATE; undefined where what stands between messages depends on more than the two beside it.
 * @param begin a text that the program itself puts in front, such as a BOS token
 */
export function writeOllamaTemplate(template: ChatTemplate, begin: string): string | undefined {
  const joints = findJoints(template);
  if (joints === undefined || !isComplete(template, joints)) return undefined;
  const cut = (text: string): string => (begin !== '' && text.startsWith(begin) ? text.slice(begin.length) : text);
  const { system } = joints;
  const write = (text: string): string => (text === '' ? '' : `{{ ${JSON.stringify(text)} }}`);
  const beforeUser = [
    `{{ if eq $last "" }}${write(cut(joints.startToUser))}`,
    ...(system === undefined ? [] : [`{{ else if eq $last "system" }}${write(system.toUser)}`]),
    `{{ else }}${write(joints.assistantToUser)}{{ end }}`,
  ].join('');
  return [
    '{{- $last := "" }}',
    '{{- range .Messages }}',
    ...(system === undefined ? [] : [`{{- if eq .Role "system" }}${write(cut(system.start))}{{ .Content }}`]),
    `{{- ${system === undefined ? 'if' : 'else if'} eq .Role "user" }}${beforeUser}{{ .Content }}`,
    `{{- else if eq .Role "assistant" }}${write(joints.userToAssistant)}{{ .Content }}`,
    '{{- end }}',
    '{{- $last = .Role }}',
    `{{- end }}${write(joints.userToEnd)}`,
  ].join('\n');
}

function findJoints(template: ChatTemplate): Joints | undefined {
  const plain = cutAtMarks(renderPrompt(template, ['user', 'assistant', 'user']), 3);
  if (plain === undefined) return undefined;
  const [startToUser, userToAssistant, assistantToUser, userToEnd] = plain as [string, string, string, string];
  const led = cutAtMarks(renderPrompt(template, ['system', 'user']), 2);
  const system = led === undefined ? undefined : { start: led[0]!, toUser: led[1]! };
  return { startToUser, system, userToAssistant, assistantToUser, userToEnd };
}

/** Whether the joints make a longer conversation too. */
function isComplete(template: ChatTemplate, joints: Joints): boolean {
  const { system, startToUser, userToAssistant, assistantToUser, userToEnd } = joints;
  const rest = [userToAssistant, marks[2], assistantToUser, marks[3], userToEnd];
  const [first, second] = marks;
  const expected =
    system === undefined ? [startToUser, second, ...rest] : [system.start, first, system.toUser, second, ...rest];
  const roles = ['system', 'user', 'assistant', 'user'] as const;
  return (
    renderPrompt(template, system === undefined ? roles.slice(1) : roles, system === undefined ? 1 : 0) ===
    expected.join('')
  );
}

/** Undefined where the template refuses the conversation. */
function renderPrompt(template: ChatTemplate, roles: readonly Message['role'][], firstMark = 0): string | undefined {
  const messages = roles.map((role, i): Message => ({ role, content: marks[firstMark + i]! }));
  try {
    return template.renderPrompt(messages);
  } catch (error) {
    if (error instanceof TuneError) return undefined;
    throw error;
  }
}

function cutAtMarks(text: string | undefined, count: number): string[] | undefined {
  const parts = text?.split(new RegExp(marks.slice(0, count).join('|')));
  return parts?.length === count + 1 ? parts : undefined;
}
