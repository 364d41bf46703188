/** A message as one line. */
import type { DecodedAlert, DecodedHeartbeat, Received } from '@skolo/alerts';
import { count } from '@skolo/base';
import { plain, type Style, styled } from '../../output/text.ts';
import { duration, timestamp } from '../../output/time.ts';

const gap = '  ';
const stateWidth = 'unhealthy'.length;
/** Longer delays are shown in the line. */
const lateMs = 60_000;

export function messageLine({ decoded, published, attributes }: Received, colour: boolean): string {
  if (decoded.kind === 'unknown') {
    const where = attributes.location;
    const rest = [decoded.why];
    return line({ at: published, where, state: 'unreadable', style: 'yellow', rest, colour });
  }
  const at = decoded.at === undefined ? published : Date.parse(decoded.at);
  const parts = decoded.kind === 'heartbeat' ? heartbeatParts(decoded) : alertParts(decoded);
  const late = published - at >= lateMs ? [`(${duration((published - at) / 1000)} late)`] : [];
  return line({ at, where: decoded.location, ...parts, rest: [...parts.rest, ...late], colour });
}

/** For programs, with all fields. */
export function messageJson({ decoded, published, messageId, attributes, data }: Received) {
  const time = new Date(published).toISOString();
  const body = decoded.kind === 'unknown' ? { text: Buffer.from(data).toString() } : {};
  return { published: time, messageId, ...decoded, ...body, attributes };
}

interface Parts {
  state: string;
  style: Style | undefined;
  rest: (string | undefined)[];
}

function alertParts(alert: DecodedAlert): Parts {
  const { name, severity, values } = alert;
  const isFiring = alert.status === 'firing';
  return {
    state: stateOf(alert),
    style: isFiring ? severityStyle(severity) : 'green',
    rest: [name ?? '-', severity ?? '-', whichOf(values) ?? '-', alertSummary(values)],
  };
}

function stateOf({ kind, status, expired }: DecodedAlert): string {
  if (expired) return 'expired';
  return kind === 'transition' ? status : kind;
}

function heartbeatParts(beat: DecodedHeartbeat): Parts {
  const { healthy, why, version, spoolDepth = 0, spoolOldestSeconds = 0 } = beat;
  const oldest = `${count(spoolDepth, 'message')} queued, the oldest for ${duration(spoolOldestSeconds)}`;
  return {
    state: healthy ? 'healthy' : 'unhealthy',
    style: healthy ? undefined : 'red',
    rest: ['HEALTHZ', version && `version ${version}`, why, spoolDepth > 0 ? oldest : undefined],
  };
}

interface Line extends Parts {
  at: number;
  where: string | undefined;
  colour: boolean;
}

function line({ at, where, state, style, rest, colour }: Line): string {
  const time = Number.isFinite(at) ? timestamp(at) : '-';
  const shown = styled(state.padEnd(stateWidth), style, colour);
  const others = rest
    .filter((part) => part !== undefined && part !== '')
    .map((part) => plain(String(part)));
  return [time, plain(where ?? '-'), shown, ...others].join(gap).trimEnd();
}

type Texts = Readonly<Record<string, string>>;

/** The subject of an alert. */
export function whichOf(labels: Texts): string | undefined {
  return labels.instance ?? labels.machine ?? labels.device ?? labels.pod ?? labels.job;
}

export function alertSummary(annotations: Texts): string | undefined {
  return annotations.summary ?? annotations.description ?? annotations.message;
}

export function severityStyle(severity: string | undefined): Style | undefined {
  if (severity === 'critical' || severity === 'page') return 'red';
  return severity === 'warning' ? 'yellow' : undefined;
}
