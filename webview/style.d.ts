/** Pages import their styles; esbuild writes them beside the script. */
declare module '*.css';
