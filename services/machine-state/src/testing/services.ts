/** The other services of a rack. They know nothing until a test says what. */
import type { PowerCycle } from '@skolo/api';
import { untilTestEnds } from '@skolo/base/testing';
import type { Access } from '@skolo/common/light';
import { startScripted } from '@skolo/scripted-services/service';

export async function startServices() {
  /** By path, of the last request. */
  const tokens = new Map<string, string | undefined>();
  const access: Access = {
    admit({ url = '', headers }) {
      tokens.set(url.split('?')[0] ?? '', headers.authorization);
      return { name: 'machine-state', role: 'operate', by: 'token' };
    },
  };
  const followers = new Set<(cycle: PowerCycle) => void>();
  const audit = { entries: [], skipped: 0 };
  const power = await startScripted(
    'power-cycle-daemon',
    {
      machines: { machines: [] },
      controllers: { controllers: [] },
      cycles: { cycles: [] },
      audit,
      cycleEvents: {
        status: 200,
        follow(send) {
          const follower = (cycle: PowerCycle) => send('cycle', cycle);
          followers.add(follower);
          return () => followers.delete(follower);
        },
      },
    },
    { access },
  );
  const metadata = await startScripted('metadata-server', { clients: { clients: [] }, audit });
  const allEquipment = { equipment: [], offsite: [], lost: [] };
  const backup = await startScripted('router-backup', { allEquipment, audit });
  const alerts = await startScripted('alert-to-pubsub', { alerts: { alerts: [] }, audit });
  const all = {
    'metadata-server': metadata,
    'power-cycle-daemon': power,
    'router-backup': backup,
    'alert-to-pubsub': alerts,
  };
  const lines = Object.entries(all).map(([name, service]) => {
    const { url } = untilTestEnds(service);
    return `  ${name}: { url: "${url}", metricsUrl: "${url}" }\n`;
  });
  return {
    ...{ power, metadata, backup, alerts, tokens },
    /** Their section of rack.yaml. */
    yaml: `services:\n${lines.join('')}`,
    /** Sends a cycle, which may be invalid, to those who follow them. */
    cycle(cycle: object) {
      for (const follower of followers) follower(JSON.parse(JSON.stringify(cycle)));
    },
  };
}
