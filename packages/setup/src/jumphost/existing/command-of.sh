#!/bin/sh
# command_of PID: prints a process's program, the first argument that is a path, such as a script, and its number, on one line. Other arguments
# may be passwords. `ss` and /proc/PID/comm print the name of its main thread, which is `MainThread` for every Node program. Backslashes are
# removed, because echo may interpret them.
command_of() {
  text=$({ tr '\n\0' ' \n' < "/proc/$1/cmdline" | awk 'NR == 1; NR > 1 && /^[A-Za-z0-9._\/-]*\/[A-Za-z0-9._\/-]*$/ { print; exit }'; } 2>/dev/null)
  [ -n "$text" ] || text=$(cat "/proc/$1/comm" 2>/dev/null)
  echo "$(printf "%s\n" "$text" | LC_ALL=C tr -cs '!-[]-~' ' ' | cut -c 1-120)(process $1)"
}

# Reads the process in each line of `ss --processes`. It is the last number, because a program chooses its name.
last_pid() { sed -n 's/.*,pid=\([0-9]*\),fd=.*/\1/p'; }
