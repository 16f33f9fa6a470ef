/** @file The environment variables that Python, pip and uv get: nothing that points them at other modules. */

const foreign =
  /^(PYTHON(PATH|HOME|STARTUP|USERBASE|INSPECT|EXECUTABLE)|VIRTUAL_ENV|CONDA_PREFIX|__PYVENV_LAUNCHER__|LD_PRELOAD|DYLD_INSERT_LIBRARIES|PIP_(TARGET|PREFIX|USER|REQUIRE_VIRTUALENV))$/i;

export function cleanPythonEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const clean = Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)));
  return { ...clean, PYTHONNOUSERSITE: '1', PYTHONIOENCODING: 'utf-8', PYTHONUTF8: '1' };
}
