/**
 * kube/clusters/config.json: all racks and how to reach them. The first keys of each are those of the Skia system, so
 * that its programs can read the file. Ours are optional. skolo ignores other keys.
 */
import { didYouMean } from '@skolo/rack/light';
import { z } from 'zod';

const host = text(
  /^[A-Za-z0-9][A-Za-z0-9.:-]*$/,
  'a host name or address (example: jumphost-rack4)',
);
const userName = text(/^[A-Za-z_][\w.-]*$/, 'a user name (example: ops)');
/** OpenSSH runs it in a shell command. */
const jump = text(
  /^([A-Za-z_][\w.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*(:\d+)?(,([A-Za-z_][\w.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*(:\d+)?)*$/,
  'a list of hosts for ProxyJump (example: ops@router-rack4)',
);
const port = z.int().min(1).max(65_535);

function text(pattern: RegExp, what: string) {
  return z.string().regex(pattern, { error: ({ input }) => `"${input}" is not ${what}` });
}

/** Other programs may have keys of their own, but a key that resembles one of ours is misspelt. */
function open<Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.looseObject(shape).superRefine((input, context) => {
    for (const key of Object.keys(input)) {
      const guess = known.includes(key) ? '' : didYouMean(key, known);
      if (guess === '') continue;
      const message = `unknown key "${key}"${guess}`;
      context.addIssue({ code: 'unrecognized_keys', keys: [key], input, message });
    }
  });
}

const waySchema = z.strictObject({
  host: host.describe('Host name or address of a k3s server, for SSH.'),
  user: userName.exactOptional().describe("User name on this host. Defaults to the rack's `user`."),
  address: z
    .ipv4()
    .exactOptional()
    .describe(
      "IP address to connect to. If it is set, the host's name is used only to look up the SSH host key.",
    ),
  jump: jump
    .exactOptional()
    .describe("Hosts to connect through, such as the router, as in SSH's ProxyJump option."),
});

const ownKeys = {
  wave: z
    .int()
    .min(1)
    .default(1)
    .describe('`skolo push` deploys to racks with lower numbers first.'),
  canary: z
    .boolean()
    .default(false)
    .describe('`skolo push` deploys to this rack before all waves.'),
  notes: z.string().exactOptional().describe('Free text.'),
};

const k3sSchema = open({
  type: z.literal('k3s'),
  context_name: z.string().min(1).describe('Name of the kubeconfig context.'),
  jumphost: host.describe('Host name of the jumphost, for SSH.'),
  port: z
    .unknown()
    .optional()
    .describe("Local port of the Skia system's tunnel. skolo ignores it and uses any free port."),
  user: userName
    .exactOptional()
    .describe('User name for SSH. By default, your SSH configuration decides.'),
  ways: z
    .array(waySchema)
    .min(1)
    .exactOptional()
    .describe(
      'Hosts through which skolo can reach the rack, tried in this order. By default, only the jumphost.',
    ),
  internet: z
    .boolean()
    .default(true)
    .describe(
      'Whether the rack can reach image registries. If not, `skolo push` copies images over SSH.',
    ),
  epoch: z
    .int()
    .min(1)
    .exactOptional()
    .describe(
      'Epoch of the current jumphost, written by `skolo jumphost replace`. Commands reject a jumphost with a lower epoch because it has been replaced.',
    ),
  api_port: port
    .default(6443)
    .describe(
      'Port of the API server on the loopback interface of `jumphost` and of each host in `ways`.',
    ),
  ...ownKeys,
});

const gkeSchema = open({
  type: z.literal('gke'),
  context_name: z.string().min(1).describe('Name of the kubeconfig context.'),
  zone: text(/^[a-z][a-z0-9-]*$/, 'a zone (example: us-central1-a)').describe(
    'Google Cloud zone of the cluster.',
  ),
  project: text(/^[a-z][a-z0-9:.-]*$/, 'a project (example: skia-public)').describe(
    'Google Cloud project of the cluster.',
  ),
  ...ownKeys,
});

/** A rack's name is used as a directory name, as a host in a kubeconfig, and as an argument. */
const rackName = text(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'a rack name of at most 63 lower-case letters, digits and hyphens, with no hyphen at either end',
);

export const clustersSchema = open({
  gitdir: z
    .unknown()
    .optional()
    .describe('Directory with a clone of the racks repository. skolo ignores it.'),
  repo: z.unknown().optional().describe('URL of the racks repository. skolo ignores it.'),
  clusters: z
    .record(rackName, z.discriminatedUnion('type', [k3sSchema, gkeSchema]).describe('A rack.'))
    .describe('All racks, by name.'),
});

export type ClustersFile = z.output<typeof clustersSchema>;

/** Content of clusters.schema.json. */
export function clustersJsonSchema() {
  return {
    ...z.toJSONSchema(clustersSchema, { io: 'input', target: 'draft-7' }),
    title: 'clusters/config.json',
    description: 'All racks and how to reach them.',
  };
}
