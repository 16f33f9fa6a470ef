// Another extension, which asks the models of the chat as any would: what it is told goes into a file below the workspace.
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const vscode = require('vscode');

/** @param {() => Promise<unknown>} ask */
const refusal = async ask => {
  try {
    await ask();
    return null;
  } catch (error) {
    return String(error);
  }
};

async function askModels() {
  const question = process.env.CHAT_PROBE_QUESTION ?? 'Which soup is there on Saturday?';
  const models = await vscode.lm.selectChatModels({ vendor: 'tuning-fork' });
  const [model] = models;
  const messages = [vscode.LanguageModelChatMessage.User(question)];
  const ask = async (options = {}, asked = messages, token = undefined) => {
    const response = await model.sendRequest(asked, options, token);
    const pieces = [];
    for await (const piece of response.text) pieces.push(piece);
    return pieces;
  };
  const pieces = await ask();
  const cancel = new vscode.CancellationTokenSource();
  const response = await model.sendRequest(messages, { modelOptions: { temperature: 1, seed: 5 } }, cancel.token);
  let before = 0;
  const cancelled = await refusal(async () => {
    for await (const _ of response.text) if (++before === 1) cancel.cancel();
  });
  const tool = { name: 'look', description: 'Looks', inputSchema: { type: 'object' } };
  const call = new vscode.LanguageModelToolResultPart('1', [new vscode.LanguageModelTextPart('seen')]);
  return {
    models: models.map(({ name, id, family, maxInputTokens }) => ({ name, id, family, maxInputTokens })),
    text: pieces.join(''),
    pieces: pieces.length,
    short: (await ask({ modelOptions: { maxTokens: 3 } })).join(''),
    cancelled,
    tokens: await model.countTokens(question),
    tools: await refusal(() => ask({ tools: [tool] })),
    toolResult: await refusal(() => ask({}, [vscode.LanguageModelChatMessage.User([call])])),
  };
}

exports.activate = context => {
  const command = vscode.commands.registerCommand('chatProbe.ask', async () => {
    const folder = vscode.workspace.workspaceFolders[0].uri.fsPath;
    const told = await askModels().catch(error => ({ failure: String(error?.stack ?? error) }));
    writeFileSync(join(folder, '.tuning-fork', 'told.json'), JSON.stringify(told));
  });
  context.subscriptions.push(command);
};
