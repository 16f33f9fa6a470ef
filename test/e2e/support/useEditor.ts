/** @file Registers an editor for the tests of a file: started before, closed after, evidence kept when a test fails. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { Editor, type EditorOptions } from './editor.ts';

/** Gives the editor; call it inside tests only. After each test nothing may have left the machine. */
export function useEditor(options: EditorOptions): () => Editor {
  let editor: Editor | undefined;
  beforeAll(async () => {
    editor = await Editor.start(options);
  });
  afterEach(async ({ task }) => {
    const requests = editor?.takeExternalRequests() ?? [];
    const failed = task.result?.state === 'fail' || requests.length > 0;
    if (editor && failed) {
      console.log(`${task.name}: evidence in\n  ${(await editor.keepEvidence(task.name)).join('\n  ')}`);
    }
    await editor?.closeWindows();
    expect(requests, 'requests that leave the machine').toEqual([]);
  });
  afterAll(async () => {
    await editor?.close();
  });
  return () => {
    if (!editor) throw new Error('internal: the editor was not started');
    return editor;
  };
}
