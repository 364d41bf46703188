/**
 * What some pods may have that no other may, each with its reason. Whoever needs another one writes it here, where it is seen.
 */
export interface Exception {
  /** Name of the workload. */
  workload: string;
  /** As the policy words it: `hostNetwork`, `hostPath /run`, `no memory limit`. */
  what: string;
  why: string;
}

/** The agent and its canary are the same pod. */
const agents = ['swarming-client', 'swarming-client-canary'];

function forAgents(what: string, why: string): Exception[] {
  return agents.map((workload) => ({ workload, what, why }));
}

export const exceptions: readonly Exception[] = [
  {
    workload: 'metadata-server',
    what: 'hostNetwork',
    why: 'it knows callers by address and MAC, and has port 80 of the jumphost',
  },
  {
    workload: 'metadata-server',
    what: 'root',
    why: 'Kubernetes gives NET_BIND_SERVICE to no other user',
  },
  {
    workload: 'metadata-server',
    what: 'capability NET_BIND_SERVICE',
    why: 'port 80, the only thing that it needs root for',
  },
  {
    workload: 'metadata-server',
    what: 'hostPath /var/lib/skolo/metadata-server',
    why: 'the same state as its systemd unit',
  },
  {
    workload: 'metadata-server',
    what: 'hostPath /dev/shm',
    why: 'unexpired tokens outlive the pod, in memory only',
  },
  ...forAgents('hostNetwork', 'hooks on loopback, and the address that its identity hangs on'),
  ...forAgents('hostPID', 'what the bot left behind is found; reboot: host'),
  ...forAgents('privileged', 'USB devices that come and go'),
  ...forAgents('root', 'USB, and tasks that expect it'),
  ...forAgents('writable root file system', 'its tasks run in it'),
  ...forAgents('capabilities not dropped', 'privileged'),
  ...forAgents('privilege escalation', 'privileged'),
  ...forAgents('no memory limit', 'its tasks run in it, and may have all of the machine'),
  ...forAgents('no seccomp profile', 'privileged'),
  ...forAgents('hostPath /var/lib/skolo/swarming-client', 'a new pod finds what the last one knew'),
  ...forAgents('hostPath /dev/bus/usb', 'USB devices that come and go'),
  ...forAgents('hostPath of bots', 'a new pod finds the bot and its caches'),
  ...forAgents('hostPath /run', 'the socket of usbmuxd (component iphones)'),
  ...forAgents('hostPath /var/lib/lockdown', 'which iPhones trust the machine (component iphones)'),
  {
    workload: 'node-exporter',
    what: 'hostNetwork',
    why: 'the network that it reports, and an address that is scraped on every node',
  },
  { workload: 'node-exporter', what: 'hostPath /', why: 'file systems that it reports, read only' },
  {
    workload: 'node-exporter',
    what: 'runs on every node',
    why: 'the jumphost is a computer, too',
  },
  {
    workload: 'prometheus',
    what: 'has a token of the API server',
    why: 'metrics of k3s and of its kubelet; its role has nothing else',
  },
  {
    workload: 'nfs-provisioner',
    what: 'has a token of the API server',
    why: 'it makes volumes for claims; its role has nothing else',
  },
  {
    workload: 'machine-state',
    what: 'has a token of the API server',
    why: 'it makes tokens for machines that join (component enrolment); its admission policy allows nothing else',
  },
  { workload: 'chrony', what: 'hostNetwork', why: 'the rack asks the jumphost for the time' },
  { workload: 'chrony', what: 'root', why: 'only root may set the clock' },
  { workload: 'chrony', what: 'capability SYS_TIME', why: "the host's clock" },
  { workload: 'chrony', what: 'hostPath /var/lib/skolo/chrony', why: 'how fast this clock is' },
  { workload: 'chrony', what: 'capability NET_BIND_SERVICE', why: 'port 123' },
];

/** What a policy found, without what is excepted. */
export function withoutExceptions(
  found: readonly { title: string; name: string; what: string }[],
  allowed: readonly Exception[],
): string[] {
  return found
    .filter(
      ({ name, what }) =>
        !allowed.some((exception) => exception.workload === name && exception.what === what),
    )
    .map(({ title, what }) => `${title}: ${what}`);
}
