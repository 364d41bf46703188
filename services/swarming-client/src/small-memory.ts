/**
 * The agent shares a Pi with 1 GB with a bot and its tasks, and has little to do: V8 runs it without its optimising
 * compilers. Imported first of all, before anything is compiled. With it, WebAssembly is gone, and so the global fetch.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--lite-mode');
