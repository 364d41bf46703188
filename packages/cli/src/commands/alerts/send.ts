import { InvalidArgumentError, Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { type PubSubOptions, withSubscription } from './pubsub-options.ts';
import { shortSpan, shortSpanOrNone } from './spans.ts';

interface Options extends PubSubOptions {
  alertname: string;
  label?: Record<string, string>;
  severity: string;
  resolveAfter: number;
  within: number;
  /** Commander's name for what `--no-subscribe` turns off. */
  subscribe: boolean;
  json?: true;
}

/** `skolo alerts send`: one alert from end to end, and how long it took. */
export function addAlertsSend(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('send')
    .description(
      'Hands one alert to the service of the rack, as Prometheus does, waits until it has arrived at Pub/Sub, and says how long that took; then the same with its end. Ends with 1 when it does not arrive in time, and says where it has got to.',
    )
    .summary('one alert from end to end, and how long it takes')
    .option('--alertname <name>', 'its name', 'SkoloTest')
    .addOption(
      new Option('--label <name=value>', 'another label; may be given several times').argParser(
        label,
      ),
    )
    .option('--severity <severity>', 'its severity', 'info')
    .addOption(
      new Option('--resolve-after <time>', 'how long it fires, once it has arrived')
        .argParser(shortSpanOrNone)
        .default(0, '0s'),
    )
    .addOption(
      new Option('--within <time>', 'how long it may take')
        .argParser(shortSpan)
        .default(30_000, '30s'),
    )
    .option('--no-subscribe', 'do not look at Pub/Sub; wait until the service has sent it')
    .option('--json', 'print JSON');
  withSubscription(command)
    .uses('rack', 'url', 'tokenFile')
    .example('skolo alerts send --rack racks/rack4/rack.yaml');

  command.action(async (options: Options) => {
    const { alertname, severity, label: labels, resolveAfter, within, subscribe, json } = options;
    const { sendTest } = await import('./send-test.ts');
    await sendTest(io, {
      command,
      where: options,
      labels: { ...labels, alertname, severity },
      resolveAfterMs: resolveAfter,
      withinMs: within,
      isSubscribed: subscribe,
      json: json === true,
    });
  });
}

function label(text: string, former: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return { ...former, [name]: value };
  throw new InvalidArgumentError('Give a name and a value, such as team=lab.');
}
