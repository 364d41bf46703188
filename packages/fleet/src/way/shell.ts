/** The user's shell, with a prompt that names the rack. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { OpenRack } from './way.ts';

interface ShellStart {
  program: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}

/**
 * The command that starts it. bash and zsh read the user's own files first. Other shells get no prompt, but SKOLO_ON contains the
 * rack's name.
 *
 * @param program path of the shell
 */
export async function prepareShell(
  program: string,
  { folder, rack, env }: Pick<OpenRack, 'folder' | 'rack' | 'env'>,
): Promise<ShellStart> {
  switch (basename(program)) {
    case 'bash': {
      const file = join(folder, 'bashrc');
      await writeFile(file, bashrc(rack.name), { mode: 0o600 });
      return { program, args: ['--rcfile', file, '-i'], env };
    }
    case 'zsh': {
      const dir = join(folder, 'zsh');
      await mkdir(dir, { mode: 0o700 });
      await writeFile(join(dir, '.zshenv'), zshenv(dir), { mode: 0o600 });
      await writeFile(join(dir, '.zshrc'), zshrc(rack.name), { mode: 0o600 });
      const own = { SKOLO_ZDOTDIR: env.ZDOTDIR ?? env.HOME ?? '', ZDOTDIR: dir };
      return { program, args: ['-i'], env: { ...env, ...own } };
    }
    default:
      return { program, args: ['-i'], env };
  }
}

/** Before each prompt, because many shells build the prompt each time. */
function bashrc(rack: string): string {
  return `[ -f ~/.bashrc ] && . ~/.bashrc
__skolo_prompt() { case $PS1 in "(${rack}) "*) ;; *) PS1="(${rack}) $PS1" ;; esac; }
PROMPT_COMMAND="\${PROMPT_COMMAND:+$PROMPT_COMMAND
}__skolo_prompt"
`;
}

/** The user's own file may set ZDOTDIR. */
function zshenv(dir: string): string {
  return `ZDOTDIR=$SKOLO_ZDOTDIR
[[ -f $ZDOTDIR/.zshenv ]] && . $ZDOTDIR/.zshenv
SKOLO_ZDOTDIR=$ZDOTDIR
ZDOTDIR='${dir}'
`;
}

function zshrc(rack: string): string {
  return `[[ $HISTFILE = $ZDOTDIR/* ]] && HISTFILE=$SKOLO_ZDOTDIR/.zsh_history
ZDOTDIR=$SKOLO_ZDOTDIR
unset SKOLO_ZDOTDIR
[[ -f $ZDOTDIR/.zshrc ]] && . $ZDOTDIR/.zshrc
__skolo_prompt() { [[ $PROMPT = "(${rack}) "* ]] || PROMPT="(${rack}) $PROMPT" }
precmd_functions+=(__skolo_prompt)
`;
}
