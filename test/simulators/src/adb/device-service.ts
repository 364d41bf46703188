/** The services of a phone's adbd for a connection: shells, with and without the shell protocol, and the reboot. */
import type { SimulatedAndroid } from './android.ts';
import { type Answer, runShell } from './shell.ts';
import { type Client, fail, okay, packet, shellStream } from './wire.ts';

/** Serves one request to its end. If the phone leaves meanwhile, the connection ends. */
export async function serveDevice(
  client: Client,
  phone: SimulatedAndroid,
  request: string,
): Promise<void> {
  phone.received.push({ at: Date.now(), text: request });
  const stop = phone.onGone(() => client.finish());
  client.socket.once('close', stop);

  if (request === 'reconnect') return client.finish(okay('done'));
  const [, kind = '', options = '', command] =
    /^(shell|exec|reboot|remount|root|unroot|sync)((?:,[^:]*)?):(.*)$/s.exec(request) ?? [];
  if (command === undefined) return client.finish(fail(`unknown service ${request}`));
  if (kind === 'reboot') return reboot(client, phone);
  if (kind === 'shell' || kind === 'exec') {
    const hasProtocol = options.split(',').includes('v2');
    if (hasProtocol && !phone.record.features.includes('shell_v2'))
      return client.finish(fail('closed'));
    if (!(await client.send(okay()))) return;
    // Nobody types here: an interactive shell ends immediately.
    const answer = runShell(phone, command === '' ? 'true' : command);
    const isOld = phone.record.hasTerminalOutput === true && kind === 'shell';
    return respond(client, isOld ? withReturns(answer) : answer, hasProtocol);
  }
  client.finish(fail('closed'));
}

async function reboot(client: Client, phone: SimulatedAndroid): Promise<void> {
  await client.send(okay());
  // It leaves the bus, which ends the connection.
  phone.reboot();
}

async function respond(client: Client, answer: Answer, hasProtocol: boolean): Promise<void> {
  const frame = (stream: number, data: Buffer) =>
    hasProtocol && data.length > 0 ? packet(stream, data) : data;
  await client.send(frame(shellStream.stdout, answer.stdout));
  await client.send(frame(shellStream.stderr, answer.stderr));
  client.finish(hasProtocol ? packet(shellStream.exit, Buffer.from([answer.status])) : undefined);
}

function withReturns({ stdout, stderr, status }: Answer): Answer {
  const convert = (data: Buffer) =>
    Buffer.from(data.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
  return { stdout: convert(stdout), stderr: convert(stderr), status };
}
