/** What the agent on a machine answers on its status port. */
import { z } from 'zod';
import { route } from './route.ts';
import { Time } from './time.ts';

export const AgentStatus = z
  .object({
    machine: z.string(),
    /** Another one after each boot: proof that the machine was down. */
    bootId: z.string().optional().meta({ description: 'of the running kernel; random(4)' }),
    task: z.object({
      running: z.boolean(),
      id: z.string().optional(),
      since: Time.optional(),
    }),
    devices: z
      .array(
        z.object({
          name: z.string().meta({ description: 'on the machine, as in rack.yaml: `device`' }),
          state: z.enum(['present', 'missing', 'unknown']),
        }),
      )
      .meta({ description: 'phones and other devices attached to it' }),
  })
  .meta({ id: 'AgentStatus' });
export type AgentStatus = z.output<typeof AgentStatus>;

export const UsbPortState = z
  .object({
    hub: z.string().meta({ examples: ['1-1'] }),
    port: z.int().min(1),
    on: z.boolean(),
  })
  .meta({ id: 'UsbPortState' });
export type UsbPortState = z.output<typeof UsbPortState>;

const usbPort = z.object({ hub: z.string(), port: z.coerce.number().int().min(1) });

export const swarmingClientApi = {
  status: route({
    method: 'get',
    path: '/v1/status',
    summary: 'The task, the devices and the health of the machine',
    answers: { 200: AgentStatus },
  }),
  reboot: route({
    method: 'post',
    path: '/v1/reboot',
    summary: 'Reboots the machine',
    role: 'operate',
    body: z.strictObject({ why: z.string().min(1).max(1000) }),
    answers: { 202: undefined },
  }),
  usbPort: route({
    method: 'get',
    path: '/v1/usb/{hub}/{port}',
    summary: 'Whether a port of the machine’s own hub has power',
    role: 'view',
    params: usbPort,
    answers: { 200: UsbPortState },
  }),
  setUsbPort: route({
    method: 'put',
    path: '/v1/usb/{hub}/{port}',
    summary: 'Turns the power of a port of the machine’s own hub on or off',
    role: 'operate',
    params: usbPort,
    body: z.strictObject({ on: z.boolean(), why: z.string().min(1).max(1000) }),
    answers: { 200: UsbPortState },
  }),
};
