/**
 * Stands in for VS Code's compiled watchdog (@vscode/native-watchdog): a process that watches its parent ends when the
 * parent is gone, so that nothing of a demo or a test stays behind.
 */
const intervalMs = 1000;

exports.start = parentPid => {
  const timer = setInterval(() => {
    try {
      process.kill(parentPid, 0);
    } catch (error) {
      if (error.code === 'ESRCH') process.exit(87);
    }
  }, intervalMs);
  timer.unref();
};

exports.exit = code => process.exit(code ?? 0);
