/** `skolo completion bash` and `zsh`: prints the script that lets a shell complete commands, racks and names. */
import { script } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';

/** Passes the words after `skolo` up to the cursor to `skolo completion words`. If that prints nothing, completes file names. */
const scripts = {
  bash: script(new URL('./bash.sh', import.meta.url)).trimEnd(),
  zsh: `#compdef skolo
_skolo() {
  local -a found
  found=("\${(@f)$(skolo completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n $found ]]; then compadd -a found; else _files; fi
}
compdef _skolo skolo`,
};

export const bash = define('bash', '~/.bashrc');
export const zsh = define('zsh', '~/.zshrc, after compinit');

/** `skolo completion bash`, `skolo completion zsh`: the shell's completion scripts. */
function define(shell: keyof typeof scripts, file: string) {
  return (command: SkoloCommand): void => {
    command
      .description(
        `Prints a script that lets ${shell} complete commands, options, racks, and names in rack.yaml. To enable completion, add the line below to ${file}.`,
      )
      .summary(`print the completion script for ${shell}`)
      .uses()
      .example(`source <(skolo completion ${shell})`);
    command.action(() => command.io.out(scripts[shell]));
  };
}
