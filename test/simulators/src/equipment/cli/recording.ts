/** A real ssh server that repeats what a device once printed, byte by byte. It knows nothing about devices. */
import type { ServerChannel } from 'ssh2';
import type { Account } from './accounts.ts';
import { startShellServer } from './shell-server.ts';

interface Recording {
  /** Printed at the start of a session, and before which no command is accepted; ends with the prompt. */
  greeting: string;
  /** What the device printed in response to a command, including its echo and the next prompt; undefined: it is not recorded. */
  answer(command: string): string | undefined;
  /** Printed in response to all other commands, after the echo; then the prompt. */
  rejection: string;
}

interface RecordedDevice {
  host: string;
  port: number;
  hostKey: string;
  /** The commands, in order. */
  received: string[];
  close(): Promise<void>;
}

/** Each command may also be run in a channel of its own, where there is neither echo nor prompt. */
export async function startRecording(
  { greeting, answer, rejection }: Recording,
  account: Account,
): Promise<RecordedDevice> {
  const prompt = greeting.slice(greeting.lastIndexOf('\n') + 1);
  const received: string[] = [];
  const raw = (text: string) => text.replace(/\r?\n/g, '\r\n');
  const answerTo = (command: string) => {
    received.push(command);
    return answer(command) ?? `${command}\n${rejection}\n${prompt}`;
  };

  function shell(channel: ServerChannel): void {
    let typed = '';
    channel.write(raw(greeting));
    channel.on('data', (bytes: Buffer) => {
      typed += bytes.toString('latin1');
      for (;;) {
        const [line, command = ''] = /^(.*?)(?:\r\n?|\n)/.exec(typed) ?? [];
        if (line === undefined) return;
        typed = typed.slice(line.length);
        if (/^(?:exit|quit|logout)$/.test(command)) channel.end();
        else channel.write(command === '' ? raw(`\n${prompt}`) : raw(answerTo(command)));
      }
    });
  }

  function exec(command: string) {
    const lines = answerTo(command).split('\n');
    return { output: `${lines.slice(1, -1).join('\n')}\n`, status: 0 };
  }

  return { ...(await startShellServer(account, { shell, exec })), received };
}
