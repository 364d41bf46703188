import { shellWord } from '@skolo/errors';
import type { DemoService, RunningService, Suggestion } from './service.ts';

export const alertToPubsub: DemoService = {
  name: 'alert-to-pubsub',
  suggestions,
};

function suggestions({ rack, rackFile, url }: RunningService): Suggestion[] {
  const where = `--rack ${shellWord(rackFile)}`;
  const machine = [...rack.machines.keys()][0] ?? rack.jumphost.name;
  const alert = { labels: { alertname: 'HostHot', severity: 'warning', machine } };
  return [
    {
      text: 'Fire an alert, and see when it arrives at the other end of Pub/Sub:',
      commands: [`npx skolo alerts send ${where}`],
    },
    {
      text: 'Watch what arrives (in another terminal), and fire one as Prometheus does:',
      commands: [
        `npx skolo alerts tail ${where}`,
        `curl -H 'Content-Type: application/json' -d ${shellWord(JSON.stringify([alert]))} ${url}/api/v2/alerts`,
      ],
    },
  ];
}
