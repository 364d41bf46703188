/** Options for a Pub/Sub topic: from rack.yaml, or from the command line to watch many racks. */
import type { FieldNames, PubSubConnection } from '@skolo/alerts';
import { serviceUrl } from '@skolo/rack/light';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { rackToReach } from '../../workstation/rack-file.ts';

export interface PubSubOptions {
  project?: string;
  topic?: string;
  endpoint?: string;
  keyFile?: string;
  subscription?: string;
}

export interface Source {
  connection: PubSubConnection;
  topic: string;
  subscription: string | undefined;
  fields: FieldNames | undefined;
}

const defaultTopic = 'prometheus-alerts';

/** Adds the options of a subscription. */
export function withSubscription(command: SkoloCommand): SkoloCommand {
  return command
    .option('--project <id>', "the topic's project; with this option, rack.yaml is not read")
    .option('--topic <name>', `topic, instead of the one in rack.yaml (default: "${defaultTopic}")`)
    .option('--endpoint <host:port>', 'Pub/Sub endpoint, instead of the one in rack.yaml')
    .option('--key-file <file>', 'service account key, instead of the one in rack.yaml')
    .option(
      '--subscription <name>',
      'existing subscription to use instead of a temporary one; its other subscribers do not receive the messages that this command receives',
    );
}

/**
 * Sends no request, except to look up the project.
 *
 * @throws CliError There are no credentials, or they name no project.
 */
export async function sourceOf(command: SkoloCommand, options: PubSubOptions): Promise<Source> {
  const settings = await settingsOf(command, options);
  const { connectPubSub, SinkError } = await import('@skolo/alerts');
  const { topic, fields, ...where } = settings;
  try {
    const connection = await connectPubSub(where);
    return { connection, topic, fields, subscription: options.subscription };
  } catch (error) {
    if (error instanceof SinkError) throw new CliError(error.message, undefined, { cause: error });
    throw error;
  }
}

async function settingsOf(command: SkoloCommand, options: PubSubOptions) {
  const { project, topic, endpoint, keyFile } = options;
  const own = { ...(endpoint && { endpoint }), ...(keyFile && { credentials: { keyFile } }) };
  if (project !== undefined) {
    const credentials = 'default' as const;
    return { credentials, ...own, project, topic: topic ?? defaultTopic, fields: undefined };
  }
  const { secretPath } = await import('@skolo/base/secrets');
  const rack = await rackToReach(command);
  const settings = rack.services['alert-to-pubsub'];
  const { credentials } = settings;
  return {
    project: settings.project,
    endpoint: settings.endpoint,
    credentials:
      typeof credentials === 'object'
        ? { keyFile: secretPath(rack, credentials.keyFile) }
        : credentials,
    metadataUrl: serviceUrl(rack, 'metadata-server'),
    ...own,
    topic: topic ?? settings.topic,
    fields: settings.fields,
  };
}
