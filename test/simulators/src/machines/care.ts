/** What people tell the agent to do for its machine and phones, and what they look at: log, screens, repair steps. */
import { crc32, deflateSync } from 'node:zlib';
import { z } from 'zod';
import type { OutletBoard } from '../equipment/device.ts';
import { isPresent, type Phone, type UsbHub } from './usb.ts';

/** What the agent finds wrong. */
export interface Reason {
  verdict: 'recovering' | 'maintenance' | 'quarantined';
  code: string;
  text: string;
  /** RFC 3339. */
  since: string;
  device?: string;
}

export interface Repair {
  at: string;
  device: string;
  round: number;
  step: string;
  outcome: string;
}

/** The machine, as far as its phones go. */
interface Attached {
  task: () => { running: boolean };
  phones: readonly Phone[];
  board: OutletBoard;
  hubs: readonly UsbHub[];
}

export class AgentProblem extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

interface LogLine {
  number: number;
  /** RFC 3339. */
  at: string;
  from: 'agent' | 'bot';
  text: string;
}

/** Repair goes on for so long before it gives up again. */
const patienceMs = 60_000;
const usbOffMs = 500;

const Why = z.strictObject({ why: z.string().min(1).max(1000) });
const Wanted = Why.extend({ step: z.string(), device: z.string().optional() });
const Shown = z.strictObject({
  device: z.string().optional(),
  fresh: z.boolean().default(false),
  force: z.boolean().default(false),
});

/** What a person said, and what the agent has begun since. */
export class Care {
  readonly lines: LogLine[] = [];
  repairs: Repair[] = [];
  /** By `Date.now()`. */
  private patientUntil = 0;
  private count = 0;

  log(text: string, from: LogLine['from'] = 'agent'): void {
    this.lines.push({ number: this.count, at: new Date().toISOString(), from, text });
    this.count += 1;
    if (this.lines.length > 1000) this.lines.shift();
  }

  lastLines(query: URLSearchParams): { lines: LogLine[] } {
    const after = Number(query.get('after') ?? -1);
    const found = this.lines.filter(({ number }) => number > after);
    return { lines: found.slice(-Number(query.get('lines') ?? 100)) };
  }

  clear(body: string): void {
    this.log(`quarantine cleared: ${Why.parse(JSON.parse(body)).why}`);
    this.patientUntil = Date.now() + patienceMs;
  }

  /** Where it had given up, repair has begun again. */
  judge(reason: Reason): Reason {
    if (reason.code !== 'gave-up' || Date.now() > this.patientUntil) return reason;
    return { ...reason, verdict: 'recovering', code: 'missing', text: 'missing' };
  }

  repair(side: Attached, body: string): void {
    const { device, step, why } = Wanted.parse(JSON.parse(body));
    const phone = phoneOf(side, device);
    const steps = stepsOf(phone);
    if (!steps.includes(step)) {
      const hint = `the machine has: ${phone.name} (${steps.join(', ')})`;
      throw new AgentProblem(404, `${phone.name}: no step ${step}; ${hint}`);
    }
    if (side.task().running) {
      throw new AgentProblem(409, `${phone.name}: ${step} not started: a task is running`);
    }
    const { board } = side;
    const { name, port, works } = phone;
    if (step === 'usb-cycle' && port !== undefined) {
      board.set(port, false);
      setTimeout(() => board.set(port, true), usbOffMs).unref();
    }
    const outcome = works ? 'done' : 'failed';
    const at = new Date().toISOString();
    this.repairs = [...this.repairs, { at, device: name, round: 1, step, outcome }].slice(-20);
    this.log(`repair of ${name}: ${step}, ${outcome}: ${why}`);
  }
}

export function stepsOf({ port }: Phone): string[] {
  return ['adb-reconnect', 'device-reboot', ...(port === undefined ? [] : ['usb-cycle'])];
}

/** A screen of one colour. None was kept as evidence. */
export function screenOf(side: Attached, body: string): Uint8Array {
  const { device, fresh, force } = Shown.parse(JSON.parse(body));
  const phone = phoneOf(side, device);
  const { name } = phone;
  if (!fresh) {
    throw new AgentProblem(404, `${name}: no screenshot is stored; request a fresh one`);
  }
  if (side.task().running && !force) {
    const why = 'a task is running, and a screenshot may disturb it';
    throw new AgentProblem(409, `${why}; try again when it has ended, or use force`);
  }
  if (!isPresent(phone, side.board, side.hubs)) {
    throw new AgentProblem(503, `${name}: no screenshot: the phone is missing`);
  }
  return png(270, 570, [0x20, 0x60, 0x90]);
}

function phoneOf({ phones }: Attached, wanted: string | undefined): Phone {
  const [first, ...others] = phones;
  if (first === undefined) {
    throw new AgentProblem(404, 'rack.yaml does not list any devices for this machine');
  }
  const found = phones.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  if (wanted === undefined && others.length === 0) return first;
  const names = phones.map(({ name }) => name).join(', ');
  throw new AgentProblem(404, `no device ${wanted ?? 'given'}; the machine has: ${names}`);
}

/** Source: PNG, third edition, section 5. */
function png(width: number, height: number, colour: readonly [number, number, number]) {
  const row = Buffer.from([0, ...Array.from({ length: width }, () => colour).flat()]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits for each of red, green and blue.
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  const chunks = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks]);
}

function chunk(type: string, data: Buffer): Buffer {
  const checked = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(checked));
  return Buffer.concat([length, checked, sum]);
}
