/** Prints processes for people. */
import { script } from '@skolo/base';

/** Shell functions: `command_of PID` prints a process on one line, `last_pid` reads it in each line of `ss --processes`. */
export const commandOf = script(new URL('./command-of.sh', import.meta.url));
