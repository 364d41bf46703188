/**
 * Folders of the package that are no JavaScript. Found from here because this file is one level below the package's
 * folder wherever it is: in src, and in a bundle, whose files are all in `dist`.
 */
import { fileURLToPath } from 'node:url';

/** The agent's programs in Python. */
export const pythonFolder: string = fileURLToPath(new URL('../python', import.meta.url));

/** Holds the `sudo` that comes first on the PATH of the bot. */
export const shimFolder: string = fileURLToPath(new URL('../shim', import.meta.url));
