/** All events of the agent. Parts emit them; `connect` in agent.ts lists what follows from each. */
import type { BotExit } from './bot/bot-view.ts';
import type { DeviceView } from './devices/device.ts';
import type { Health } from './health/health.ts';
import type { TaskEvent } from './hooks/task.ts';
import type { IdentityEvent } from './identity/identity.ts';
import type { RepairOutcomeEvent, RepairView } from './repair/records.ts';

export type AgentEvent =
  | IdentityEvent
  | { type: 'clock-compared'; offsetSeconds: number }
  | { type: 'hook'; hook: string; ok: boolean; seconds: number }
  | TaskEvent
  /** The view of the bot changed. */
  | { type: 'bot' }
  | { type: 'bot-started'; pid: number; server: string | undefined }
  | { type: 'bot-not-started'; why: string }
  | { type: 'bot-exited'; exit: BotExit; text: string }
  | { type: 'bot-restarting' | 'bot-silent' | 'reboot-requested'; why: string }
  /** A line of more than 64 KiB is split. */
  | { type: 'bot-line'; stream: 'stdout' | 'stderr'; text: string }
  | { type: 'bot-downloaded'; server: string; botDir: string; why: string }
  | { type: 'bot-not-downloaded'; server: string; botDir: string; why: string; failed: string }
  | { type: 'device-read'; now: DeviceView; before: DeviceView }
  /** Something else that health depends on changed. */
  | { type: 'facts' }
  | { type: 'adb-server'; isWedged: boolean }
  | { type: 'health'; now: Health; before: Health }
  | { type: 'repair-started'; repair: Readonly<RepairView>; why: string }
  /** A repair step ended. Whether it helped is reported by a later `repair-outcome`. */
  | { type: 'repair-ended'; repair: Readonly<RepairView> }
  | RepairOutcomeEvent
  | { type: 'needs-attention'; device: string; why: string };
