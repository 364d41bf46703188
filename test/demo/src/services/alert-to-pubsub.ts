import { shellWord } from '@skolo/base';
import type { DemoService, RunningService, Suggestion } from './service.ts';

export const alertToPubsub: DemoService = {
  name: 'alert-to-pubsub',
  suggestions,
};

function suggestions({ rack, rackFile, url }: RunningService): Suggestion[] {
  const where = `--rack ${shellWord(rackFile)}`;
  const machine = [...rack.machines.keys()][0] ?? rack.jumphost.name;
  const alert = { labels: { alertname: 'HostHot', severity: 'warning', machine } };
  const asPrometheus = (body: object) =>
    `curl -H 'Content-Type: application/json' -d ${shellWord(JSON.stringify([body]))} ${url}/api/v2/alerts`;
  return [
    {
      text: 'Fire an alert, and see when it arrives at the other end of Pub/Sub:',
      commands: [`npx skolo alerts send ${where}`],
    },
    {
      text: 'Fire one as Prometheus does, list it, and resolve it:',
      commands: [
        asPrometheus(alert),
        `npx skolo alerts list ${where}`,
        asPrometheus({ ...alert, endsAt: '2026-01-01T00:00:00Z' }),
      ],
    },
    {
      text: 'Watch what arrives, here one heartbeat; without --count it goes on until Ctrl-C:',
      commands: [`npx skolo alerts tail --heartbeats --count 1 ${where}`],
    },
  ];
}
