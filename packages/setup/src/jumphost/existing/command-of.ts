/**
 * For sh: `command_of PID` prints the command line of a process on one line, cut, with its number. `ss` and /proc/PID/comm print the name
 * of its main thread, which is `MainThread` for every Node program. Backslashes are removed, because echo may interpret them.
 */
export const commandOf = `command_of() {
  for file in cmdline comm; do
    text=$(cat "/proc/$1/$file" 2>/dev/null | LC_ALL=C tr -cs '!-[]-~' ' ' | cut -c 1-120)
    [ -z "$text" ] || break
  done
  echo "\${text% } (process $1)"
}`;

/** For sh: reads the process in each line of `ss --processes`. It is the last number, because a program chooses its name. */
export const lastPid = `sed -n 's/.*,pid=\\([0-9]*\\),fd=.*/\\1/p'`;
