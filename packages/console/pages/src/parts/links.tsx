import { useLive } from '../live/store.ts';
import { hrefOf } from './router.ts';

export function MachineLink({ name, text = name }: { name: string; text?: string }) {
  return <a href={hrefOf('machine', [name])}>{text}</a>;
}

/** A port, an outlet or a device: `switch-1/14`, `pdu-1`. Devices without a page, such as USB hubs, are plain text. */
export function PortLink({ port }: { port: string }) {
  const equipment = useLive(({ rack }) => rack?.equipment);
  const isKnown = equipment?.some(({ name }) => name === port.replace(/\/.*/, ''));
  return isKnown ? <a href={portHref(port)}>{port}</a> : <span>{port}</span>;
}

/** A port may be called `ge-0/0/1`. */
export function portHref(id: string): string {
  const [name = '', ...port] = id.split('/');
  return hrefOf('equipment', [name], { port: port.join('/') });
}
