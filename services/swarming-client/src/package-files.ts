/**
 * The package's directories without JavaScript. Found from here because this file is always one level below the package's directory: in
 * src, and in a bundle, whose files are all in `dist`.
 */
import { fileURLToPath } from 'node:url';

/** The agent's Python programs. */
export const pythonFolder: string = fileURLToPath(new URL('../python', import.meta.url));

/** Contains the `sudo` that is first on the bot's PATH. */
export const shimFolder: string = fileURLToPath(new URL('../shim', import.meta.url));
